"""nginx's and Apache's `combined` and `common` logs, and what people add behind them."""

import re

import numpy as np

from api.delivery.importing.delimited import EXTRA, Layout
from api.delivery.importing.lines import Fields, Lines
from api.delivery.importing.templates import IN_BRACKETS
from api.delivery.importing.texts import recoded

_RANGE = re.compile(rb"bytes *=", re.IGNORECASE)


_TOKEN = rb'(?:"(?:[^"\\]++|\\.)*+"|[^" ]*+)'
COMBINED = Layout(
    delimiter=" ",
    columns=("ip", "", "", "date", "zone", "request", "status", "bytes", "referrer", "user_agent"),
    required=8,
    has_extras=True,
    checks=IN_BRACKETS,
    # For users whose names have spaces.
    strict=re.compile(
        rb"(?P<ip>[^ ]*+) [^ ]*+ [^\"\[]* \[(?P<date>[^ \]]*+) (?P<zone>[^ \]]*+)\] "
        rb'"(?P<request>(?:[^"\\]++|\\.)*+)" (?P<status>[^ "]*+) (?P<bytes>[^ "]*+)(?P<rest>(?: %b)*+)' % _TOKEN,
        re.DOTALL,
    ),
)


class Combined:
    """Of the columns behind the user agent, the first that begins like a Range header is taken for one."""

    name = "combined"

    def __init__(self, head: list[bytes]) -> None:
        found = filter(None, (COMBINED.try_read_line(line) for line in head if _RANGE.search(line)))
        self.has_ranges = any(
            _RANGE.match(value) for values in found for name, value in values.items() if name.startswith(EXTRA)
        )

    def read(self, lines: Lines) -> Fields:
        """The columns of these lines."""
        return _with_range(COMBINED.read(lines))

    def pass_over(self, lines: Lines) -> None:
        """Nothing is to be remembered."""


def _with_range(fields: Fields) -> Fields:
    extras = [fields.columns.pop(name) for name in list(fields.columns) if name.startswith(EXTRA)]
    codes, values = np.zeros(len(fields.numbers), np.int32), [b""]
    for raw in reversed(extras):
        distinct = raw.distinct()
        is_range = np.array([_RANGE.match(value) is not None for value in distinct], bool)
        codes = np.where(is_range[raw.codes], raw.codes + len(values), codes).astype(np.int32)
        values += distinct
    fields.columns["range"] = recoded(codes, values)
    return fields
