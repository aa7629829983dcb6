"""Campaigns and the planner, as an advertiser's and an admin's browser get them."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlmodel import Session
from streamlit.testing.v1 import AppTest

from dashboard import forecast_data, pace
from models.advertising import CampaignFrequency, PlacementSplit, ShowReach
from models.counting import EpisodeDay
from models.forecast import Forecast, NotEnough
from models.reach import NOTHING, add
from models.tables import Role, Show, User
from tests.dashboard.advertised import TODAY, Advertised, put_advertiser, put_campaign, put_placement
from tests.dashboard.test_campaign_forms import open_campaign, open_campaigns
from tests.dashboard.test_pages import sign_in, words


@pytest.fixture
def user(dashboard_store: Engine, monkeypatch: pytest.MonkeyPatch) -> User:
    """An advertiser whose browser is signed in."""
    return sign_in(dashboard_store, Role.ADVERTISER, monkeypatch)


@pytest.fixture
def made(dashboard_store: Engine, user: User) -> Advertised:
    """The advertiser's campaign, without a placement."""
    return put_campaign(dashboard_store, put_advertiser(dashboard_store, user), user)


def put_frequency(engine: Engine, made: Advertised, *devices: int) -> None:
    """So many devices that heard the ad once, twice, and so on, the first time yesterday."""
    with Session(engine) as session:
        for frequency, number in enumerate(devices, 1):
            session.add(
                CampaignFrequency(
                    campaign_id=made.campaign.id,
                    first_day=TODAY - timedelta(days=1),
                    frequency=frequency,
                    devices=number,
                )
            )
        session.commit()


def numbers(app: AppTest) -> dict[str, str]:
    """What each card says."""
    return {metric.label: metric.value for metric in app.metric}


def test_a_list_says_how_each_campaign_is_pacing(user: User, made: Advertised, dashboard_store: Engine) -> None:
    put_placement(dashboard_store, made, ago_2=(5000, 4000, 100))
    table = open_campaigns(user).dataframe[0].value
    (row,) = table.to_dict("records")
    # Half of its ten days are over and half of 100 EUR is spent.
    assert (row["name"], row["state"], row["pace"]) == ("Spring teas", "Running", "On pace")
    assert (row["cost"], row["budget"], row["spent"]) == ("€50.00", "€100.00", 50.0)
    assert row["impressions"] == "4,000"


def test_campaigns_of_other_companies_are_not_there(user: User, made: Advertised, dashboard_store: Engine) -> None:
    other = put_campaign(
        dashboard_store, put_advertiser(dashboard_store, None, "Nordlicht"), user, name="Not for Ada"
    )  # fmt: skip
    assert list(open_campaigns(user).dataframe[0].value["name"]) == ["Spring teas"]
    assert [title.value for title in open_campaign(user, other).title] == ["No such campaign"]


def test_an_advertiser_reads_whole_fifties_and_never_a_zero_for_a_few(
    user: User, made: Advertised, dashboard_store: Engine
) -> None:
    placement = put_placement(dashboard_store, made, ago_2=(260, 149, 49), ago_1=(40, 30, 0))
    put_frequency(dashboard_store, made, 120, 49, 3)
    with Session(dashboard_store) as session:
        for app, number in (("AntennaPod", 251), ("Castro", 49)):
            session.add(
                PlacementSplit(
                    placement_id=placement.id, kind="app", day=TODAY - timedelta(days=2), value=app, delivered=number
                )
            )
        session.commit()
    app = open_campaign(user, made)
    assert numbers(app) == {
        "Delivered": "300",
        "Confirmed": "150",
        "Offline share": "\N{EN DASH}",
        "Reach": "150",
        "Spent": "€1.87",
    }
    said = words(app)
    assert "fewer than 50 were heard offline" in said
    assert "150 to 199" in said
    (row,) = app.dataframe[0].value.to_dict("records")
    assert (row["confirmed"], row["offline"]) == ("150", "fewer than 50")


