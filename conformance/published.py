"""The published vectors: data for anybody's tests; `vectors/*.json` say in `about` how they are read."""

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import zstandard

FOLDER = Path(__file__).parent / "vectors"


@cache
def load(name: str) -> dict[str, Any]:
    """The vectors in `vectors/{name}.json`."""
    vectors: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return vectors


def join(parts: list[dict[str, Any]]) -> bytes:
    """The bytes that a list of parts stands for."""
    return b"".join(_bytes_of(part) for part in parts)


def _bytes_of(part: dict[str, Any]) -> bytes:
    if "hex" in part:
        piece = bytes.fromhex(part["hex"])
    elif "each" in part:
        first, last = part["each"]
        texts = [part["text"].replace("{n}", str(number)) for number in range(first, last + 1)]
        piece = str(part["between"]).join(texts).encode()
    else:
        piece = part["text"].encode()
    return piece * int(part.get("times", 1))


def body_of(case: dict[str, Any]) -> bytes:
    """The bytes to send for a case of `bodies.json`."""
    if "body" in case:
        return join(case["body"])
    return pack(join(case["unpacked"]), case["content_encoding"])


def pack(text: bytes, encoding: str) -> bytes:
    """A body as it travels with this Content-Encoding."""
    match encoding:
        case "gzip":
            return gzip.compress(text, mtime=0)
        case "zstd":
            return zstandard.compress(text)
        case _:
            return text
