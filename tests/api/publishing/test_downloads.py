"""Downloads, consumers and hits over the API, as JSON and as CSV."""

import csv
import io
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlmodel import Session

from api import clock
from models.downloads import CountingRule
from models.tables import Role
from tests.downloaded import Download, put_consumers, put_downloads, put_hits
from tests.factories import make_episode, make_show, make_user

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
TODAY = NOW.date()
YESTERDAY = TODAY - timedelta(days=1)
FORMULA = '=HYPERLINK("http://example.com","Free"), 1'
BYS = ("day", "hour", "episode", "app", "device", "country")


@pytest.fixture(autouse=True)
def at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock stands still."""
    monkeypatch.setattr(clock, "now", lambda: NOW)


class House:
    """A show with two episodes, downloaded, and who may ask for it."""

    def __init__(self, client: TestClient, session: Session) -> None:
        self.client = client
        owner, self.key = make_user(session)
        self.keys = {"owner": self.key, "other": make_user(session)[1]}
        self.keys |= {role: make_user(session, role)[1] for role in (Role.ADMIN, Role.ADVERTISER)}
        show = make_show(session, owner, slug="quiet-hour")
        episodes = [make_episode(session, show, published_at=NOW - timedelta(days=days)) for days in (40, 10)]
        episodes[1].title = FORMULA
        session.commit()
        for number, episode in enumerate(episodes):
            at = [NOW - timedelta(hours=hours) for hours in range(6, 9 * 24, 5 + 20 * number)]
            put_downloads(session, episode, (self.download(moment) for moment in at))
            put_hits(session, episode, YESTERDAY, "bot", 7)
        put_hits(session, episodes[0], YESTERDAY, "duplicate", 30)
        # The numbers change on 8 March 2026, so that 30 days up to now are counted by the earlier ones.
        for days_ago in range(3):
            people = [1, 2, 10 + days_ago]
            put_consumers(session, show.id, TODAY - timedelta(days=days_ago), people, earlier=people)
        put_consumers(session, show.id, TODAY, [1], earlier=[1], episode_id=episodes[0].id)
        self.show, self.episodes = show.uuid, [episode.uuid for episode in episodes]

    @staticmethod
    def download(at: datetime) -> Download:
        """With something unknown, now and then."""
        unknown = at.hour % 3 == 0
        return Download(at, "" if unknown else "Overcast", "" if at.hour % 4 == 0 else "phone", "" if unknown else "DE")

    def ask(self, path: str, who: str = "owner", headers: dict[str, str] | None = None, **query: object):
        """The answer to one request, below the show unless the path begins with a slash."""
        path = path if path.startswith("/") else f"/v1/shows/{self.show}/{path}"
        sent = {"Authorization": f"Bearer {self.keys[who]}", **(headers or {})}
        return self.client.get(path, params=query, headers=sent)


@pytest.fixture
def house(client: TestClient, engine: Engine) -> House:
    """The catalogue and its counts."""
    with Session(engine) as session:
        return House(client, session)


def table(answer) -> list[dict[str, str]]:
    """The rows of a CSV answer."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def test_whatever_a_row_stands_for_the_sum_is_the_same(house: House) -> None:
    sums = {}
    for by in BYS:
        body = house.ask("downloads", by=by).json()
        sums[by] = sum(row["downloads"] for row in body["rows"])
        assert body["downloads"] == sums[by]
    assert set(sums.values()) == {51}
    hits = house.ask("hits").json()
    assert hits["downloads"] == 51


def test_rows_say_what_they_stand_for(house: House) -> None:
    rows = {by: house.ask("downloads", by=by).json()["rows"] for by in BYS}
    assert (rows["day"][0]["day"], rows["day"][-1]["day"], len(rows["day"])) == ("2026-03-02", "2026-03-31", 30)
    assert rows["hour"][-1] == {"hour": "2026-03-31T06:00:00Z", "downloads": 2}
    assert [row["episode_id"] for row in rows["episode"]] == [str(uuid) for uuid in house.episodes]
    assert rows["episode"][1]["title"] == FORMULA
    assert {row["app"] for row in rows["app"]} == {"Overcast", None}
    assert {row["device"] for row in rows["device"]} == {"phone", None}
    assert {row["country"] for row in rows["country"]} == {"DE", None}


