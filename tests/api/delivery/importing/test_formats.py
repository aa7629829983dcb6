"""Every format, by lines written by hand."""

import json

import pytest

from api.delivery.importing.blocks import LogFormatError
from api.delivery.importing.formats import Choice
from tests.api.delivery.importing.logs import NGINX, drain, open_in_memory, read, row

AT_MS = 1_795_338_000_000
"""22 November 2026, 09:00 UTC."""
LINE = b'192.0.2.7 - - [22/Nov/2026:10:00:00 +0100] "GET /media/a.mp3?s=1 HTTP/1.1" 206 1234 "-" "Pod/1.0"'
EXPECTED = row(
    at_ms=AT_MS, status=206, sent_bytes=1234, ip="192.0.2.7", method="GET", path="/media/a.mp3", user_agent="Pod/1.0"
)
CLOUDFRONT = """#Version: 1.0
#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) \
cs-uri-query x-host-header sc-range-start sc-range-end
2026-11-22\t09:00:00\tFRA2\t1234\t192.0.2.7\tGET\td1.cloudfront.net\t/media/a.mp3\t206\thttps://p.example/x\t\
Pod/1.0%2520(iPhone;%20en)\ts=1\tAudio.Example\t0\t1
2026-11-22\t09:00:00\tFRA2\t99\t2001:db8::1\tGET\td1.cloudfront.net\t/media/a%2520b.mp3\t000\t-\t-\t-\t-\t-\t-
"""
S3 = (
    "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be audio [22/Nov/2026:09:00:00 +0000] 192.0.2.7 - "
    '3E57427F3EXAMPLE {operation} media/a%2520b.mp3 "GET /audio/media/a%20b.mp3?versionId=1 HTTP/1.1" 206 - 1234 5000 '
    '7 6 "-" "Pod/1.0 (x)" - s9lzHYrFp76= SigV4 ECDHE-RSA AuthHeader audio.s3.example TLSv1.2 - -\n'
)
CLOUDFLARE = {
    "ClientIP": "192.0.2.7",
    "ClientRequestMethod": "GET",
    "ClientRequestURI": "/media/a.mp3?s=1",
    "ClientRequestHost": "audio.example",
    "EdgeResponseStatus": 206,
    "EdgeResponseBytes": 1234,
    "EdgeStartTimestamp": AT_MS * 1_000_000,
    "ClientRequestUserAgent": "Pod/1.0",
    "ClientRequestReferer": "",
    "ClientCountry": "de",
    "RequestHeaders": {"range": "bytes=0-99"},
}
FASTLY = {
    "timestamp": "2026-11-22T09:00:00+0000",
    "client_ip": "192.0.2.7",
    "request_method": "GET",
    "url": "/media/a.mp3?s=1",
    "host": "audio.example",
    "response_status": "206",
    "response_body_size": "1234",
    "request_user_agent": "Pod/1.0",
    "request_referer": None,
    "request_range": "bytes=0-99",
    "geo_country_code": "DE",
}
PUSHED = EXPECTED | {"host": "audio.example", "range": "bytes=0-99", "country": "DE"}


def with_range(range_: bytes) -> bytes:
    return LINE + b' "%b"' % range_


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
@pytest.mark.parametrize("name", ["auto", "combined", "common"])
def test_a_combined_line(name: str, end: bytes) -> None:
    found = read(LINE + end, name)
    assert (found.format, found.has_ranges, found.rows, found.unreadable) == ("combined", False, [EXPECTED], [])


def test_a_common_line_has_no_agent() -> None:
    common = LINE.replace(b' "-" "Pod/1.0"', b"")
    assert read(common).rows == [EXPECTED | {"user_agent": ""}]


def test_a_column_more_is_the_range_when_it_looks_like_one() -> None:
    found = read(b"\n".join([with_range(b"bytes=0-1"), with_range(b"-"), LINE]))
    assert found.has_ranges
    assert [row["range"] for row in found.rows] == ["bytes=0-1", "", ""]

    forwarded = read(LINE + b' "203.0.113.9" 0.003 "bytes=5-"\n' + LINE + b' "-" 0.001 "-"\n')
    assert forwarded.has_ranges
    assert [row["range"] for row in forwarded.rows] == ["bytes=5-", ""]

    assert not read(with_range(b"203.0.113.9")).has_ranges


def test_users_may_have_spaces_in_their_names() -> None:
    spaced = LINE.replace(b"- -", b"- Ada Lovelace")
    assert read(spaced).rows == [EXPECTED]
    # Here its columns are as many as those of its neighbours.
    found = read(b"\n".join([with_range(b"-"), spaced, with_range(b"-")]))
    assert found.rows == [EXPECTED, EXPECTED | {"line": 1}, EXPECTED | {"line": 2}]


