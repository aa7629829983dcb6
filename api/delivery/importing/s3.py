"""S3's server access logs."""

import re
from collections.abc import Callable

from api.delivery.importing.cloudfront import undouble
from api.delivery.importing.delimited import EXTRA, Layout
from api.delivery.importing.lines import Fields, Lines
from api.delivery.importing.templates import IN_BRACKETS
from api.delivery.importing.texts import Raw, recoded

LAYOUT = Layout(
    delimiter=" ",
    columns=(
        "", "", "date", "zone", "ip", "", "", "operation", "key", "", "status", "", "bytes", "", "", "", "referrer",
        "user_agent", "", "", "", "", "", "host",
    ),
    required=18,
    has_extras=True,
    checks=IN_BRACKETS,
)  # fmt: skip
_OBJECT = re.compile(rb"(?:REST|WEBSITE)\.([A-Z]+)\.OBJECT")


class S3:
    """What was asked for is told by operation and key: the address may have the bucket in its path or in its host."""

    name = "s3"
    has_ranges = False

    def read(self, lines: Lines) -> Fields:
        """The columns of these lines."""
        fields = LAYOUT.read(lines)
        operation, key = fields.columns.pop("operation", None), fields.columns.pop("key", None)
        if operation and key:
            fields.columns["method"] = _each(operation, _method)
            fields.columns["target"] = _each(key, _path)
        for name in [name for name in fields.columns if name.startswith(EXTRA)]:
            fields.columns.pop(name)
        return fields

    def pass_over(self, lines: Lines) -> None:
        """Nothing is to be remembered."""


def _each(raw: Raw, of: Callable[[bytes], bytes]) -> Raw:
    return recoded(raw.codes, [of(value) for value in raw.distinct()])


def _method(operation: bytes) -> bytes:
    """GET for REST.GET.OBJECT. REST.GET.ACL is no GET of anything to hear, so it stays what it is."""
    match = _OBJECT.fullmatch(operation)
    return match[1] if match else operation


def _path(key: bytes) -> bytes:
    return b"" if key == b"-" else b"/" + undouble(key)