def test_episodes_have_the_same_answers_for_themselves(house: House) -> None:
    by_episode = house.ask("downloads", by="episode").json()["rows"]
    for row in by_episode:
        for by in set(BYS) - {"episode"}:
            assert (
                house.ask(f"/v1/episodes/{row['episode_id']}/downloads", by=by).json()["downloads"] == row["downloads"]
            )


def test_every_answer_states_its_rules(house: House, engine: Engine) -> None:
    with Session(engine) as session:
        session.add_all(
            [CountingRule(name="download_window", value="first_touch"), CountingRule(name="excess_cap", value="50")]
        )
        session.commit()
    stated = {
        "guidelines": "IAB Podcast Technical Measurement Guidelines v2.3",
        "window": "first_touch",
        "excess_cap": 50,
    }
    for path in ("downloads", "downloads/consumers", "downloads/first-days", "hits"):
        assert house.ask(path).json()["counting"] == stated
        assert "; window=first_touch; excess-cap=50" in house.ask(path, format="csv").headers["earshot-counting"]


def test_a_store_that_counted_nothing_has_the_defaults(house: House) -> None:
    counting = house.ask("downloads").json()["counting"]
    assert (counting["window"], counting["excess_cap"]) == ("calendar", 1000)


def test_hits_are_downloads_and_causes(house: House) -> None:
    body = house.ask("hits").json()
    assert {row["outcome"]: row["hits"] for row in body["rows"]} == {"download": 51, "duplicate": 30, "bot": 14}
    assert body["hits"] == sum(row["hits"] for row in body["rows"]) == 95
    assert sum(row["share"] for row in body["rows"]) == pytest.approx(1, abs=0.001)
    of_one = house.ask(f"/v1/episodes/{house.episodes[1]}/hits").json()
    assert {row["outcome"] for row in of_one["rows"]} == {"download", "bot"}
    assert house.ask("hits", **{"from": "2025-01-01", "to": "2025-01-02"}).json()["rows"] == []


def test_consumers_are_told_with_their_range(house: House) -> None:
    period = {"from": str(YESTERDAY), "to": str(TODAY)}
    body = house.ask("downloads/consumers", **period).json()
    assert body["relative_standard_error"] == 0.0156
    exact = {"low": 5, "high": 5, "is_exact": True}
    assert body["rows"][-2:] == [{"day": "2026-03-31", "days": days, "consumers": 5, **exact} for days in (7, 30)]
    assert [(row["days"], row["consumers"]) for row in body["rows"][:3]] == [(1, 3), (7, 4), (30, 4)]
    of_one = house.ask(f"/v1/episodes/{house.episodes[0]}/downloads/consumers", **period).json()["rows"]
    assert [row["consumers"] for row in of_one] == [0, 0, 0, 1, 1, 1]


def test_consumers_of_days_that_have_not_begun_are_not_told(house: House) -> None:
    rows = house.ask("downloads/consumers", **{"from": "2026-03-31", "to": "2026-04-09"}).json()["rows"]
    assert {row["day"] for row in rows} == {"2026-03-31"}


def test_first_days_are_null_while_an_episode_is_too_young(house: House) -> None:
    newest, older = house.ask("downloads/first-days").json()["rows"]
    assert newest["episode_id"] == str(house.episodes[1])
    assert newest["first_7_days"] > 0
    assert (newest["first_30_days"], newest["first_90_days"]) == (None, None)
    assert (older["first_7_days"], older["first_90_days"]) == (0, None)


# -- CSV -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["downloads", "downloads/consumers", "downloads/first-days", "hits"])
def test_csv_has_the_rows_of_the_json(house: House, path: str) -> None:
    rows = house.ask(path).json()["rows"]
    answer = house.ask(path, format="csv")
    found = table(answer)
    texts = [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]
    plain = [{name: value.removeprefix("'") for name, value in row.items()} for row in found]
    assert plain == texts
    assert answer.headers["content-disposition"].startswith("attachment; filename=")


def test_a_csv_without_rows_has_its_header(house: House) -> None:
    answer = house.ask("downloads", by="app", format="csv", **{"from": "2025-01-01", "to": "2025-01-02"})
    assert answer.text == "app,downloads\r\n"


