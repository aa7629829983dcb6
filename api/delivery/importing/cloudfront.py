"""CloudFront's standard logs: tabs between the columns that a `#Fields` line names, or the same names in JSON."""

import re
from urllib.parse import unquote_to_bytes

import numpy as np

from api.delivery.importing.delimited import Layout
from api.delivery.importing.lines import Fields, Lines, together
from api.delivery.importing.texts import Raw, encode, recoded, to_raw

NAMES = {
    "date": "date",
    "time": "clock",
    "timestamp(ms)": "time",
    "timestamp": "time",
    "c-ip": "ip",
    "cs-method": "method",
    "cs-uri-stem": "target",
    "x-host-header": "host",
    "cs(Host)": "host",
    "sc-status": "status",
    "sc-bytes": "bytes",
    "cs(User-Agent)": "user_agent",
    "cs(Referer)": "referrer",
    "cs(Range)": "range",
    "sc-range-start": "first_byte",
    "sc-range-end": "last_byte",
    "c-country": "country",
}
"""Field -> column; of two fields for one column the one that stands first here is taken."""
STANDARD = (
    "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) "
    "cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken "
    "x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status "
    "fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len "
    "sc-range-start sc-range-end"
)
"""The fields of a file whose header is lost."""

_DOUBLED = re.compile(rb"%25([0-9A-Fa-f]{2})")
_FIELDS = b"#Fields:"


class CloudFront:
    """Reads lines under the last `#Fields` line before them."""

    name = "cloudfront"

    def __init__(self, head: list[bytes]) -> None:
        self._layout = _layout(STANDARD)
        header = next((line for line in head if line.startswith(_FIELDS)), _FIELDS + STANDARD.encode())
        names = set(_header_fields(header).split())
        self.has_ranges = bool(names & {"cs(Range)", "sc-range-start"})

    def read(self, lines: Lines) -> Fields:
        """The columns of these lines; headers are passed over, and remembered."""
        parts, start = [], 0
        for header in [*lines.starting_with(b"#"), len(lines)]:
            parts.append(self._layout.read(lines.of(np.arange(start, header))))
            start = header + 1
            if header < len(lines) and lines.text(header).startswith(_FIELDS):
                self._layout = _layout(_header_fields(lines.text(header)))
        return finish(together(parts))

    def pass_over(self, lines: Lines) -> None:
        """Remember the headers of lines that are not to be read."""
        for place in lines.starting_with(_FIELDS):
            self._layout = _layout(_header_fields(lines.text(place)))


def _header_fields(line: bytes) -> str:
    return line.removeprefix(_FIELDS).decode("utf-8", "replace")


def _layout(fields: str) -> Layout:
    names = fields.split()
    taken = {column: field for field, column in reversed(NAMES.items()) if field in names}
    if "time" in taken:
        taken.pop("date", None)
        taken.pop("clock", None)
    columns = {field: column for column, field in taken.items()}
    return Layout("\t", tuple(columns.get(name, "") for name in names), len(names), has_quotes=False)


def finish(fields: Fields) -> Fields:
    """Undo CloudFront's percent-encoding, and say in the words of a Range header what was sent."""
    for name, undo in (("user_agent", _decode), ("target", undouble), ("referrer", undouble)):
        if name in fields.columns:
            raw = fields.columns[name]
            fields.columns[name] = recoded(raw.codes, [undo(value) for value in raw.distinct()])
    first, last = fields.columns.pop("first_byte", None), fields.columns.pop("last_byte", None)
    if "range" not in fields.columns and first and last:
        fields.columns["range"] = _range(first, last)
    return fields


def undouble(value: bytes) -> bytes:
    """`%2520` -> `%20`: what was encoded already when it was logged."""
    return _DOUBLED.sub(rb"%\1", value) if b"%25" in value else value


def _decode(value: bytes) -> bytes:
    # User agents of some years are encoded twice.
    return unquote_to_bytes(undouble(value)) if b"%" in value else value


def _range(first: Raw, last: Raw) -> Raw:
    starts, ends = first.distinct(), last.distinct()
    texts = [
        b"bytes=%b-%b" % (starts[start], ends[end]) if starts[start] not in {b"", b"-"} else b""
        for start, end in zip(first.codes.tolist(), last.codes.tolist(), strict=True)
    ]
    return to_raw(encode([text.removesuffix(b"--") + b"-" if text.endswith(b"--") else text for text in texts]))
