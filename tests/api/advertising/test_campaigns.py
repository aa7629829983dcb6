"""Advertisers, campaigns and creatives over HTTP."""

from typing import Any
from uuid import uuid4

import pytest
from sqlmodel import Session, select

from models.payouts import AuditEntry
from tests.api.advertising.conftest import Market, day


def refusal(answer: Any) -> tuple[int, str]:
    """Status and code."""
    return answer.status_code, answer.json()["error"]


# -- advertisers -----------------------------------------------------------------------------------------------------


def test_an_admin_makes_advertisers_and_says_who_belongs_to_them(market: Market) -> None:
    made = market.made("admin", "/v1/advertisers", {"name": " Tiny   Ships "})
    assert (made["name"], made["members"]) == ("Tiny Ships", [])
    members = f"/v1/advertisers/{made['id']}/members"
    for _ in range(2):
        joined = market.call("admin", "PUT", f"{members}/{market.emails['mine'].upper()}").json()
        assert joined["members"] == [market.emails["mine"]]
    assert market.call("mine", "GET", f"/v1/advertisers/{made['id']}").json() == joined
    renamed = market.call("admin", "PATCH", f"/v1/advertisers/{made['id']}", {"name": "Small Ships"}).json()
    assert renamed == {**joined, "name": "Small Ships"}
    for _ in range(2):
        assert market.call("admin", "DELETE", f"{members}/{market.emails['mine']}").status_code == 204
    assert market.call("mine", "GET", f"/v1/advertisers/{made['id']}").status_code == 404


def test_only_advertisers_belong_to_an_advertiser(market: Market) -> None:
    members = f"/v1/advertisers/{market.advertisers['mine']}/members"
    answer = market.call("admin", "PUT", f"{members}/{market.emails['owner']}")
    assert refusal(answer) == (409, "not_an_advertiser")
    assert "--role advertiser" in answer.json()["message"]
    assert market.call("admin", "PUT", f"{members}/nobody@example.com").status_code == 404


def test_an_advertiser_s_name_is_given_once(market: Market) -> None:
    assert refusal(market.call("admin", "POST", "/v1/advertisers", {"name": "Quiet Teas"})) == (409, "name_taken")
    path = f"/v1/advertisers/{market.advertisers['mine']}"
    assert refusal(market.call("admin", "PATCH", path, {"name": "Loud Kettles"})) == (409, "name_taken")
    assert market.call("admin", "PATCH", path, {"name": "Quiet Teas"}).status_code == 200


def test_each_sees_her_own_advertisers_and_an_admin_all(market: Market) -> None:
    def seen(who: str) -> list[str]:
        return [item["name"] for item in market.call(who, "GET", "/v1/advertisers").json()["items"]]

    assert (seen("mine"), seen("rival")) == (["Quiet Teas"], ["Loud Kettles"])
    assert seen("admin") == ["Loud Kettles", "Quiet Teas"]
    assert market.call("owner", "GET", "/v1/advertisers").status_code == 403
    path = f"/v1/advertisers/{market.advertisers['mine']}"
    for method, at in (("POST", "/v1/advertisers"), ("PATCH", path), ("PUT", f"{path}/members/a@example.com")):
        assert market.call("mine", method, at, {"name": "Mine"}).status_code == 403


# -- campaigns -------------------------------------------------------------------------------------------------------


def test_a_campaign_reads_as_it_was_made(market: Market) -> None:
    terms = market.terms(billing="delivered", confirm_percent=25, impression_cap=40_000, daily_cap=900)
    made = market.made("mine", "/v1/campaigns", terms)
    assert {name: made[name] for name in terms} == terms
    assert (made["advertiser"], made["state"], made["most_impressions"]) == ("Quiet Teas", "running", 40_000)
    assert market.call("mine", "GET", f"/v1/campaigns/{made['id']}").json() == made
    assert market.call("mine", "GET", "/v1/campaigns").json() == {"items": [made], "total": 1}


def test_usual_terms_need_not_be_sent(market: Market) -> None:
    made = market.campaign(price_cents=3000, budget_cents=1000)
    assert (made["billing"], made["confirm_percent"], made["impression_cap"]) == ("confirmed", 50, None)
    assert made["most_impressions"] == 333


@pytest.mark.parametrize(("first", "last", "state"), [(1, 5, "upcoming"), (0, 0, "running"), (-9, 0, "running")])
def test_a_campaign_says_where_it_is(market: Market, first: int, last: int, state: str) -> None:
    assert market.campaign(from_day=day(first), to_day=day(last))["state"] == state


