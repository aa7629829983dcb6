"""Who may ask for what: a row for every route. To add one: its method and path, one of the shapes below, and what makes
the request a good one (a query, a body; `{names}` in them are those of `World.things`)."""

from dataclasses import dataclass
from typing import Any

from tests.api.access_world import ROLES
from tests.factories import tone_mp3

OK = 0
"""Let in: answered with the status that the row says, 2xx unless it does."""


@dataclass(frozen=True)
class Row:
    """One route."""

    access: dict[str, int]
    """Role -> OK, or the status of the refusal."""
    query: str = ""
    body: Any = None
    status: int | None = None
    """Of the answer to whoever is let in; any 2xx when absent."""
    statement: str = "draft"
    """The state that the statement is in."""
    headers: dict[str, str] | None = None


def _shape(anonymous: int, device: int, listener: int, owner: int, other: int, member: int, stranger: int, admin: int):
    return dict(zip(ROLES, (anonymous, device, listener, owner, other, member, stranger, admin), strict=True))


PUBLIC = dict.fromkeys(ROLES, OK)
SIGNED_IN = _shape(401, 401, 401, OK, OK, OK, OK, OK)
PUBLISHERS = _shape(401, 401, 401, OK, OK, 403, 403, OK)
OWN_SHOW = _shape(401, 401, 401, OK, 404, 403, 403, OK)
ADMINS = _shape(401, 401, 401, 403, 403, 403, 403, OK)
BUYERS = _shape(401, 401, 401, 403, 403, OK, OK, OK)
OWN_CAMPAIGN = _shape(401, 401, 401, 403, 403, OK, 404, OK)
OWN_WEBHOOK = _shape(401, 401, 401, OK, 404, 404, 404, 404)
OWN_DEVICE = _shape(401, OK, 401, 401, 401, 401, 401, 401)
OWN_APP = _shape(401, 401, OK, 401, 401, 401, 401, 401)

DAYS = "from=2026-10-01&to=2026-10-02"
REASON = {"reason": "We looked into it."}
NAME = {"name": "n{fresh}"}
CAMPAIGN = {
    "advertiser_id": "{advertiser_id}",
    "name": "n{fresh}",
    "price_cents": 1000,
    "currency": "EUR",
    "budget_cents": 100_000,
    "from_day": "{today}",
    "to_day": "{today}",
}
PLACEMENT = {"show_id": "{show_id}", "episode_id": "{episode_id}", "start_ms": 60_000, "end_ms": 90_000}
PLAN = {"from_day": "2027-01-01", "currency": "EUR", "listen_price_cents": 500, "ad_share_bp": 5000}
DECISION = {"revision": 0}
UNPROVED = 409
"""This world's statements are made up: whoever may approve or pay is let in, and told that they do not agree."""
EVENTS = {"sent_at_ms": 1, "after": "0" * 64, "head": "0" * 64, "events": []}