def test_an_admin_reads_what_was_counted(dashboard_store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    admin = sign_in(dashboard_store, Role.ADMIN, monkeypatch)
    made = put_campaign(dashboard_store, put_advertiser(dashboard_store, None), admin)
    put_placement(dashboard_store, made, ago_2=(260, 149, 49), ago_1=(40, 30, 0))
    put_frequency(dashboard_store, made, 120, 49, 3)
    app = open_campaign(admin, made)
    assert numbers(app) == {
        "Delivered": "300",
        "Confirmed": "179",
        "Offline share": "27 %",
        "Reach": "172",
        "Spent": "€2.23",
    }
    assert "exact" in words(app)


def test_a_page_shows_no_ids(user: User, made: Advertised, dashboard_store: Engine) -> None:
    placement = put_placement(dashboard_store, made, ago_2=(260, 149, 49))
    app = open_campaign(user, made)
    shown = words(app) + "".join(table.value.to_string() for table in app.dataframe)
    for row in (placement, made.campaign, made.show, made.episode):
        assert str(row.uuid) not in shown


def open_planner(user: User) -> AppTest:
    """One run of the planner."""

    def script(user) -> None:
        from dashboard.app_pages import planner

        planner.render(user)

    app = AppTest.from_function(script, default_timeout=60, args=(user,)).run()
    assert not app.exception
    return app


def put_reach(engine: Engine, show: Show, devices: range) -> None:
    """These devices listened to the show yesterday."""
    cell = add(NOTHING, devices)
    with Session(engine) as session:
        session.add(ShowReach(show_id=show.id, is_month=False, day=TODAY - timedelta(days=1), **cell._asdict()))
        session.add(
            ShowReach(show_id=show.id, is_month=True, day=(TODAY - timedelta(days=1)).replace(day=1), **cell._asdict())
        )
        session.commit()


def test_a_planner_without_shows_says_so(user: User) -> None:
    assert "There are no shows to plan with yet" in words(open_planner(user))


def test_the_planner_counts_who_hears_both_shows_once(dashboard_store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    admin = sign_in(dashboard_store, Role.ADMIN, monkeypatch)
    advertiser = put_advertiser(dashboard_store, None)
    for name, devices in (("a", range(1000)), ("b", range(700, 1300))):
        put_reach(dashboard_store, put_campaign(dashboard_store, advertiser, admin, name=name).show, devices)
    app = open_planner(admin)
    assert numbers(app)["Together"] == "1,300"
    table = next(str(element.proto.body) for element in app.get("html") if "es-reach" in element.proto.body)
    assert "<b>1,000</b></td><td>exact" in table
    assert list(app.dataframe[0].value["shared"]) == ["300 (exact)"]
    assert "All shows are chosen" in words(app)


def test_an_advertiser_s_planner_hides_few_devices_and_gives_ranges(user: User, dashboard_store: Engine) -> None:
    advertiser = put_advertiser(dashboard_store, user)
    put_reach(dashboard_store, put_campaign(dashboard_store, advertiser, user, name="a").show, range(20_000))
    put_reach(dashboard_store, put_campaign(dashboard_store, advertiser, user, name="b").show, range(30))
    app = open_planner(user)
    said = words(app)
    assert "<b>fewer than 50</b>" in said
    assert "19 times of 20" in said
    assert "(exact)" not in said
    assert "one device of 50" in said


def test_a_show_with_a_past_has_a_forecast_with_its_range(
    user: User, made: Advertised, dashboard_store: Engine
) -> None:
    with Session(dashboard_store) as session:
        for ago in range(75):
            session.add(
                EpisodeDay(
                    episode_id=made.episode.id, day=TODAY - timedelta(days=ago), starts=100, listens=100,
                    offline_listens=0, completions=0, heard_seconds=0,
                )
            )  # fmt: skip
        session.commit()
    app = open_planner(user)
    assert "Not enough history" not in words(app)
    app.get("button_group")[-1].set_value(90).run()
    assert "Not enough history yet" in words(app)


def test_a_forecast_is_told_to_an_advertiser_in_whole_fifties_and_to_an_admin_as_it_is() -> None:
    answers = [
        ("One", Forecast(1234.4, 990.2, 1510.7, 9)),
        ("Two", Forecast(49.0, 20, 70, 9)),
        ("Three", NotEnough("No.")),
    ]
    guarded, open_ = (forecast_data.frame(answers, is_guarded=is_guarded) for is_guarded in (True, False))
    assert guarded.values.tolist() == [
        ["One", 1200, 950, 1550, ""],
        ["Two", 0, 0, 0, "Fewer than 50 are expected; so few are not shown."],
        ["Three", 0, 0, 0, "No."],
    ]
    assert open_.values.tolist()[:2] == [["One", 1234, 990, 1511, ""], ["Two", 49, 20, 70, ""]]


@pytest.mark.parametrize(
    ("spent", "even", "state", "said"),
    [
        (100, 100, "running", "On pace"),
        (91, 100, "running", "On pace"),
        (50, 100, "running", "50 % behind"),
        (150, 100, "running", "50 % ahead"),
        (10**6, 100, "running", "999 % ahead"),
        (0, 0, "running", "First day"),
        (50, 100, "ended", "\N{EN DASH}"),
    ],
)
def test_a_pace_is_said_against_the_even_one(spent: int, even: int, state: str, said: str) -> None:
    assert pace.words(pace.Pace(spent, even, 3), state) == said