BAD_FIELDS: dict[str, tuple[dict[str, Any], str, str]] = {
    "a price with a fraction": ({"price_cents": 12.5}, "body.price_cents", "1250 for 12.50"),
    "a whole price as a float": ({"price_cents": 1250.0}, "body.price_cents", "1250 for 12.50"),
    "a price as text": ({"price_cents": "1250"}, "body.price_cents", "1250 for 12.50"),
    "a price of true": ({"price_cents": True}, "body.price_cents", "1250 for 12.50"),
    "a price of nothing": ({"price_cents": 0}, "body.price_cents", "greater than or equal to 1"),
    "a negative budget": ({"budget_cents": -1}, "body.budget_cents", "greater than or equal to 1"),
    "a budget that could not be added up": ({"budget_cents": 922_337_203_686}, "body.budget_cents", "less than"),
    "a cap beyond what JSON keeps": ({"impression_cap": 9_007_199_254_741_000}, "body.impression_cap", "less than"),
    "a cap of nothing": ({"daily_cap": 0}, "body.daily_cap", "greater than or equal to 1"),
    "a cap that would count single people": ({"daily_cap": 49}, "body.daily_cap", "multiple of 50"),
    "a currency that is none": ({"currency": "EUX"}, "body.currency", "ISO 4217"),
    "a currency of the past": ({"currency": "DEM"}, "body.currency", "in use"),
    "a currency in small letters": ({"currency": "eur"}, "body.currency", "capital"),
    "a share that is not offered": ({"confirm_percent": 30}, "body.confirm_percent", "0, 25, 50, 75, 100"),
    "a billing that is not offered": ({"billing": "clicks"}, "body.billing", "delivered"),
    "a day as a number": ({"from_day": 20_000}, "body.from_day", "2026-11-30"),
    "a day that is none": ({"to_day": "2026-02-30"}, "body.to_day", "date"),
    "a day of another age": ({"to_day": "9999-12-31"}, "body.to_day", "2200"),
    "no name": ({"name": "  "}, "body.name", "printable"),
    "a misspelt field": ({"budget": 5}, "body.budget", "not permitted"),
}


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("fields", "culprit", "says"), BAD_FIELDS.values(), ids=BAD_FIELDS)
def test_it_refuses_and_names_the_field(market: Market, fields: dict[str, Any], culprit: str, says: str) -> None:
    answer = market.call("mine", "POST", "/v1/campaigns", market.terms(**fields))
    assert answer.status_code == 422
    assert [detail["field"] for detail in answer.json()["details"]] == [culprit]
    assert says in answer.json()["message"]
    assert market.call("mine", "GET", "/v1/campaigns").json()["total"] == 0


def test_the_largest_budget_is_taken(market: Market) -> None:
    assert market.campaign(budget_cents=922_337_203_685, price_cents=1)["most_impressions"] == 922_337_203_685_000


@pytest.mark.parametrize(
    ("fields", "code", "says"),
    [
        ({"from_day": day(5), "to_day": day(4)}, "bad_days", "Swap them"),
        ({"from_day": day(-9), "to_day": day(-1)}, "bad_days", "is over already"),
        ({"from_day": day(0), "to_day": day(1100)}, "bad_days", "several campaigns"),
        ({"budget_cents": 50, "price_cents": 1001}, "budget_too_small", "Send a budget_cents of at least 51"),
    ],
)
def test_terms_that_make_no_sense_are_refused(market: Market, fields: dict[str, Any], code: str, says: str) -> None:
    answer = market.call("mine", "POST", "/v1/campaigns", market.terms(**fields))
    assert refusal(answer) == (422, code)
    assert says in answer.json()["message"]


def test_a_campaign_s_name_is_given_once_by_each_advertiser(market: Market) -> None:
    first, second = market.campaign(name="Spring"), market.campaign(name="Autumn")
    assert refusal(market.call("mine", "POST", "/v1/campaigns", market.terms(name="Spring"))) == (409, "name_taken")
    path = f"/v1/campaigns/{second['id']}"
    assert refusal(market.call("mine", "PATCH", path, {"name": "Spring"})) == (409, "name_taken")
    assert market.campaign("rival", name="Spring")["id"] != first["id"]


def test_a_change_sets_what_is_sent_and_keeps_the_rest(market: Market) -> None:
    made = market.campaign(daily_cap=50, impression_cap=100)
    path = f"/v1/campaigns/{made['id']}"
    changed = market.call("mine", "PATCH", path, {"budget_cents": 150, "daily_cap": None, "name": None}).json()
    expected = {"budget_cents": 150, "daily_cap": None, "most_impressions": 75, "updated_at": changed["updated_at"]}
    assert changed == {**made, **expected}
    assert changed["updated_at"] > made["updated_at"]
    assert market.call("mine", "PATCH", path, {"budget_cents": 150}).json() == changed
    assert refusal(market.call("mine", "PATCH", path, {"price_cents": 100_000})) == (422, "budget_too_small")
    assert market.call("mine", "GET", path).json() == changed


