"""How campaigns get on, and what is to be expected of placements, over HTTP."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from api import clock
from api.advertising import access, forecasting, pacing
from api.advertising.access import BuyerDep
from api.advertising.forecasting import ForecastOut, Wanted
from api.advertising.pacing import Pacing
from api.advertising.refusals import DaysError
from api.advertising.routes import CampaignId
from api.amounts import MAX_NUMBER
from api.deps import ReadSessionDep, UserDep
from api.errors import ForbiddenError, InvalidError, NotFoundError, UnauthenticatedError, documented
from models.queries import catalogue
from models.tables import Role

router = APIRouter(
    prefix="/v1",
    tags=["advertising"],
    responses=documented(UnauthenticatedError, ForbiddenError, NotFoundError, InvalidError),
)

FromTomorrow = Annotated[
    date | None, Query(alias="from", description="First UTC day, after today. Without it, tomorrow.")
]
Until = Annotated[date | None, Query(alias="to", description="Last UTC day, included. Without it, four weeks in all.")]
Place = Annotated[int | None, Query(ge=0, le=MAX_NUMBER, description="Milliseconds of media time; both or neither.")]


@router.get("/campaigns/{campaign_id}/pacing")
def read_pacing(campaign_id: CampaignId, user: BuyerDep, session: ReadSessionDep) -> Pacing:
    """What a campaign has billed day by day, beside an even plan, and where the pace of the last week leads.

    Numbers can still change: late listening, released or new holds, and statements all count. Advertisers are told
    whole fifties; a day of fewer comes with a later one.
    """
    campaign, _ = access.get_campaign(session, user, campaign_id)
    return pacing.get_pacing(session, campaign, clock.now().date(), is_guarded=user.role == Role.ADVERTISER)


@router.get("/shows/{show_id}/forecast")
def read_forecast(
    show_id: Annotated[UUID, Path(description="The show's id.")],
    user: UserDep,
    session: ReadSessionDep,
    first: FromTomorrow = None,
    last: Until = None,
    episode: Annotated[UUID | None, Query(description="Of this episode only.")] = None,
    start_ms: Place = None,
    end_ms: Place = None,
    covers: Annotated[
        str,
        Query(
            pattern="^(new|all)$",
            description="`new`: episodes that come out within the span, as an ad in the "
            "whole show gets them; `all`: older ones too.",
        ),
    ] = "new",
) -> ForecastOut:
    """What an ad in a show, or in one episode, is to expect, from the show's own history, with its range.

    Advertisers and admins ask of every show, creators of their own. Numbers of few people are not shown to advertisers.
    """
    owner_id = user.id if user.role == Role.CREATOR else None
    show = catalogue.get_show(session, show_id, owner_id)
    if show is None:
        raise NotFoundError("There is no such show. GET /v1/catalogue lists those that can be bought.")
    if (start_ms is None) != (end_ms is None):
        raise DaysError("Send start_ms and end_ms together, or neither.")
    period = forecasting.check_days(first, last, clock.now().date())
    wanted = Wanted(period=period, episode=episode, start_ms=start_ms, end_ms=end_ms, is_all=covers == "all")
    return forecasting.get_forecast(session, show, wanted, hides_few=user.role == Role.ADVERTISER)