TABLE: dict[str, Row] = {
    # -- anybody -----------------------------------------------------------------------------------------------------
    "GET /openapi.json": Row(PUBLIC),
    "HEAD /openapi.json": Row(PUBLIC),
    "GET /docs": Row(PUBLIC),
    "HEAD /docs": Row(PUBLIC),
    "GET /docs/oauth2-redirect": Row(PUBLIC),
    "HEAD /docs/oauth2-redirect": Row(PUBLIC),
    "GET /healthz": Row(PUBLIC),
    "POST /v1/devices": Row(PUBLIC, body={"app": "Matrix"}),
    "GET /feeds/{slug}.xml": Row(PUBLIC),
    "HEAD /feeds/{slug}.xml": Row(PUBLIC),
    "GET /media/{filename}": Row(PUBLIC),
    "HEAD /media/{filename}": Row(PUBLIC),
    "GET /media/{episode}/{version}": Row(PUBLIC, status=302),
    "HEAD /media/{episode}/{version}": Row(PUBLIC, status=302),
    "GET /v1/delivery": Row(PUBLIC),
    "GET /listeners/register": Row(PUBLIC),
    "POST /listeners/register": Row(dict.fromkeys(ROLES, 403), body="name=l{fresh}"),  # not from its own page
    # -- devices and listeners' apps ---------------------------------------------------------------------------------
    "POST /v1/sync": Row(OWN_DEVICE, body=EVENTS, status=422),
    "DELETE /v1/devices/{device_id}": Row(OWN_DEVICE),
    "GET /v1/sync/{receipt}": Row(OWN_DEVICE),
    "POST /api/2/auth/{user}/login.json": Row(OWN_APP),
    "POST /api/2/auth/{user}/logout.json": Row(OWN_APP),
    "GET /api/2/devices/{user}.json": Row(OWN_APP),
    "POST /api/2/devices/{user}/{device}.json": Row(OWN_APP, body={"caption": "Phone"}),
    "PUT /api/2/devices/{user}/{device}.json": Row(OWN_APP, body={"caption": "Phone"}),
    "GET /api/2/sync-devices/{user}.json": Row(OWN_APP),
    "POST /api/2/sync-devices/{user}.json": Row(OWN_APP, body={}),
    "POST /api/2/subscriptions/{user}/{device}.json": Row(OWN_APP, body={"add": [], "remove": []}),
    "GET /api/2/subscriptions/{user}/{device}.json": Row(OWN_APP, "since=0"),
    "GET /subscriptions/{user}/{device}.{form}": Row(OWN_APP),
    "PUT /subscriptions/{user}/{device}.{form}": Row(OWN_APP, body="<opml version='2.0'><body/></opml>"),
    "GET /subscriptions/{user}.{form}": Row(OWN_APP),
    "POST /api/2/episodes/{user}.json": Row(OWN_APP, body=[]),
    "GET /api/2/episodes/{user}.json": Row(OWN_APP),
    "GET /api/2/settings/{user}/{scope}.json": Row(OWN_APP),
    "POST /api/2/settings/{user}/{scope}.json": Row(OWN_APP, body={"set": {}, "remove": []}),
    "GET /api/2/favorites/{user}.json": Row(OWN_APP),
    # -- accounts ----------------------------------------------------------------------------------------------------
    "POST /v1/session": Row(
        dict.fromkeys(ROLES, 401), body={"email": "nobody@example.com", "password": "whatever it is"}
    ),
    "DELETE /v1/session": Row(SIGNED_IN, status=409),  # API keys are no sessions
    "GET /v1/me": Row(SIGNED_IN),
    # -- publishing --------------------------------------------------------------------------------------------------
    "POST /v1/shows": Row(PUBLISHERS, body={"title": "A show", "slug": "s{fresh}"}),
    "GET /v1/shows": Row(PUBLISHERS),
    "GET /v1/shows/{show_id}": Row(OWN_SHOW),
    "PATCH /v1/shows/{show_id}": Row(OWN_SHOW, body={"title": "Another title"}),
    "DELETE /v1/shows/{show_id}": Row(OWN_SHOW),
    "POST /v1/shows/{show_id}/episodes": Row(OWN_SHOW, body={"title": "An episode"}),
    "GET /v1/shows/{show_id}/episodes": Row(OWN_SHOW),
    "GET /v1/episodes/{episode_id}": Row(OWN_SHOW),
    "PATCH /v1/episodes/{episode_id}": Row(OWN_SHOW, body={"title": "Another title"}),
    "DELETE /v1/episodes/{episode_id}": Row(OWN_SHOW),
    "POST /v1/episodes/{episode_id}/publish": Row(OWN_SHOW),
    "POST /v1/episodes/{episode_id}/unpublish": Row(OWN_SHOW),
    "PUT /v1/episodes/{episode_id}/audio": Row(OWN_SHOW, body=tone_mp3(1.0), headers={"Content-Type": "audio/mpeg"}),
    "GET /v1/episodes/{episode_id}/urls": Row(OWN_SHOW),
    "PUT /v1/episodes/{episode_id}/urls": Row(
        _shape(401, 401, 401, 403, 404, 403, 403, OK), body={"urls": ["https://old.example.com/{fresh}.mp3"]}
    ),
    "GET /v1/shows/{show_id}/stats": Row(OWN_SHOW, DAYS),
    "GET /v1/shows/{show_id}/arrival": Row(OWN_SHOW, DAYS),
    "GET /v1/episodes/{episode_id}/stats": Row(OWN_SHOW),
    "GET /v1/shows/{show_id}/downloads": Row(OWN_SHOW, DAYS),
    "GET /v1/episodes/{episode_id}/downloads": Row(OWN_SHOW, DAYS),
    "GET /v1/shows/{show_id}/downloads/consumers": Row(OWN_SHOW, DAYS),
    "GET /v1/episodes/{episode_id}/downloads/consumers": Row(OWN_SHOW, DAYS),
    "GET /v1/shows/{show_id}/downloads/first-days": Row(OWN_SHOW, DAYS),
    "GET /v1/shows/{show_id}/hits": Row(OWN_SHOW, DAYS),
    "GET /v1/episodes/{episode_id}/hits": Row(OWN_SHOW, DAYS),
    "GET /v1/episodes/{episode_id}/hits/explained": Row(ADMINS, "day=2026-10-01"),
    # -- operations --------------------------------------------------------------------------------------------------
    "GET /v1/pipeline": Row(ADMINS),
    "GET /v1/pipeline/lag": Row(ADMINS),
    "POST /v1/pipeline/replay": Row(ADMINS, body={"cause": "unknown_episode"}),
    # -- webhooks ----------------------------------------------------------------------------------------------------
    "POST /v1/webhooks": Row(SIGNED_IN, body={"url": "https://example.com/"}),
    "GET /v1/webhooks": Row(SIGNED_IN),
    "GET /v1/webhooks/{webhook_id}": Row(OWN_WEBHOOK),
    "DELETE /v1/webhooks/{webhook_id}": Row(OWN_WEBHOOK),
    "POST /v1/webhooks/{webhook_id}/enable": Row(OWN_WEBHOOK),
    "GET /v1/webhooks/{webhook_id}/deliveries": Row(OWN_WEBHOOK),
    "POST /v1/webhooks/{webhook_id}/deliveries/{delivery_id}/replay": Row(OWN_WEBHOOK),
    # -- advertising -------------------------------------------------------------------------------------------------
    "POST /v1/advertisers": Row(ADMINS, body=NAME),
    "GET /v1/advertisers": Row(BUYERS),
    "GET /v1/advertisers/{advertiser_id}": Row(OWN_CAMPAIGN),
    "PATCH /v1/advertisers/{advertiser_id}": Row(ADMINS, body=NAME),
    "PUT /v1/advertisers/{advertiser_id}/members/{email}": Row(ADMINS),
    "DELETE /v1/advertisers/{advertiser_id}/members/{member_email}": Row(ADMINS),
    "POST /v1/campaigns": Row(OWN_CAMPAIGN, body=CAMPAIGN),
    "GET /v1/campaigns": Row(BUYERS),
    "GET /v1/campaigns/{campaign_id}": Row(OWN_CAMPAIGN),
    "PATCH /v1/campaigns/{campaign_id}": Row(OWN_CAMPAIGN, body=NAME),
    "POST /v1/campaigns/{campaign_id}/creatives": Row(OWN_CAMPAIGN, body=NAME),
    "GET /v1/campaigns/{campaign_id}/creatives": Row(OWN_CAMPAIGN),
    "POST /v1/campaigns/{campaign_id}/placements": Row(OWN_CAMPAIGN, body=PLACEMENT),
    "GET /v1/campaigns/{campaign_id}/placements": Row(OWN_CAMPAIGN),
    "PATCH /v1/placements/{placement_id}": Row(OWN_CAMPAIGN, body={"creative_id": "{creative_id}"}),
    "DELETE /v1/placements/{placement_id}": Row(OWN_CAMPAIGN),
    "POST /v1/placements/{placement_id}/count-back": Row(OWN_CAMPAIGN, body={"from_day": "{today}"}, status=422),
    "GET /v1/shows/{show_id}/placements": Row(OWN_SHOW),
    "GET /v1/catalogue": Row(BUYERS),
    "GET /v1/campaigns/{campaign_id}/pacing": Row(OWN_CAMPAIGN),
    "GET /v1/shows/{show_id}/forecast": Row(OWN_SHOW | {"member": OK, "stranger": OK}, "from={soon}&to={soon}"),
    "GET /v1/campaigns/{campaign_id}/report": Row(OWN_CAMPAIGN),
    "GET /v1/campaigns/{campaign_id}/reach": Row(OWN_CAMPAIGN),
    "GET /v1/campaigns/{campaign_id}/frequency": Row(OWN_CAMPAIGN),
    "GET /v1/reach": Row(BUYERS, "shows={show_id}&" + DAYS),
    "GET /v1/reach/overlap": Row(BUYERS, "shows={show_id}&" + DAYS),
    "GET /v1/reach/incremental": Row(BUYERS, "shows={show_id}&add={show_id}&" + DAYS),
    # -- holds -------------------------------------------------------------------------------------------------------
    "GET /v1/holds": Row(ADMINS),
    "GET /v1/holds/{hold_id}": Row(ADMINS),
    "POST /v1/holds/scan": Row(ADMINS, body={"from": "2026-10-01", "to": "2026-10-02"}),
    "POST /v1/holds/{hold_id}/release": Row(ADMINS, body=REASON),
    "POST /v1/holds/{hold_id}/void": Row(ADMINS, body=REASON),
    "GET /v1/shows/{show_id}/holds": Row(OWN_SHOW),
    # -- payouts -----------------------------------------------------------------------------------------------------
    "POST /v1/shows/{show_id}/rate-plans": Row(ADMINS, body=PLAN),
    "GET /v1/shows/{show_id}/rate-plans": Row(OWN_SHOW),
    "POST /v1/payouts/close": Row(ADMINS, body={"month": "2026-01"}),
    "GET /v1/payouts/pending": Row(PUBLISHERS),
    "GET /v1/statements": Row(PUBLISHERS),
    "GET /v1/statements/{statement_id}": Row(OWN_SHOW),
    "GET /v1/statements/{statement_id}/pdf": Row(OWN_SHOW),
    "GET /v1/statements/{statement_id}/export": Row(OWN_SHOW, status=409),  # these pin nothing
    "POST /v1/statements/{statement_id}/verify": Row(ADMINS),
    "GET /v1/statements/{statement_id}/evidence": Row(ADMINS),
    "POST /v1/statements/{statement_id}/approve": Row(ADMINS, body=DECISION, status=UNPROVED),
    "POST /v1/statements/{statement_id}/hold": Row(ADMINS, body=DECISION | REASON),
    "POST /v1/statements/{statement_id}/release": Row(ADMINS, body=DECISION | REASON, statement="held"),
    "POST /v1/statements/{statement_id}/void": Row(ADMINS, body=DECISION | REASON),
    "POST /v1/statements/{statement_id}/pay": Row(
        ADMINS, body=DECISION | {"reference": "TX-1"}, statement="approved", status=UNPROVED
    ),
    "GET /v1/ledger": Row(ADMINS),
    "GET /v1/audit-trail": Row(ADMINS),
    "GET /v1/payee": Row(PUBLISHERS),
    "PUT /v1/payee": Row(PUBLISHERS, body={"name": "Somebody", "iban": "DE89370400440532013000"}),
    "POST /v1/payouts/batches": Row(ADMINS, body={"currency": "EUR"}, statement="approved"),
    "GET /v1/payouts/batches": Row(ADMINS),
    "GET /v1/payouts/batches/{batch_id}.csv": Row(ADMINS),
    "GET /v1/payouts/batches/{batch_id}.xml": Row(ADMINS),
}
