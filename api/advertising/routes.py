"""Advertisers, campaigns and creatives over HTTP. Placements are in `placement_routes.py`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from api.advertising import access, refusals, schemas, service, views
from api.advertising.access import AdminDep, BuyerDep
from api.deps import ReadSessionDep, SessionDep
from api.errors import (
    ForbiddenError,
    InvalidError,
    NotFoundError,
    TooLargeError,
    UnauthenticatedError,
    documented,
)
from api.idempotency import MoneyRoute
from models.queries import campaigns

router = APIRouter(
    prefix="/v1",
    tags=["advertising"],
    route_class=MoneyRoute,
    responses=documented(UnauthenticatedError, ForbiddenError, TooLargeError, InvalidError),
)
missing = documented(NotFoundError)

AdvertiserId = Annotated[UUID, Path(description="The advertiser's id.")]
CampaignId = Annotated[UUID, Path(description="The campaign's id.")]
Email = Annotated[str, Path(max_length=254, description="Of an account with the role advertiser.")]
Limit = Annotated[int, Query(ge=1, le=500, description="Items in one page.")]
Offset = Annotated[int, Query(ge=0, le=1_000_000, description="Items before this page.")]


# -- advertisers -----------------------------------------------------------------------------------------------------


@router.post("/advertisers", status_code=201, responses=documented(refusals.NameTakenError))
def add_advertiser(body: schemas.NewAdvertiser, user: AdminDep, session: SessionDep) -> schemas.AdvertiserOut:
    """Make an advertiser. Then give it members; for admins."""
    return views.advertisers_out(session, [service.add_advertiser(session, user, body.name)])[0]


@router.get("/advertisers")
def list_advertisers(
    user: BuyerDep, session: ReadSessionDep, limit: Limit = 100, offset: Offset = 0
) -> schemas.AdvertiserList:
    """The advertisers that you are a member of; for an admin all."""
    scope = access.scope_of(user)
    found = campaigns.list_advertisers(session, scope, limit=limit, offset=offset)
    total = campaigns.count_advertisers(session, scope)
    return schemas.AdvertiserList(items=views.advertisers_out(session, found), total=total)


@router.get("/advertisers/{advertiser_id}", responses=missing)
def read_advertiser(advertiser_id: AdvertiserId, user: BuyerDep, session: ReadSessionDep) -> schemas.AdvertiserOut:
    """One advertiser."""
    return views.advertisers_out(session, [access.get_advertiser(session, user, advertiser_id)])[0]


@router.patch("/advertisers/{advertiser_id}", responses=documented(NotFoundError, refusals.NameTakenError))
def rename_advertiser(
    advertiser_id: AdvertiserId, body: schemas.NewAdvertiser, user: AdminDep, session: SessionDep
) -> schemas.AdvertiserOut:
    """Give an advertiser another name; for admins."""
    return views.advertisers_out(session, [service.rename_advertiser(session, user, advertiser_id, body.name)])[0]


@router.put(
    "/advertisers/{advertiser_id}/members/{email}",
    responses=documented(NotFoundError, refusals.NotAdvertisingError),
)
def add_member(advertiser_id: AdvertiserId, email: Email, user: AdminDep, session: SessionDep) -> schemas.AdvertiserOut:
    """Let an account with the role advertiser see and change the advertiser's campaigns; for admins."""
    return views.advertisers_out(session, [service.add_member(session, user, advertiser_id, email)])[0]


@router.delete("/advertisers/{advertiser_id}/members/{email}", status_code=204, responses=missing)
def remove_member(advertiser_id: AdvertiserId, email: Email, user: AdminDep, session: SessionDep) -> Response:
    """Take that right away; campaigns stay. For admins."""
    service.remove_member(session, user, advertiser_id, email)
    return Response(status_code=204)


# -- campaigns -------------------------------------------------------------------------------------------------------


@router.post(
    "/campaigns",
    status_code=201,
    responses=documented(NotFoundError, refusals.NameTakenError),
)
def add_campaign(body: schemas.NewCampaign, user: BuyerDep, session: SessionDep) -> schemas.CampaignOut:
    """Make a campaign of one of your advertisers. Then give it creatives and placements."""
    return views.campaign_out(*service.add_campaign(session, user, body.model_dump()))


@router.get("/campaigns")
def list_campaigns(
    user: BuyerDep,
    session: ReadSessionDep,
    advertiser: Annotated[UUID | None, Query(description="Of this advertiser only.")] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> schemas.CampaignList:
    """The campaigns of your advertisers, the last made first; for an admin all."""
    scope = access.scope_of(user)
    found = campaigns.list_campaigns(session, scope, advertiser, limit=limit, offset=offset)
    total = campaigns.count_campaigns(session, scope, advertiser)
    return schemas.CampaignList(items=[views.campaign_out(*row) for row in found], total=total)


@router.get("/campaigns/{campaign_id}", responses=missing)
def read_campaign(campaign_id: CampaignId, user: BuyerDep, session: ReadSessionDep) -> schemas.CampaignOut:
    """One campaign."""
    return views.campaign_out(*access.get_campaign(session, user, campaign_id))


@router.patch("/campaigns/{campaign_id}", responses=documented(NotFoundError, refusals.FixedError, refusals.BusyError))
def change_campaign(
    campaign_id: CampaignId, body: schemas.CampaignChanges, user: BuyerDep, session: SessionDep
) -> schemas.CampaignOut:
    """Change what is sent, keep the rest. Price, currency, billing and threshold stand once an impression was counted;
    budget and caps never fall below what was heard and is billed."""
    return views.campaign_out(*service.change_campaign(session, user, campaign_id, body.to_set()))


# -- creatives -------------------------------------------------------------------------------------------------------


@router.post(
    "/campaigns/{campaign_id}/creatives",
    status_code=201,
    responses=documented(NotFoundError, refusals.NameTakenError),
)
def add_creative(
    campaign_id: CampaignId, body: schemas.NewCreative, user: BuyerDep, session: SessionDep
) -> schemas.CreativeOut:
    """Add what is said in an ad, and where it leads."""
    return views.creative_out(service.add_creative(session, user, campaign_id, body.name, body.click_url))


@router.get("/campaigns/{campaign_id}/creatives", responses=missing)
def list_creatives(campaign_id: CampaignId, user: BuyerDep, session: ReadSessionDep) -> schemas.CreativeList:
    """A campaign's creatives, in the order they were made."""
    campaign, _ = access.get_campaign(session, user, campaign_id)
    found = campaigns.list_creatives(session, access.key_of(campaign))
    return schemas.CreativeList(items=[views.creative_out(each) for each in found], total=len(found))
