"""The formats by name, and how one is recognised."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from api.delivery.importing.blocks import LogFormatError
from api.delivery.importing.cloudfront import CloudFront
from api.delivery.importing.combined import COMBINED, Combined
from api.delivery.importing.json_lines import ALIASES, cloudfront_json, json_lines, keys_of
from api.delivery.importing.lines import Fields, Lines
from api.delivery.importing.s3 import LAYOUT as S3_LAYOUT
from api.delivery.importing.s3 import S3
from api.delivery.importing.templates import layout_of

NAMES = ("auto", "combined", "common", "log_format", "cloudfront", "cloudfront_json", "json", "s3")
HEAD_LINES = 20
"""By so many a format is recognised."""
_SHOWN = 300

_S3 = re.compile(rb"(?:[0-9a-f]{64}|-) [a-z0-9.-]{3,63} \[")


class Format(Protocol):
    """Reads the lines of one file."""

    name: str
    has_ranges: bool
    """Whether such a log tells the Range header."""

    def read(self, lines: Lines) -> Fields:
        """The columns of these lines; those before them have been read, or passed over."""
        ...

    def pass_over(self, lines: Lines) -> None:
        """Lines that have been read another time."""
        ...


@dataclass(frozen=True)
class Choice:
    """What is known of a log's format before it is seen."""

    name: str = "auto"
    """One of `NAMES`."""
    template: str = ""
    """nginx's `log_format` or Apache's `LogFormat`."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """For JSON: column -> key, where the names are unusual."""

    def format_for(self, head: list[bytes]) -> Format:
        """The format of a log with this beginning. Raises LogFormatError."""
        name = self._asked_for() or detect(head)
        if name == "log_format":
            return Templated(self.template)
        if self.fields and not name.endswith("json"):
            raise LogFormatError(f"Fields can be named for JSON logs only; this one is {name}.")
        make: dict[str, Callable[[], Format]] = {
            "combined": lambda: Combined(head),
            "common": lambda: Combined(head),
            "cloudfront": lambda: CloudFront(head),
            "cloudfront_json": lambda: cloudfront_json(head, self.fields),
            "json": lambda: json_lines(head, self.fields),
            "s3": S3,
        }
        return make[name]()

    def _asked_for(self) -> str:
        """The format that was asked for, empty when it is to be found out."""
        if self.name not in NAMES:
            raise LogFormatError(f"No log format is called {self.name!r}; there are {', '.join(NAMES)}.")
        if self.template and self.name not in {"auto", "log_format"}:
            raise LogFormatError(f"A log_format is given, and {self.name} as well; leave one out.")
        if self.name == "log_format" and not self.template:
            raise LogFormatError("Say what the lines are like: the log_format of nginx's configuration, or Apache's.")
        if self.template:
            return "log_format"
        if self.name == "auto":
            return "json" if "time" in self.fields and "ip" in self.fields else ""
        return self.name


class Templated:
    """Lines as the server's configuration has them written."""

    name = "log_format"

    def __init__(self, template: str) -> None:
        self._layout = layout_of(template)
        self.has_ranges = "range" in self._layout.names()

    def read(self, lines: Lines) -> Fields:
        """The columns of these lines."""
        return self._layout.read(lines)

    def pass_over(self, lines: Lines) -> None:
        """Nothing is to be remembered."""


def detect(head: list[bytes]) -> str:
    """The format of most of these lines; `combined` when there are none. Raises LogFormatError."""
    votes = Counter(filter(None, map(_try_detect, head[:HEAD_LINES])))
    if votes:
        return votes.most_common(1)[0][0]
    if not head:
        return "combined"
    if keys := keys_of(head[:HEAD_LINES]):
        raise LogFormatError(
            f"The log has JSON objects of unknown names: {_shown(', '.join(sorted(keys)))}. "
            "Say which they are, with --field time=KEY, ip=KEY, and so on."
        )
    raise LogFormatError(
        f"The log is in no format known here. It begins: {_shown(head[0].decode('utf-8', 'replace'))!r}. "
        "Give the log_format that the server writes it with, or name one of: " + ", ".join(NAMES[1:]) + "."
    )


def _try_detect(line: bytes) -> str | None:
    if line.startswith((b"#Version:", b"#Fields:")):
        return "cloudfront"
    if line.startswith(b"{"):
        return _try_detect_json(keys_of([line]))
    if _S3.match(line) and S3_LAYOUT.try_read_line(line):
        return "s3"
    return "combined" if COMBINED.try_read_line(line) else None


def _try_detect_json(keys: set[str]) -> str | None:
    if "cs-uri-stem" in keys:
        return "cloudfront_json"
    known = {column for column, names in ALIASES.items() if keys & set(names)}
    return "json" if {"time", "ip", "status"} <= known and known & {"target", "request"} else None


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
