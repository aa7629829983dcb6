"""Placements over HTTP: the advertiser's, what a creator sees of them in her shows, and what there is to buy."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from api import clock
from api.advertising import access, placements, refusals, views
from api.advertising import placement_schemas as shapes
from api.advertising.access import BuyerDep
from api.advertising.placements import CountedBack
from api.advertising.routes import CampaignId, Limit, Offset
from api.deps import PublisherDep, ReadSessionDep, SessionDep
from api.errors import (
    ForbiddenError,
    InvalidError,
    NotFoundError,
    TooLargeError,
    UnauthenticatedError,
    documented,
)
from api.idempotency import MoneyRoute
from models.queries import catalogue
from models.queries import placements as queries
from models.tables import Role

router = APIRouter(
    prefix="/v1",
    tags=["advertising"],
    route_class=MoneyRoute,
    responses=documented(UnauthenticatedError, ForbiddenError, NotFoundError, TooLargeError, InvalidError),
)

PlacementId = Annotated[UUID, Path(description="The placement's id.")]
ShowId = Annotated[UUID, Path(description="The show's id.")]
MostEpisodes = Annotated[int, Query(ge=0, le=500, description="Episodes of each show, the newest.")]


@router.post("/campaigns/{campaign_id}/placements", status_code=201, responses=documented(refusals.OverlapError))
def add_placement(
    campaign_id: CampaignId, body: shapes.NewPlacement, user: BuyerDep, session: SessionDep
) -> shapes.PlacementOut:
    """Place an ad in an episode, or in all episodes that a show publishes from a day on.

    Impressions count from today at the earliest; `count-back` adds days before.
    """
    placed = placements.add_placement(session, user, campaign_id, body.model_dump())
    campaign, _ = access.get_campaign(session, user, campaign_id)
    return views.placements_out(session, campaign, [placed])[0]


@router.get("/campaigns/{campaign_id}/placements")
def list_placements(campaign_id: CampaignId, user: BuyerDep, session: ReadSessionDep) -> shapes.PlacementList:
    """A campaign's placements, removed ones too, in the order they were made."""
    campaign, _ = access.get_campaign(session, user, campaign_id)
    found = queries.list_placements(session, access.key_of(campaign))
    return shapes.PlacementList(items=views.placements_out(session, campaign, found), total=len(found))


@router.patch("/placements/{placement_id}", responses=documented(refusals.OverlapError))
def change_placement(
    placement_id: PlacementId, body: shapes.PlacementChanges, user: BuyerDep, session: SessionDep
) -> shapes.PlacementOut:
    """Change what is sent, keep the rest. The place in the recording and the first day stand once an impression was
    counted."""
    placed = placements.change_placement(session, user, placement_id, body.to_set())
    _, campaign = access.get_placement(session, user, placement_id)
    return views.placements_out(session, campaign, [placed])[0]


@router.delete("/placements/{placement_id}", status_code=204)
def remove_placement(placement_id: PlacementId, user: BuyerDep, session: SessionDep) -> Response:
    """Remove a placement from tomorrow on. What is heard until then stays counted, and is billed."""
    placements.remove_placement(session, user, placement_id)
    return Response(status_code=204)


@router.post("/placements/{placement_id}/count-back", responses=documented(refusals.OverlapError))
def count_back(
    placement_id: PlacementId, body: shapes.CountBack, user: BuyerDep, session: SessionDep
) -> shapes.CountBackOut:
    """Count what was heard before the placement was made, from the listening that is stored already.

    Back to the campaign's first day, or to the first day that is stored. The answer says which days; the worker begins
    within seconds, and `counting` of the placement is `pending` until it is done.
    """
    counted = placements.count_back(session, user, placement_id, body.from_day)
    _, campaign = access.get_placement(session, user, placement_id)
    return shapes.CountBackOut(
        placement=views.placements_out(session, campaign, [counted.placed])[0],
        from_day=counted.first,
        to_day=counted.last,
        days=counted.days,
        message=_describe(counted),
    )


def _describe(counted: CountedBack) -> str:
    days = "1 day" if counted.days == 1 else f"{counted.days} days"
    return (
        f"Counting back from {counted.first} to {counted.last}; {days}. The worker begins within seconds and writes "
        'all days at once. It is done when GET /v1/campaigns/{id}/placements says "counting": "current". What is '
        "billed of these days comes with the next statements."
    )


# -- shows -----------------------------------------------------------------------------------------------------------


@router.get("/shows/{show_id}/placements")
def list_placements_in_show(
    show_id: ShowId, user: PublisherDep, session: ReadSessionDep, limit: Limit = 100, offset: Offset = 0
) -> shapes.ShowPlacementList:
    """All placements that were ever made in your show, the last made first, with what each has brought. No prices."""
    owner_id = None if user.role == Role.ADMIN else user.id
    show = catalogue.get_show(session, show_id, owner_id)
    if show is None or show.id is None:
        raise NotFoundError("There is no such show among yours. GET /v1/shows lists them with their ids.")
    found = queries.list_placements_in_show(session, show.id, limit=limit, offset=offset)
    total = queries.count_placements_in_show(session, show.id)
    return shapes.ShowPlacementList(items=[views.show_placement_out(row) for row in found], total=total)


@router.get("/catalogue")
def read_catalogue(
    _user: BuyerDep,
    session: ReadSessionDep,
    show: Annotated[UUID | None, Query(description="This show only.")] = None,
    episodes: MostEpisodes = 50,
    limit: Limit = 100,
    offset: Offset = 0,
) -> shapes.Catalogue:
    """Shows and their public episodes that an ad can stand in."""
    shows, total = queries.list_shows_to_buy(session, show, limit=limit, offset=offset)
    ids = [found.id for found in shows if found.id is not None]
    found = queries.list_episodes_to_buy(session, ids, clock.now(), episodes)
    items = [views.show_to_buy(each, [e for e in found if e.show_id == each.id]) for each in shows]
    return shapes.Catalogue(items=items, total=total)