ESCAPES = {
    "nginx": (rb"Pod \x22x\x22 \xC3\xA9\x5C", 'Pod "x" é\\'),
    "Apache": (rb"Pod \"x\" \xc3\xa9\\\t", 'Pod "x" é\\\t'),
    "no UTF-8": (b"Pod \xff", "Pod \udcff"),
    "escaped no UTF-8": (rb"Pod \xff", "Pod \udcff"),
    "UTF-8": ("Pod é".encode(), "Pod é"),
}


@pytest.mark.parametrize(("logged", "agent"), ESCAPES.values(), ids=ESCAPES)
def test_escapes_are_undone(logged: bytes, agent: str) -> None:
    assert read(LINE.replace(b"Pod/1.0", logged)).rows == [EXPECTED | {"user_agent": agent}]


def test_texts_other_than_agents_fit_into_postgresql() -> None:
    assert read(LINE.replace(b"a.mp3", rb"a\x00\xff.mp3")).rows[0]["path"] == "/media/a\ufffd\ufffd.mp3"


REQUESTS = {
    "GET /a%20b.mp3#t=1 HTTP/2.0": ("GET", "/a%20b.mp3", ""),
    "HEAD https://Audio.Example:443/a.mp3?x HTTP/1.1": ("HEAD", "/a.mp3", "audio.example"),
    "GET https://audio.example HTTP/1.1": ("GET", "/", "audio.example"),
    "GET /a b.mp3 HTTP/1.1": ("GET", "/a b.mp3", ""),
    "GET /a.mp3": ("GET", "/a.mp3", ""),
    "OPTIONS * HTTP/1.1": ("OPTIONS", "*", ""),
    "-": ("", "", ""),
    "": ("", "", ""),
    r"\x16\x03\x01\x02": ("", "", ""),
    "??? ??? HTTP/1.1": ("", "", ""),
}


@pytest.mark.parametrize(("request_line", "expected"), REQUESTS.items(), ids=REQUESTS)
def test_requests(request_line: str, expected: tuple[str, str, str]) -> None:
    (found,) = read(LINE.replace(b"GET /media/a.mp3?s=1 HTTP/1.1", request_line.encode())).rows
    assert (found["method"], found["path"], found["host"]) == expected


UNREADABLE = {
    "30 February": (b"22/Nov", b"30/Feb", "time"),
    "hour 24": (b":10:00:00", b":24:00:00", "time"),
    "unknown zone": (b"+0100", b"CET", "time"),
    "before 2000": (b"2026", b"1999", "2000"),
    "two days ahead": (b"22/Nov", b"25/Nov", "ahead"),
    "no status": (b" 206 ", b" 2x6 ", "status"),
    "no bytes": (b" 1234 ", b" 0x12 ", "bytes"),
    "minus bytes": (b" 1234 ", b" -4 ", "bytes"),
    "too many bytes": (b" 1234 ", b" 12345678901234567890 ", "bytes"),
    "no address": (b"192.0.2.7", b"-", "address"),
    "too few columns": (b' 206 1234 "-" "Pod/1.0"', b"", "format"),
    "a quotation mark too many": (b'"Pod', b'""Pod', "format"),
    "NUL": (b"Pod", b"P\0d", "NUL"),
    "too long": (b"Pod", b"P" * 65536, "64 KiB"),
}


@pytest.mark.parametrize(("before", "after", "reason"), UNREADABLE.values(), ids=UNREADABLE)
def test_an_unreadable_line_is_told_and_its_neighbours_are_read(before: bytes, after: bytes, reason: str) -> None:
    assert before in LINE
    found = read(b"\n".join([LINE, LINE.replace(before, after), LINE]), "combined")
    assert found.rows == [EXPECTED, EXPECTED | {"line": 2}]
    ((line, why, text),) = found.unreadable
    assert (line, reason in why) == (1, True)
    assert text.startswith(LINE.replace(before, after).decode("utf-8", "replace").replace("\0", "\ufffd")[:30])


def test_what_is_not_told_is_zero_or_empty() -> None:
    hung_up = LINE.replace(b" 206 1234 ", b" 000 - ")
    assert read(hung_up).rows == [EXPECTED | {"status": 0, "sent_bytes": 0}]


