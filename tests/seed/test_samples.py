"""The samples in seed/samples."""

import gzip
import re
from collections import Counter
from datetime import datetime
from ipaddress import ip_address, ip_network
from pathlib import Path

from api.publishing.feed_import_reading import read_feed
from seed.samples_maker import FEED, LOG, SAMPLES, write_samples

LINE = re.compile(
    r'([0-9a-f.:]+) - - \[([^\]]+)\] "([A-Z]+) (\S+) HTTP/1\.1" (\d{3}) (\d+) "([^"]*)" "([^"]*)" "([^"]*)"'
)
NOBODYS = [
    ip_network(text) for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "100.64.0.0/10", "2001:db8::/32")
]


def log_lines(folder: Path = SAMPLES) -> list[str]:
    return gzip.decompress((folder / LOG).read_bytes()).decode().splitlines()


def test_making_them_again_makes_the_same(tmp_path: Path) -> None:
    write_samples(tmp_path)
    assert (tmp_path / FEED).read_text() == (SAMPLES / FEED).read_text()
    # Unpacked, since another zlib packs in another way.
    assert log_lines(tmp_path) == log_lines()


def test_the_feed_can_be_imported_whole() -> None:
    feed = read_feed((SAMPLES / FEED).read_bytes())
    assert (len(feed.items), feed.unusable, feed.damage) == (12, [], "")
    assert all(item.audio_bytes and item.duration_ms and item.published_at for item in feed.items)
    assert (feed.category, feed.self_url) == ("Fiction > Comedy Fiction", "https://umbrellas.example/feed.xml")


def test_the_log_is_of_that_feed_and_small() -> None:
    assert (SAMPLES / LOG).stat().st_size < 1_000_000
    lines = log_lines()
    assert 25_000 < len(lines) < 35_000
    found = [match for line in lines if (match := LINE.fullmatch(line))]
    assert 0 < len(lines) - len(found) < 10
    paths = {
        item.url.removeprefix("https://umbrellas.example") for item in read_feed((SAMPLES / FEED).read_bytes()).items
    }
    assert paths < {match[4] for match in found}


def test_its_lines_are_in_order_and_of_nobodys_addresses() -> None:
    found = [match for line in log_lines() if (match := LINE.fullmatch(line))]
    times = [datetime.strptime(match[2], "%d/%b/%Y:%H:%M:%S %z") for match in found]
    assert times == sorted(times)
    addresses = {ip_address(match[1]) for match in found}
    assert [address for address in addresses if not any(address in network for network in NOBODYS)] == []


def test_it_has_all_that_the_rules_are_about() -> None:
    found = [match for line in log_lines() if (match := LINE.fullmatch(line))]
    statuses = Counter(match[5] for match in found)
    assert min(statuses[status] for status in ("200", "206", "304", "404", "416")) > 30
    assert sum(match[3] == "HEAD" for match in found) > 100
    assert sum(match[9] == "bytes=0-1" for match in found) > 500
    assert sum(match[8].startswith("atc/") for match in found) > 50
    assert sum("bot" in match[8].lower() for match in found) > 100
