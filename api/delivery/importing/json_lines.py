"""Logs with a JSON object in each line, as Cloudflare, Fastly and CloudFront push them."""

from collections.abc import Iterable, Mapping, Sequence
from types import NoneType
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from api.delivery.importing import cloudfront
from api.delivery.importing.blocks import LogFormatError
from api.delivery.importing.lines import Fields, Lines
from api.delivery.importing.texts import Raw, encode, to_raw

NO_JSON = "is no JSON object"
SETTABLE = {
    "time": "time",
    "ip": "ip",
    "request": "request",
    "method": "method",
    "path": "target",
    "host": "host",
    "status": "status",
    "bytes": "bytes",
    "range": "range",
    "user_agent": "user_agent",
    "referrer": "referrer",
    "country": "country",
}
"""What `--field NAME=KEY` calls a column."""
ALIASES: dict[str, tuple[str, ...]] = {
    "time": (
        "EdgeStartTimestamp", "timestamp", "time_start", "@timestamp", "time_iso8601", "msec", "time", "time_local",
    ),
    "ip": ("ClientIP", "client_ip", "remote_addr", "ip"),
    "request": ("request",),
    "method": ("ClientRequestMethod", "request_method", "method"),
    "target": ("ClientRequestURI", "ClientRequestPath", "url", "request_uri", "uri", "path"),
    "host": ("ClientRequestHost", "host", "http_host"),
    "status": ("EdgeResponseStatus", "response_status", "status"),
    "bytes": (
        "EdgeResponseBodyBytes", "EdgeResponseBytes", "response_body_size", "resp_body_size", "body_bytes_sent",
        "bytes_sent", "bytes",
    ),
    "range": ("RequestHeaders.range", "request_range", "range", "http_range"),
    "user_agent": ("ClientRequestUserAgent", "request_user_agent", "user_agent", "http_user_agent"),
    "referrer": ("ClientRequestReferer", "request_referer", "referer", "http_referer"),
    "country": ("ClientCountry", "geo_country_code", "geo_country", "country"),
}  # fmt: skip
"""Column -> the keys it is looked for under; of several that a line has, the first is taken."""

_TOO_MUCH = 1 << 63
"""For an int64."""


def json_lines(head: list[bytes], fields: Mapping[str, str]) -> "JsonLines":
    """NDJSON with any names; `fields` says which key is which column. Raises LogFormatError."""
    return JsonLines("json", ALIASES | _chosen(fields), head)


def cloudfront_json(head: list[bytes], fields: Mapping[str, str]) -> "JsonLines":
    """CloudFront's own names. Raises LogFormatError."""
    keys: dict[str, tuple[str, ...]] = {}
    for key, column in cloudfront.NAMES.items():
        keys[column] = (*keys.get(column, ()), key)
    return JsonLines("cloudfront_json", keys | _chosen(fields), head)


def _chosen(fields: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    if unknown := set(fields) - set(SETTABLE):
        known = ", ".join(SETTABLE)
        raise LogFormatError(f"No field is called {', '.join(sorted(unknown))}; there are {known}.")
    return {SETTABLE[name]: (key,) for name, key in fields.items()}


def keys_of(lines: Iterable[bytes]) -> set[str]:
    """All keys of the objects in these lines, those of objects within with a dot."""
    keys: set[str] = set()
    for line in lines:
        try:
            found = msgspec.json.decode(line, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        for key, value in found.items():
            keys |= {key, *(f"{key}.{inner}" for inner in value)} if isinstance(value, dict) else {key}
    return keys


class JsonLines:
    """Columns by the keys of objects."""

    def __init__(self, name: str, keys: Mapping[str, tuple[str, ...]], head: list[bytes]) -> None:
        self.name = name
        self._keys = keys
        every = [key for names in keys.values() for key in names]
        # A dot may lead into an object, or be a part of the name.
        self._places = {key: place for place, key in enumerate(dict.fromkeys([*every, *map(_outer, every)]))}
        names = {f"field_{place}": key for key, place in self._places.items()}
        line = msgspec.defstruct("Line", [(name, Any, None) for name in names], rename=names, frozen=True)
        self._decoder = msgspec.json.Decoder(line)
        of_range = {*keys.get("range", ()), *keys.get("first_byte", ())}
        self.has_ranges = bool(of_range & keys_of(head))

    def read(self, lines: Lines) -> Fields:
        """The columns of these lines."""
        found: list[tuple[Any, ...]] = []
        refused: list[tuple[int, str]] = []
        is_read = np.ones(len(lines), bool)
        for place, (start, end) in enumerate(zip(lines.starts.tolist(), lines.ends.tolist(), strict=True)):
            try:
                found.append(msgspec.structs.astuple(self._decoder.decode(lines.data[start:end])))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                refused.append((int(lines.numbers[place]), NO_JSON))
                is_read[place] = False
        columns = {name: _encode(values) for name, values in self._columns(found).items()}
        fields = Fields(lines.numbers[is_read], columns, refused)
        return cloudfront.finish(fields) if self.name == "cloudfront_json" else fields

    def pass_over(self, lines: Lines) -> None:
        """Nothing is to be remembered."""

    def _columns(self, found: list[tuple[Any, ...]]) -> dict[str, list[Any]]:
        by_place = list(zip(*found, strict=True))
        columns: dict[str, list[Any]] = {}
        for column, keys in self._keys.items() if found else ():
            for key in keys:
                _fill(columns, column, by_place[self._places[key]])
                if key != _outer(key):
                    inner = key.partition(".")[2]
                    outer = by_place[self._places[_outer(key)]]
                    _fill(columns, column, [value.get(inner) if isinstance(value, dict) else None for value in outer])
        return _without_request(columns)


def _outer(key: str) -> str:
    return key.partition(".")[0]


def _fill(columns: dict[str, list[Any]], name: str, values: Sequence[Any]) -> None:
    """Take these values where there are none yet."""
    if values.count(None) == len(values):
        return
    before = columns.get(name)
    columns[name] = list(values) if before is None else [
        new if old is None else old for old, new in zip(before, values, strict=True)
    ]  # fmt: skip


def _without_request(columns: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """The whole request line fills in for its parts. With Fastly's names it is but the method, beside the parts."""
    requests = columns.pop("request", None)
    if requests is not None:
        parts = [request.partition(" ") if isinstance(request, str) else ("", "", "") for request in requests]
        _fill(columns, "target", [rest.rpartition(" HTTP/")[0] or rest or None for _, _, rest in parts])
        _fill(columns, "method", [method if rest else None for method, _, rest in parts])
    return columns


def _encode(values: list[Any]) -> Raw:
    kinds = set(map(type, values))
    if kinds <= {str, NoneType}:
        texts = pa.array(values, pa.string()).fill_null("").dictionary_encode()
    elif kinds == {int} and max(map(abs, values)) < _TOO_MUCH:
        texts = pa.array(values, pa.int64()).dictionary_encode()
    else:
        return to_raw(encode(map(_bytes, values)))
    return Raw(texts.indices.to_numpy(zero_copy_only=False), texts.dictionary.cast(pa.string()).cast(pa.binary()))


def _bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    return b"" if value is None else str(value).encode()
