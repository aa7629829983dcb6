"""`earshot import-feed`."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session
from typer.testing import CliRunner, Result

from api.cli import app
from api.publishing import feed_commands
from models.engine import make_engine
from models.queries import catalogue
from tests.api.publishing.feeds import FEED_URL, feed, item
from tests.elsewhere import document, elsewhere


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation with one creator."""
    monkeypatch.setenv("EARSHOT_HOME", str(tmp_path))
    assert run("users", "add", "ada@example.com", "--role", "creator").exit_code == 0
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def bring(*arguments: str) -> dict[str, Any]:
    """Import a feed that can be."""
    result = run("import-feed", *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def refusal(*arguments: str) -> str:
    """What is said of an import that cannot be."""
    result = run("import-feed", *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    return result.stderr


def titles(home: Path) -> list[str]:
    engine = make_engine(f"sqlite:///{home / 'store.db'}")
    with Session(engine) as session:
        found = [show.title for show in catalogue.list_shows(session, None, limit=10, offset=0)]
    engine.dispose()
    return found


def written(folder: Path, *items: str, **about: str) -> str:
    path = folder / "feed.xml"
    path.write_bytes(feed(*items, **about))
    return str(path)


def test_a_file_is_imported_and_imported_again(home: Path) -> None:
    path = written(home, item(1), item(2, length=None), item(3, url=None))
    found = bring(path)
    assert found.pop("show") | {"id": ""} == {
        "id": "",
        "slug": "the-long-way",
        "title": "The Long Way",
        "feed_url": FEED_URL,
    }
    assert found == {
        "is_new": True,
        "new": 2,
        "updated": 0,
        "unchanged": 0,
        "not_in_feed": 0,
        "unusable": [{"title": "Part 3", "reason": "it has no enclosure with audio"}],
        "without_length": ["Part 2"],
        "without_duration": [],
        "without_date": [],
        "damage": "",
    }
    again = bring(path)
    assert (again["is_new"], again["new"], again["unchanged"]) == (False, 0, 2)


def test_people_are_told_what_to_do_about_episodes_that_cannot_be_counted(home: Path) -> None:
    told = run("import-feed", written(home, item(1, length="1"), item(2, duration=None), item(3, url=None))).output
    assert "New show: The Long Way (the-long-way), https://pods.example.com/feed.xml" in told
    assert "Episodes: 2 new, 0 updated, 0 unchanged." in told
    assert "Left out: Part 3: it has no enclosure with audio." in told
    assert '<enclosure length="...">' in told
    assert "before any log: Part 1." in told
    assert "only a whole file is a download" in told


def test_titles_are_printed_as_they_are(home: Path) -> None:
    assert "[bold]x[/bold]" in run("import-feed", written(home, item(1), title="[bold]x[/bold]")).output


def test_a_feed_is_fetched_from_an_address_that_is_allowed(home: Path) -> None:
    with elsewhere() as site:
        site.answers["/feed.xml"] = document(gzip.compress(feed(item(1))), content_encoding="gzip")
        said = refusal(f"{site.url}/feed.xml")
        assert "not on the public Internet" in said
        assert "--allow-private" in said
        assert (site.asked, titles(home)) == ([], [])
        found = bring(f"{site.url}/feed.xml", "--allow-private")
        assert (found["new"], found["show"]["feed_url"]) == (1, f"{site.url}/feed.xml")


def test_a_password_in_the_address_is_not_kept(home: Path) -> None:
    with elsewhere() as site:
        site.answers["/f"] = document(feed(item(1)))
        found = bring(f"{site.url.replace('//', '//ada:secret@')}/f", "--allow-private")
        assert found["show"]["feed_url"] == f"{site.url}/f"


def test_a_packed_file_is_imported_and_a_bomb_is_not(home: Path) -> None:
    path = home / "feed.xml.gz"
    path.write_bytes(gzip.compress(feed(item(1))))
    assert bring(str(path))["new"] == 1
    path.write_bytes(gzip.compress(b" " * (feed_commands.MAX_FEED_BYTES + 1)))
    assert "more than 20,000,000 bytes" in refusal(str(path))


def test_a_file_that_is_too_large_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(home, item(1))
    monkeypatch.setattr(feed_commands, "MAX_FEED_BYTES", len(feed(item(1))))
    assert bring(path)["new"] == 1
    monkeypatch.setattr(feed_commands, "MAX_FEED_BYTES", len(feed(item(1))) - 1)
    assert "feeds have fewer" in refusal(path)


def test_where_the_feed_is_can_be_given(home: Path) -> None:
    path = written(home, item(1), self_url="")
    assert "--feed-url" in refusal(path)
    assert "no address on the web" in refusal(path, "--feed-url", "pods.example.com")
    assert bring(path, "--feed-url", "https://b.example.com/f")["show"]["feed_url"] == "https://b.example.com/f"


def test_what_is_no_feed_is_refused(home: Path) -> None:
    path = home / "page.html"
    path.write_text("<html><body>Hello</body></html>")
    assert "no podcast feed" in refusal(str(path))
    assert "No such file" in refusal(str(home / "missing.xml"))
    assert "cannot be read" in refusal(str(home))


def test_an_owner_who_is_not_there_is_refused_before_anything_is_fetched(home: Path) -> None:
    assert "earshot users list" in refusal("http://192.0.2.1/", "--owner", "nobody@example.com")


def test_without_users_nothing_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EARSHOT_HOME", str(tmp_path))
    assert "earshot users add" in refusal(written(tmp_path, item(1)))
    assert titles(tmp_path) == []


def test_an_import_that_another_one_overtook_is_done_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = feed_commands.import_feed, []

    def overtaken(*arguments: Any, **named: Any) -> Any:
        calls.append(1)
        report = real(*arguments, **named)
        if len(calls) == 1:
            raise IntegrityError("a slug", {}, ValueError("taken"))
        return report

    monkeypatch.setattr(feed_commands, "import_feed", overtaken)
    assert bring(written(home, item(1)))["new"] == 1
    assert (len(calls), titles(home)) == (2, ["The Long Way"])


def test_an_import_that_is_overtaken_for_ever_says_so(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def overtaken(*_: Any, **__: Any) -> Any:
        raise IntegrityError("a slug", {}, ValueError("taken"))

    monkeypatch.setattr(feed_commands, "import_feed", overtaken)
    assert "Run it again" in refusal(written(home, item(1)))
