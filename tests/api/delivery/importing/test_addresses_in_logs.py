"""Whatever a server writes beside an address, one listener is one listener."""

from pathlib import Path

import pytest

from api.delivery.importing.formats import Choice
from api.delivery.importing.reader import open_log

LINE = '{} - - [01/Nov/2026:10:00:00 +0000] "GET /1.mp3 HTTP/1.1" 200 5 "-" "App"\n'
FORWARDED = '$http_x_forwarded_for - [$time_local] "$request" $status $body_bytes_sent "$http_user_agent"'
FORWARDED_LINE = '{} - [01/Nov/2026:10:00:00 +0000] "GET /1.mp3 HTTP/1.1" 200 5 "App"\n'


def addresses(path: Path, choice: Choice = Choice()) -> set[str]:  # noqa: B008 - it is frozen
    """All addresses of a log."""
    with open_log(str(path), choice) as log:
        return {value for block in log for value in block.rows.ip.values}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (["203.0.113.9:50001", "203.0.113.9:50002", "203.0.113.9"], {"203.0.113.9"}),
        (["[2001:db8::1]:50001", "[2001:db8::1]", "2001:db8::1"], {"2001:db8::1"}),
        (["::ffff:203.0.113.9", "203.0.113.9"], {"203.0.113.9"}),
    ],
    ids=["a port", "brackets", "IPv4 as IPv6"],
)
def test_ports_and_brackets_are_no_part_of_an_address(tmp_path: Path, written: list[str], meant: set[str]) -> None:
    log = tmp_path / "access.log"
    log.write_text("".join(LINE.format(address) for address in written))
    assert addresses(log) == meant


def test_a_forwarded_address_with_a_port_goes_before_the_proxys(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text(FORWARDED_LINE.format("8.8.8.8:5000,10.0.0.1"))
    assert addresses(log, Choice("log_format", FORWARDED)) == {"8.8.8.8"}
