"""Two invented advertisers and their campaigns in the demo shows, bought over the API as a person would buy them."""

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2

from seed.calls import SeedError, ask, send

SPOT_MS = 30_000
COUNTING_SECONDS = 0.5
"""Between two looks whether the worker has counted back."""
LEAST_IMPRESSIONS = 50
"""That a campaign must pay for."""

PUDDLE, CRUMB = "Puddle & Daughters, Umbrellas", "Crumb Island Biscuits"
"""No such shops exist."""


class Buyer:
    """An admin and an advertiser at work: the one makes advertisers, the other buys."""

    def __init__(self, http: httpx2.AsyncClient, accounts: dict[str, Any], today: date) -> None:
        """`accounts`: credentials by role, `admin` and `advertiser`."""
        self.http = http
        self.accounts = accounts
        self.today = today

    def day(self, offset: int) -> str:
        """So many days from today."""
        return str(self.today + timedelta(days=offset))

    async def call(self, role: str, method: str, path: str, body: Any = None) -> Any:
        """The answer to a call, which is done once however often it has to be sent."""
        headers = {"Idempotency-Key": str(uuid4())}
        key = self.accounts[role]["api_key"]
        return await ask(self.http, method, path, key=key, json=body, headers=headers)

    async def advertiser(self, name: str) -> str:
        """The id of an advertiser, made when it is not there yet."""
        known = (await self.call("admin", "GET", "/v1/advertisers?limit=500"))["items"]
        for advertiser in known:
            if advertiser["name"] == name:
                return str(advertiser["id"])
        made = await self.call("admin", "POST", "/v1/advertisers", {"name": name})
        return str(made["id"])

    async def campaign(self, role: str, advertiser: str, name: str, **terms: Any) -> dict[str, Any]:
        """A campaign of this name, or with a number behind it when an earlier set has the name."""
        body = {"advertiser_id": advertiser, "currency": "EUR", "budget_cents": 10_000_000, **terms}
        for numbered in (name, *(f"{name} ({number})" for number in range(2, 100))):
            headers, sent = {"Idempotency-Key": str(uuid4())}, {**body, "name": numbered}
            key = self.accounts[role]["api_key"]
            answer = await send(self.http, "POST", "/v1/campaigns", key=key, json=sent, headers=headers)
            if answer.is_success:
                made: dict[str, Any] = answer.json()
                return made
            if answer.status_code != 409:
                break
        raise SeedError(f"The API refused the campaign {name!r} with {answer.status_code}: {answer.text[:500]}")

    async def place(self, role: str, campaign: dict[str, Any], back: int | None, **spot: Any) -> None:
        """Place an ad, and have it counted back so many days."""
        made = await self.call(role, "POST", f"/v1/campaigns/{campaign['id']}/placements", spot)
        if back is not None:
            await self.call(role, "POST", f"/v1/placements/{made['id']}/count-back", {"from_day": self.day(-back)})

    async def wait(self, role: str, campaign: dict[str, Any], should_stop: Callable[[], bool]) -> int:
        """Billable impressions so far, once the worker has counted all placements."""
        path = f"/v1/campaigns/{campaign['id']}"
        while not should_stop():
            placements = (await self.call(role, "GET", f"{path}/placements"))["items"]
            if all(placement["counting"] == "current" for placement in placements):
                break
            await asyncio.sleep(COUNTING_SECONDS)
        pacing = await self.call("admin", "GET", f"{path}/pacing")
        return int(pacing["billable_so_far"])

    async def budget(self, role: str, campaign: dict[str, Any], impressions: float) -> None:
        """Let the campaign pay for so many."""
        cents = -(-max(LEAST_IMPRESSIONS, round(impressions)) * campaign["price_cents"] // 1000)
        await self.call(role, "PATCH", f"/v1/campaigns/{campaign['id']}", {"budget_cents": cents})


def spot(show: dict[str, Any], episode: dict[str, Any], share: float) -> dict[str, Any]:
    """Half a minute at this share of an episode, on a whole second."""
    start_ms = int(episode["duration_ms"] * share) // 1000 * 1000
    return {
        "show_id": show["id"],
        "episode_id": episode["id"],
        "start_ms": start_ms,
        "end_ms": start_ms + SPOT_MS,
    }


async def buy(
    http: httpx2.AsyncClient, accounts: dict[str, Any], shows: set[str], should_stop: Callable[[], bool]
) -> list[str]:
    """Make the demo's campaigns in these shows, all that was heard by now counted; their names."""
    buyer = Buyer(http, accounts, datetime.now(UTC).date())
    puddle, crumb = await buyer.advertiser(PUDDLE), await buyer.advertiser(CRUMB)
    await buyer.call("admin", "PUT", f"/v1/advertisers/{puddle}/members/{accounts['advertiser']['email']}")
    catalogue = (await buyer.call("admin", "GET", "/v1/catalogue?limit=500"))["items"]
    known = sorted((show for show in catalogue if show["id"] in shows), key=lambda show: -len(show["episodes"]))
    first, second = known[0], known[1]
    return [
        await _on_track(buyer, puddle, first, should_stop),
        await _exhausted(buyer, puddle, second, should_stop),
        await _whole_show(buyer, puddle, second, should_stop),
        await _counted_back(buyer, crumb, first, should_stop),
    ]


async def _on_track(buyer: Buyer, advertiser: str, show: dict[str, Any], should_stop: Callable[[], bool]) -> str:
    """The last episodes of a show, in the middle; the budget is as large as an even plan wants it."""
    terms = {"price_cents": 2400, "from_day": buyer.day(-28), "to_day": buyer.day(13)}
    campaign = await buyer.campaign("advertiser", advertiser, "Umbrella weather", **terms)
    creative = {"name": "A roof with a handle", "click_url": "https://umbrellas.example.com/?from=earshot"}
    said = await buyer.call("advertiser", "POST", f"/v1/campaigns/{campaign['id']}/creatives", creative)
    for episode in show["episodes"][:4]:
        await buyer.place("advertiser", campaign, 28, creative_id=said["id"], **spot(show, episode, 0.5))
    heard = await buyer.wait("advertiser", campaign, should_stop)
    await buyer.budget("advertiser", campaign, heard * 42 / 28)
    return str(campaign["name"])


async def _exhausted(buyer: Buyer, advertiser: str, show: dict[str, Any], should_stop: Callable[[], bool]) -> str:
    """Pays for delivered impressions, and had too little for all there were."""
    terms = {"price_cents": 1500, "from_day": buyer.day(-45), "to_day": buyer.day(5), "billing": "delivered"}
    campaign = await buyer.campaign("advertiser", advertiser, "Before it rains", **terms)
    last, *others = show["episodes"][:5]
    for episode in others:
        await buyer.place("advertiser", campaign, 45, **spot(show, episode, 0.35))
    sent = await buyer.wait("advertiser", campaign, should_stop)
    # A budget cannot fall below what is billed, in whole fifties: what the last episode brings is too much for it.
    await buyer.budget("advertiser", campaign, (sent // LEAST_IMPRESSIONS + 1) * LEAST_IMPRESSIONS)
    await buyer.place("advertiser", campaign, 45, **spot(show, last, 0.35))
    await buyer.wait("advertiser", campaign, should_stop)
    return str(campaign["name"])


async def _whole_show(buyer: Buyer, advertiser: str, show: dict[str, Any], should_stop: Callable[[], bool]) -> str:
    """The opening of everything that a show has published in fifty days, and will publish."""
    terms = {"price_cents": 3000, "from_day": buyer.day(-50), "to_day": buyer.day(40), "confirm_percent": 75}
    campaign = await buyer.campaign("advertiser", advertiser, "The dry commute", **terms)
    await buyer.place("advertiser", campaign, 50, show_id=show["id"], start_ms=20_000, end_ms=20_000 + SPOT_MS)
    heard = await buyer.wait("advertiser", campaign, should_stop)
    await buyer.budget("advertiser", campaign, heard * 2.6)
    return str(campaign["name"])


async def _counted_back(buyer: Buyer, advertiser: str, show: dict[str, Any], should_stop: Callable[[], bool]) -> str:
    """One placement of the last ten days, counted back, and one that begins today; an admin buys, in another
    currency."""
    terms = {"price_cents": 1800, "currency": "USD", "from_day": buyer.day(-14), "to_day": buyer.day(30)}
    campaign = await buyer.campaign("admin", advertiser, "Tin of the month", **terms)
    newest, before = show["episodes"][:2]
    await buyer.place("admin", campaign, 10, **spot(show, before, 0.7))
    await buyer.place("admin", campaign, None, **spot(show, newest, 0.7))
    heard = await buyer.wait("admin", campaign, should_stop)
    await buyer.budget("admin", campaign, heard * 5)
    return str(campaign["name"])