@pytest.mark.parametrize("title", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1+1", "\N{FULLWIDTH EQUALS SIGN}1"])
def test_no_title_is_run_as_a_formula(house: House, engine: Engine, title: str) -> None:
    with Session(engine) as session:
        show = make_show(session, None)
        owner_key = make_user(session, Role.ADMIN)[1]
        episode = make_episode(session, show)
        episode.title = title
        put_downloads(session, episode, [Download(NOW)])
        house.keys["reader"], path = owner_key, f"/v1/shows/{show.uuid}/downloads"
    (row,) = table(house.ask(path, "reader", by="episode", format="csv"))
    assert row["title"] == f"'{title}"


def test_titles_with_commas_quotes_and_lines_are_one_cell(house: House) -> None:
    rows = table(house.ask("downloads", by="episode", format="csv"))
    assert [row["title"] for row in rows] == ["Night Trains", f"'{FORMULA}"]


@pytest.mark.parametrize(
    ("accept", "is_csv"),
    [
        ("text/csv", True),
        ("text/csv, application/json;q=0.5", True),
        ("application/json, text/csv;q=0.9", False),
        ("*/*", False),
        ("*/*, text/csv;q=0.5", False),
        ("text/html,*/*;q=0.8", False),
        ("text/csv;q=oops", False),
    ],
)
def test_the_accept_header_chooses(house: House, accept: str, is_csv: bool) -> None:
    answer = house.ask("downloads", headers={"Accept": accept})
    assert answer.headers["content-type"].startswith("text/csv" if is_csv else "application/json")
    assert answer.headers["vary"] == "Accept"


def test_the_format_goes_before_the_header(house: House) -> None:
    answer = house.ask("downloads", headers={"Accept": "text/csv"}, format="json")
    assert answer.headers["content-type"] == "application/json"


# -- who, and what makes no sense ----------------------------------------------------------------------------------


def paths(house: House) -> list[str]:
    """Every address of this page."""
    below_show = [f"/v1/shows/{house.show}/{name}" for name in ("downloads", "hits")]
    below_show += [f"/v1/shows/{house.show}/downloads/{name}" for name in ("consumers", "first-days")]
    below_episode = [
        f"/v1/episodes/{house.episodes[0]}/{name}" for name in ("downloads", "downloads/consumers", "hits")
    ]
    return [*below_show, *below_episode]


def test_owner_and_admin_read_and_nobody_else(house: House) -> None:
    for path in paths(house):
        assert house.ask(path).json() == house.ask(path, Role.ADMIN).json()
        assert house.ask(path, "other").status_code == 404
        assert house.ask(path, Role.ADVERTISER).status_code == 403
        assert house.client.get(path).status_code == 401


def test_an_unknown_show_or_episode_is_not_found(house: House) -> None:
    assert house.ask(f"/v1/shows/{uuid4()}/downloads").status_code == 404
    assert house.ask(f"/v1/episodes/{uuid4()}/downloads").status_code == 404


@pytest.mark.parametrize(
    ("path", "query", "says"),
    [
        ("downloads", {"by": "week"}, "by"),
        ("downloads", {"format": "xml"}, "format"),
        ("downloads", {"from": "2026-03-02", "to": "2026-03-01"}, "Swap them"),
        ("downloads", {"by": "hour", "from": "2025-01-01", "to": "2026-03-01"}, "at most 93 days"),
        ("downloads/consumers", {"from": "2025-01-01", "to": "2026-03-01"}, "at most 93 days"),
        ("hits", {"from": "1990-01-01", "to": "2026-03-01"}, "shorter span"),
    ],
)
def test_nonsense_is_refused_with_what_to_do(house: House, path: str, query: dict[str, str], says: str) -> None:
    answer = house.ask(path, **query)
    assert answer.status_code == 422
    assert says in answer.json()["message"]


def test_an_episode_is_not_cut_by_episodes(house: House) -> None:
    assert house.ask(f"/v1/episodes/{house.episodes[0]}/downloads", by="episode").status_code == 422


def test_the_reference_describes_the_routes(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    found = [path for path in paths if path.endswith(("downloads", "consumers", "first-days", "hits"))]
    assert len(found) == 7
    for path in found:
        route = paths[path]["get"]
        assert set(route["responses"]) == {"200", "401", "403", "404", "422"}
        assert set(route["responses"]["200"]["content"]) == {"application/json", "text/csv"}
        assert all(parameter["description"] for parameter in route["parameters"])