TERMS = [{"price_cents": 1}, {"currency": "USD"}, {"billing": "delivered"}, {"confirm_percent": 75}]


@pytest.mark.parametrize("change", TERMS)
def test_terms_stand_once_impressions_may_be_counted(market: Market, change: dict[str, Any]) -> None:
    campaign = market.campaign()
    market.placement(campaign, from_day=day(1))
    path = f"/v1/campaigns/{campaign['id']}"
    assert market.call("mine", "PATCH", path, change).status_code == 200
    market.placement(campaign, start_ms=0, end_ms=1000)
    back = {name: campaign[name] for name in change}
    answer = market.call("mine", "PATCH", path, back)
    assert refusal(answer) == (409, "fixed")
    assert f"counted by it since {day(0)}" in answer.json()["message"]
    assert market.call("mine", "PATCH", path, {"name": "Other", "budget_cents": 9999}).status_code == 200


@pytest.mark.parametrize("change", TERMS)
@pytest.mark.parametrize("state", ["draft", "void"])
def test_terms_stand_once_a_statement_was_made_by_them(market: Market, change: dict[str, Any], state: str) -> None:
    campaign = market.campaign()
    market.settle(campaign, -1, 10, 20, state)
    answer = market.call("mine", "PATCH", f"/v1/campaigns/{campaign['id']}", change)
    assert refusal(answer) == (409, "fixed")
    assert "a statement has settled" in answer.json()["message"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"budget_cents": 399}, "Up to 200 impressions are billed already. Send a budget_cents of at least 400"),
        ({"impression_cap": 150}, "an impression_cap of at least 200, or null"),
        ({"daily_cap": 100}, "Up to 150 impressions of a day are billed already"),
    ],
)
def test_budget_and_caps_never_fall_below_what_is_billed(market: Market, change: dict[str, int], says: str) -> None:
    campaign = market.campaign()
    ad = market.placement(campaign)
    market.settle(campaign, -1, 75, 150)
    market.count(ad, -1, confirmed=75)
    market.count(ad, -2, confirmed=101)
    market.settle(campaign, -3, 500, 1000, "void")
    path = f"/v1/campaigns/{campaign['id']}"
    answer = market.call("mine", "PATCH", path, change)
    assert refusal(answer) == (409, "below_heard")
    assert says in answer.json()["message"]
    enough = {"budget_cents": 400, "impression_cap": 200, "daily_cap": 150}
    assert market.call("mine", "PATCH", path, {name: enough[name] for name in change}).status_code == 200


def test_a_budget_may_always_be_raised(market: Market) -> None:
    campaign = market.campaign(budget_cents=150)
    market.count(market.placement(campaign), -1, confirmed=75)
    path = f"/v1/campaigns/{campaign['id']}"
    assert market.call("mine", "PATCH", path, {"budget_cents": 152}).status_code == 200
    assert refusal(market.call("mine", "PATCH", path, {"budget_cents": 150})) == (409, "below_heard")


@pytest.mark.parametrize("change", [{"from_day": day(2)}, {"to_day": day(9)}])
def test_a_campaign_s_days_hold_its_placements(market: Market, change: dict[str, Any]) -> None:
    campaign = market.campaign()
    placement = market.placement(campaign, from_day=day(1))
    path = f"/v1/campaigns/{campaign['id']}"
    answer = market.call("mine", "PATCH", path, change)
    assert refusal(answer) == (422, "outside_campaign")
    assert f"{day(1)} to {day(10)}" in answer.json()["message"]
    market.call("mine", "DELETE", f"/v1/placements/{placement['id']}")
    assert market.call("mine", "PATCH", path, change).status_code == 200


def test_days_on_which_something_may_have_been_heard_stay(market: Market) -> None:
    campaign = market.campaign()
    placement = market.placement(campaign)
    path = f"/v1/campaigns/{campaign['id']}"
    market.call("mine", "DELETE", f"/v1/placements/{placement['id']}")
    for change in ({"to_day": day(-1)}, {"from_day": day(1)}):
        assert refusal(market.call("mine", "PATCH", path, change)) == (422, "outside_campaign")
    assert market.call("mine", "PATCH", path, {"to_day": day(0)}).status_code == 200


# -- creatives -------------------------------------------------------------------------------------------------------