TEMPLATES = {
    "nginx": (NGINX, with_range(b"bytes=0-1"), {"range": "bytes=0-1"}),
    "Apache": (
        r"%h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\" \"%{Range}i\"",
        with_range(b"bytes=0-1"),
        {"range": "bytes=0-1"},
    ),
    "tabs and parts": (
        (
            "$msec\t$remote_addr\t$request_method\t$host\t$request_uri\t$status\t$bytes_sent\t$body_bytes_sent\t"
            "$http_user_agent\t$geoip2_data_country_iso_code"
        ),
        b"1795338000.123\t192.0.2.7\tGET\tAudio.example:443\t/media/a.mp3?s=1\t206\t1500\t1234\tPod/1.0\tDE",
        {"at_ms": AT_MS + 123, "host": "audio.example", "country": "DE"},
    ),
    "bars and a local time": (
        '$remote_addr|[$time_local]|"$request"|$status|$body_bytes_sent|"$http_user_agent"',
        b'192.0.2.7|[22/Nov/2026:10:00:00 +0100]|"GET /media/a.mp3 HTTP/1.1"|206|1234|"Pod/1.0"',
        {},
    ),
    "no columns": (
        '${remote_addr} ($time_iso8601): "$request" -> $status, $bytes_sent; "$http_user_agent" rt="$request_time"',
        b'192.0.2.7 (2026-11-22T10:00:00+01:00): "GET /media/a.mp3 HTTP/1.1" -> 206, 1234; "Pod/1.0" rt="0.1"',
        {},
    ),
    "behind a proxy": (
        '$proxy - [$time_local] "$request" $status $body_bytes_sent "$http_user_agent" $http_x_forwarded_for',
        b'10.0.0.1 - [22/Nov/2026:10:00:00 +0100] "GET /media/a.mp3 HTTP/1.1" 206 1234 "Pod/1.0" 1.1.1.1, 8.8.8.8, ::1',
        {"ip": "8.8.8.8"},
    ),
}


@pytest.mark.parametrize(("template", "line", "told"), TEMPLATES.values(), ids=TEMPLATES)
def test_lines_of_a_given_format(template: str, line: bytes, told: dict[str, object]) -> None:
    found = read(line + b"\nelse\n" + line, Choice(template=template))
    assert (found.format, found.has_ranges) == ("log_format", "ange}i" in template or "http_range" in template)
    assert found.rows == [EXPECTED | told, EXPECTED | told | {"line": 2}]
    assert list(found.reasons()) == [1]


BAD_CHOICES = {
    "unknown name": (Choice("clf"), "'clf'"),
    "no template": (Choice("log_format"), "log_format"),
    "two formats": (Choice("json", template="$msec"), "json"),
    "no variables": (Choice(template="combined"), "combined"),
    "no time": (Choice(template='$remote_addr "$request" $status'), "a time"),
    "no method": (Choice(template="$remote_addr $msec $request_uri $status"), "a method"),
    "side by side": (Choice(template='$remote_addr$msec "$request" $status'), "side by side"),
    "unknown column": (Choice("json", fields={"agent": "ua"}), "agent"),
    "fields of no JSON": (Choice("combined", fields={"ip": "addr"}), "JSON"),
}


@pytest.mark.parametrize(("choice", "told"), BAD_CHOICES.values(), ids=BAD_CHOICES)
def test_a_format_that_cannot_be_is_refused(choice: Choice, told: str) -> None:
    with pytest.raises(LogFormatError, match=told):
        read(LINE, choice)


@pytest.mark.parametrize("name", ["auto", "cloudfront"])
def test_cloudfront(name: str) -> None:
    found = read(CLOUDFRONT.encode(), name)
    assert (found.format, found.has_ranges, found.unreadable) == ("cloudfront", True, [])
    first = EXPECTED | {
        "line": 2,
        "host": "audio.example",
        "range": "bytes=0-1",
        "referrer": "https://p.example/x",
        "user_agent": "Pod/1.0 (iPhone; en)",
    }
    second = row(line=3, at_ms=AT_MS, status=0, sent_bytes=99, ip="2001:db8::1", method="GET", path="/media/a%20b.mp3")
    assert found.rows == [first, second | {"host": ""}]


def test_cloudfront_logs_may_be_put_together_and_cut_anywhere() -> None:
    other = "#Version: 1.0\n#Fields: c-ip time date sc-status cs-method cs-uri-stem sc-bytes\n" + "\t".join(
        ["192.0.2.8", "09:00:00", "2026-11-22", "200", "GET", "/b.mp3", "5\n"]
    )
    data = (CLOUDFRONT + other + CLOUDFRONT).encode()
    whole = read(data)
    assert [row["ip"] for row in whole.rows] == ["192.0.2.7", "2001:db8::1", "192.0.2.8", "192.0.2.7", "2001:db8::1"]
    assert whole.unreadable == []
    for size in (1, 100, 500):
        cut = read(data, block_bytes=size)
        assert cut.rows == whole.rows
        for block in cut.blocks:
            reader = open_in_memory(data, Choice(), size)
            assert reader.skip(block.unpacked_bytes, block.digest)
            rest = [row for row in whole.rows if row["line"] >= block.first_line + block.lines]
            assert drain(reader).rows == rest


