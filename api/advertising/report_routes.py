"""What campaigns brought, and what shows would bring; read from the rollups. Advertisers' answers are guarded."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from sqlmodel import Session

from api import clock, csv_answers
from api.advertising import access
from api.advertising import report_schemas as shapes
from api.advertising.access import BuyerDep
from api.csv_answers import CsvWanted
from api.deps import ReadSessionDep
from api.errors import ForbiddenError, InvalidError, NotFoundError, UnauthenticatedError, documented
from api.periods import From, To, parse_period
from models import campaign_reports, planning
from models.advertising import Campaign
from models.periods import Period
from models.privacy_cells import LEAST
from models.queries import reach as queries
from models.tables import Role, User

MAX_SHOWS = 50
"""In one question of the planner."""

router = APIRouter(prefix="/v1", tags=["reach"])
_ANSWERS = {
    **documented(UnauthenticatedError, ForbiddenError, NotFoundError, InvalidError),
    **csv_answers.DOCUMENTED,
}

CampaignId = Annotated[UUID, Path(description="The campaign's id.")]
CampaignFrom = Annotated[
    date | None,
    Query(alias="from", description="First UTC day; without it the campaign's. Advertisers cannot choose another one."),
]
CampaignTo = Annotated[
    date | None, Query(alias="to", description="Last UTC day, included; without it today, or the campaign's last.")
]
ReportRows = Annotated[
    Literal["day", "episode", "app", "device", "country"], Query(description="Which rows a CSV answer has.")
]
ByDay = Annotated[Literal["day"] | None, Query(description="Also the reach by the end of each day.")]
By = Annotated[
    Literal["day", "month"] | None,
    Query(description="Also the reach by the end of each day, or month. `day` is for admins."),
]
Shows = Annotated[list[UUID], Query(description=f"Ids of shows, at most {MAX_SHOWS}: `shows=...&shows=...`.")]
Added = Annotated[list[UUID], Query(description="Ids of the shows that might be added.")]


@router.get("/campaigns/{campaign_id}/report", responses=_ANSWERS, response_model=shapes.ReportOut)
def read_report(
    session: ReadSessionDep,
    user: BuyerDep,
    is_csv: CsvWanted,
    campaign_id: CampaignId,
    first: CampaignFrom = None,
    last: CampaignTo = None,
    rows: ReportRows = "day",
) -> Response:
    """Delivered and confirmed impressions by UTC day and episode, how much was heard, offline ones, apps, countries.

    An impression counts on the day it was heard, so days of the past grow when phones that were offline report.
    """
    campaign, period = _campaign(session, user, campaign_id, first, last)
    report = campaign_reports.report_of(session, campaign, period, is_guarded=_is_guarded(user))
    body = _report_out(report, campaign, period, user)
    table: dict[str, tuple[type[BaseModel], Sequence[BaseModel]]] = {
        "day": (shapes.ReportDay, body.days),
        "episode": (shapes.ReportEpisode, body.episodes),
        "app": (shapes.ReportValue, body.apps),
        "device": (shapes.ReportValue, body.devices),
        "country": (shapes.ReportValue, body.countries),
    }
    kind, listed = table[rows]
    return _answer(body, kind, listed, f"campaign-{campaign.uuid}-by-{rows}", is_csv=is_csv)


@router.get("/campaigns/{campaign_id}/reach", responses=_ANSWERS, response_model=shapes.ReachOut)
def read_campaign_reach(
    session: ReadSessionDep,
    user: BuyerDep,
    is_csv: CsvWanted,
    campaign_id: CampaignId,
    first: CampaignFrom = None,
    last: CampaignTo = None,
    by: ByDay = None,
) -> Response:
    """Different devices with a confirmed impression of the campaign, with the error; `by=day`: the curve over time."""
    campaign, period = _campaign(session, user, campaign_id, first, last)
    points = campaign_reports.reach_of(session, campaign, period, is_guarded=_is_guarded(user))
    return _reach_answer(user, period, points[-1].reach, points if by else [], f"reach-{campaign.uuid}", is_csv=is_csv)


@router.get("/campaigns/{campaign_id}/frequency", responses=_ANSWERS, response_model=shapes.FrequencyOut)
def read_frequency(session: ReadSessionDep, user: BuyerDep, is_csv: CsvWanted, campaign_id: CampaignId) -> Response:
    """Devices by how many confirmed impressions of the campaign they had so far: 1, 2, 3, 4, 5 and more."""
    campaign, _ = access.get_campaign(session, user, campaign_id)
    found = campaign_reports.frequency_of(session, campaign, is_guarded=_is_guarded(user))
    rows = [shapes.FrequencyRow(frequency=number, devices=devices) for number, devices in found.devices.items()]
    body = shapes.FrequencyOut(
        privacy=_privacy(user), reach=shapes.Reached.of(found.reach), average=found.average, rows=rows
    )
    return _answer(body, shapes.FrequencyRow, rows, f"frequency-{campaign.uuid}", is_csv=is_csv)


@router.get("/reach", responses=_ANSWERS, response_model=shapes.ReachOut)
def read_reach(
    session: ReadSessionDep,
    user: BuyerDep,
    is_csv: CsvWanted,
    shows: Shows,
    first: From = None,
    last: To = None,
    by: By = None,
) -> Response:
    """Different devices with a listen to any of these shows, with the error.

    For advertisers it is estimated from a fixed sample of one device in 50, and hidden where that is too small.
    """
    keys, period = list(_shows(session, shows).values()), parse_period(first, last, clock.now().date())
    is_guarded = _is_guarded(user)
    if by == "day" and is_guarded:
        raise InvalidError("Reach of shows by day is for admins. Ask with by=month, or for one span after the other.")
    points = []
    if by == "day":
        points = planning.curve_of(session, keys, period)
    elif by == "month":
        points = planning.curve_by_month(session, keys, period, is_guarded=is_guarded)
    reach = points[-1].reach if points else planning.reach_of(session, keys, period, is_guarded=is_guarded)
    return _reach_answer(user, period, reach, points, "reach-of-shows", is_csv=is_csv)


@router.get("/reach/overlap", responses=_ANSWERS, response_model=shapes.OverlapOut)
def read_overlap(
    session: ReadSessionDep,
    user: BuyerDep,
    is_csv: CsvWanted,
    shows: Shows,
    first: From = None,
    last: To = None,
) -> Response:
    """Devices that each two of these shows have in common."""
    found, period = _shows(session, shows), parse_period(first, last, clock.now().date())
    matrix = planning.overlap_of(session, list(found.values()), period, is_guarded=_is_guarded(user))
    ids = list(found)
    rows = [
        shapes.OverlapRow(show_id=show_id, other_id=ids[other], **matrix[place][other]._asdict())
        for place, show_id in enumerate(ids)
        for other in range(place, len(ids))
    ]
    body = shapes.OverlapOut(first=period.first, last=period.last, privacy=_privacy(user), rows=rows)
    return _answer(body, shapes.OverlapRow, rows, "overlap-of-shows", is_csv=is_csv)


@router.get("/reach/incremental", responses=_ANSWERS, response_model=shapes.IncrementsOut)
def read_increments(
    session: ReadSessionDep,
    user: BuyerDep,
    is_csv: CsvWanted,
    shows: Shows,
    add: Added,
    first: From = None,
    last: To = None,
) -> Response:
    """What each of some shows would add to the reach of others."""
    base, more = _shows(session, shows), _shows(session, add)
    period = parse_period(first, last, clock.now().date())
    found = planning.increments_of(
        session, list(base.values()), list(more.values()), period, is_guarded=_is_guarded(user)
    )
    rows = [
        shapes.IncrementRow(show_id=show_id, **cell._asdict()) for show_id, cell in zip(more, found.adds, strict=True)
    ]
    before, after = shapes.Reached.of(found.before), shapes.Reached.of(found.after)
    body = shapes.IncrementsOut(
        first=period.first, last=period.last, privacy=_privacy(user), before=before, after=after, rows=rows
    )
    return _answer(body, shapes.IncrementRow, rows, "incremental-reach", is_csv=is_csv)


# -- what the answers are made of ------------------------------------------------------------------------------------


def _is_guarded(user: User) -> bool:
    return user.role != Role.ADMIN


def _privacy(user: User) -> shapes.PrivacyOut:
    return shapes.PrivacyOut(is_guarded=_is_guarded(user), least=LEAST)


def _campaign(
    session: Session, user: User, campaign_id: UUID, first: date | None, last: date | None
) -> tuple[Campaign, Period]:
    campaign, _ = access.get_campaign(session, user, campaign_id)
    begin = first or campaign.from_day
    if _is_guarded(user) and begin != campaign.from_day:
        raise InvalidError(
            f"Answers for advertisers begin with the campaign, on {campaign.from_day}, so that two of them cannot be "
            "subtracted to find a few devices. Leave from out."
        )
    today = clock.now().date()
    return campaign, parse_period(begin, last or max(begin, min(today, campaign.to_day)), today)


def _shows(session: Session, wanted: Sequence[UUID]) -> dict[UUID, int]:
    """The small keys of shows, each once, in the order asked for."""
    if len(set(wanted)) > MAX_SHOWS:
        raise InvalidError(f"That is {len(set(wanted))} shows; {MAX_SHOWS} at most can be asked about at once.")
    found = queries.list_shows(session, wanted)
    if missing := [str(uuid) for uuid in wanted if uuid not in found]:
        raise NotFoundError(f"There is no show {missing[0]}. GET /v1/catalogue lists them with their ids.")
    return {uuid: found[uuid].id or 0 for uuid in dict.fromkeys(wanted)}


def _report_out(report: campaign_reports.Report, campaign: Campaign, period: Period, user: User) -> shapes.ReportOut:
    totals = report.totals
    share = totals.offline_confirmed / totals.confirmed if totals.offline_confirmed and totals.confirmed else None
    if share is None and totals.confirmed and not _is_guarded(user):
        share = 0.0
    splits = {
        kind: [shapes.ReportValue(value=value or None, delivered=number) for value, number in found]
        for kind, found in report.splits.items()
    }
    return shapes.ReportOut(
        first=period.first,
        last=period.last,
        privacy=_privacy(user),
        totals=shapes.CountsOut(**totals._asdict()),
        offline_share=None if share is None else round(share, 4),
        currency=campaign.currency,
        spend_cents=report.spend_cents,
        days=[shapes.ReportDay(**row._asdict()) for row in report.days],
        episodes=[
            shapes.ReportEpisode(
                episode_id=row.uuid, title=row.title, show_id=row.show_uuid, show=row.show_title, **row.counts._asdict()
            )
            for row in report.episodes
        ],
        apps=splits["app"],
        devices=splits["device"],
        countries=splits["country"],
    )


def _reach_answer(
    user: User, period: Period, reach: Any, points: Sequence[planning.Point], name: str, *, is_csv: bool
) -> Response:
    rows = [shapes.ReachPoint(day=point.day, **point.reach._asdict()) for point in points]
    body = shapes.ReachOut(
        first=period.first, last=period.last, privacy=_privacy(user), reach=shapes.Reached.of(reach), rows=rows
    )
    # Without rows of its own, the one number is the row of its last day.
    listed = rows or [shapes.ReachPoint(day=period.last, **reach._asdict())]
    return _answer(body, shapes.ReachPoint, listed, name, is_csv=is_csv)


def _answer(body: BaseModel, kind: type[BaseModel], rows: Sequence[BaseModel], name: str, *, is_csv: bool) -> Response:
    if is_csv:
        return csv_answers.csv_answer(kind, rows, name, {})
    return JSONResponse(body.model_dump(mode="json"), headers=csv_answers.VARY)