def test_creatives_belong_to_a_campaign(market: Market) -> None:
    campaign, other = market.campaign(), market.campaign()
    path = f"/v1/campaigns/{campaign['id']}/creatives"
    first = market.made("mine", path, {"name": "Calm", "click_url": "https://teas.example.com/?from=earshot"})
    second = market.made("mine", path, {"name": "Storm"})
    assert (first["click_url"], second["click_url"]) == ("https://teas.example.com/?from=earshot", "")
    assert market.call("mine", "GET", path).json() == {"items": [first, second], "total": 2}
    assert refusal(market.call("mine", "POST", path, {"name": "Calm"})) == (409, "name_taken")
    assert market.made("mine", f"/v1/campaigns/{other['id']}/creatives", {"name": "Calm"})["id"] != first["id"]
    spot = market.placement(campaign, creative_id=first["id"])
    assert (spot["creative"], spot["creative_id"]) == ("Calm", first["id"])
    assert market.place(other, creative_id=first["id"]).status_code == 404


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "url", ["teas.example.com", "ftp://a.example.com/", "javascript:alert(1)", "https://", "http://a b/"]
)
def test_a_click_leads_to_a_web_address(market: Market, url: str) -> None:
    path = f"/v1/campaigns/{market.campaign()['id']}/creatives"
    answer = market.call("mine", "POST", path, {"name": "Calm", "click_url": url})
    assert (answer.status_code, answer.json()["details"][0]["field"]) == (422, "body.click_url")


# -- who may, and how often ------------------------------------------------------------------------------------------


def test_somebody_else_s_campaign_is_not_there(market: Market) -> None:
    campaign = market.campaign()
    path = f"/v1/campaigns/{campaign['id']}"
    asked = [("GET", "", None), ("PATCH", "", {"name": "Mine"}), ("GET", "/creatives", None)]
    asked += [
        ("POST", "/creatives", {"name": "Calm"}),
        ("GET", "/placements", None),
        ("POST", "/placements", market.spot()),
    ]
    for method, at, body in asked:
        theirs = market.call("rival", method, path + at, body)
        nobodys = market.call("rival", method, f"/v1/campaigns/{uuid4()}{at}", body)
        assert theirs.status_code == 404, (method, at)
        assert theirs.json() == nobodys.json()
        assert market.call("owner", method, path + at, body).status_code == 403
        assert market.call("nobody", method, path + at, body).status_code == 401
        assert market.call("admin", method, path + at, body).status_code in {200, 201}
    assert market.call("rival", "GET", "/v1/campaigns").json()["total"] == 0
    assert market.call("rival", "POST", "/v1/campaigns", market.terms("mine")).status_code == 404
    assert market.call("owner", "POST", "/v1/campaigns", market.terms("mine")).status_code == 403
    found = market.call("admin", "GET", f"/v1/campaigns?advertiser={market.advertisers['mine']}").json()
    assert [item["id"] for item in found["items"]] == [campaign["id"]]
    assert market.call("admin", "GET", f"/v1/campaigns?advertiser={market.advertisers['rival']}").json()["total"] == 0


def test_a_call_that_is_sent_twice_is_done_once(market: Market) -> None:
    headers = {"Authorization": f"Bearer {market.keys['mine']}", "Idempotency-Key": "spring"}
    body = market.terms(name="Spring")
    first, second = (market.client.post("/v1/campaigns", headers=headers, json=body) for _ in range(2))
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    assert market.call("mine", "GET", "/v1/campaigns").json()["total"] == 1
    del headers["Idempotency-Key"]
    assert refusal(market.client.post("/v1/campaigns", headers=headers, json=body)) == (400, "idempotency_key_missing")


def test_every_change_is_in_the_audit_trail(market: Market) -> None:
    campaign = market.campaign()
    path = f"/v1/campaigns/{campaign['id']}"
    market.call("mine", "PATCH", path, {"budget_cents": 200_000})
    market.call("mine", "PATCH", path, {"budget_cents": 200_000})
    market.made("mine", f"{path}/creatives", {"name": "Calm"})
    placement = market.placement(campaign, from_day=day(1))
    market.call("mine", "PATCH", f"/v1/placements/{placement['id']}", {"end_ms": 80_000})
    for _ in range(2):
        market.call("mine", "DELETE", f"/v1/placements/{placement['id']}")
    with Session(market.engine) as session:
        entries = session.exec(select(AuditEntry).order_by(AuditEntry.id)).all()  # type: ignore[arg-type]
    actions = [entry.action for entry in entries if not entry.action.startswith("advertiser.")]
    assert actions == [
        "campaign.created",
        "campaign.changed",
        "campaign.creative_added",
        "placement.created",
        "placement.changed",
        "placement.removed",
    ]
    changed = next(entry for entry in entries if entry.action == "campaign.changed")
    assert (str(changed.subject_uuid), changed.detail) == (
        campaign["id"],
        '{"budget_cents": [100000, 200000], "currency": "EUR"}',
    )