def test_cloudfront_in_json() -> None:
    told = {
        "date": "2026-11-22",
        "time": "09:00:00",
        "c-ip": "192.0.2.7",
        "cs-method": "GET",
        "cs-uri-stem": "/media/a.mp3",
        "sc-status": "206",
        "sc-bytes": "1234",
        "cs(User-Agent)": "Pod/1.0%20(x)",
        "sc-range-start": "5",
        "sc-range-end": "9",
    }
    found = read(json.dumps(told).encode())
    assert (found.format, found.has_ranges) == ("cloudfront_json", True)
    assert found.rows == [EXPECTED | {"user_agent": "Pod/1.0 (x)", "range": "bytes=5-9"}]


@pytest.mark.parametrize("pushed", [CLOUDFLARE, FASTLY], ids=["Cloudflare", "Fastly"])
def test_json_as_cdns_push_it(pushed: dict[str, object]) -> None:
    found = read(json.dumps(pushed).encode() + b'\n{"torn":\n[]\n' + json.dumps(pushed).encode())
    assert (found.format, found.has_ranges, found.rows) == ("json", True, [PUSHED, PUSHED | {"line": 3}])
    assert list(found.reasons()) == [1, 2]


def test_json_numbers_may_be_texts_or_too_large_or_missing() -> None:
    told = [1234, "1234", None, 1 << 64, -(1 << 64), 1.5, True]
    lines = [json.dumps(CLOUDFLARE | {"EdgeResponseBytes": value}).encode() for value in told]
    found = read(b"\n".join(lines))
    assert [row["sent_bytes"] for row in found.rows] == [1234, 1234, 0]
    assert list(found.reasons()) == [3, 4, 5, 6]
    assert list(read(b"\n".join(lines[3:5])).reasons()) == [0, 1]


TIMES = [
    AT_MS // 1000, AT_MS, AT_MS * 1000, AT_MS * 1_000_000, str(AT_MS // 1000), "2026-11-22T09:00:00Z",
    "2026-11-22T10:00:00.0004+01:00", "22/Nov/2026:10:00:00 +0100",
]  # fmt: skip


@pytest.mark.parametrize("time", TIMES)
def test_json_times(time: object) -> None:
    assert read(json.dumps(CLOUDFLARE | {"EdgeStartTimestamp": time}).encode()).rows == [PUSHED]


@pytest.mark.parametrize("time", ["yesterday", "", None, [1], "2026-11-31T00:00:00Z", "32/Nov/2026:10:00:00 +0100"])
def test_json_without_a_time(time: object) -> None:
    found = read(json.dumps(CLOUDFLARE | {"EdgeStartTimestamp": time}).encode(), "json")
    assert (found.rows, list(found.reasons())) == ([], [0])


def test_json_keys_can_be_named() -> None:
    own = {"when": AT_MS, "who": {"addr": "192.0.2.7"}, "r": "GET /media/a.mp3 HTTP/1.1", "code": 206, "size": 1234}
    with pytest.raises(LogFormatError, match=r"code, r, size.*--field"):
        read(json.dumps(own).encode())
    fields = {"time": "when", "ip": "who.addr", "request": "r", "status": "code", "bytes": "size", "range": "rg"}
    assert read(json.dumps(own).encode(), Choice(fields=fields)).rows == [EXPECTED | {"user_agent": ""}]


def test_s3() -> None:
    lines = [S3.format(operation=operation) for operation in ("REST.GET.OBJECT", "REST.HEAD.OBJECT", "REST.GET.ACL")]
    found = read("".join(lines).encode())
    assert (found.format, found.has_ranges, found.unreadable) == ("s3", False, [])
    assert [row["method"] for row in found.rows] == ["GET", "HEAD", "REST.GET.ACL"]
    assert found.rows[0] == EXPECTED | {
        "path": "/media/a%20b.mp3",
        "host": "audio.s3.example",
        "user_agent": "Pod/1.0 (x)",
    }


def test_what_is_no_log_is_refused_by_what_it_begins_with() -> None:
    with pytest.raises(LogFormatError, match=r"begins: 'ID3 something'.*combined"):
        read(b"\n\nID3 something\nmore\n")


def test_an_empty_file_is_a_log_of_nothing() -> None:
    assert read(b"").blocks == []
    assert read(b"\n\r\n\n").rows == []


def test_a_few_bad_lines_at_the_beginning_do_not_hide_the_format() -> None:
    assert read(b"\xef\xbb\xbfrest of a line\n" + LINE).rows == [EXPECTED | {"line": 1}]
    assert read(b"\xef\xbb\xbf" + LINE).rows == [EXPECTED]
