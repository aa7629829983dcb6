"""Where an ad may stand: within its campaign's days, within the recording, and nowhere that another one stands."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

from sqlmodel import Session

from api import clock
from api.advertising import access
from api.advertising.refusals import (
    BeyondEndError,
    DaysError,
    OutsideCampaignError,
    OverlapError,
    SpentError,
    TooShortError,
)
from models.advertising import Campaign, Placement
from models.queries import campaigns, placements
from models.queries.placements import Neighbour
from models.spending import get_spending
from models.tables import Episode, Role, User

LEAST_MS = 1000


def refuse_ended(campaign: Campaign, today: date) -> None:
    """Nothing can be added to a campaign that is over."""
    if campaign.to_day < today:
        raise OutsideCampaignError(
            f"The campaign ended on {campaign.to_day}. To go on, send a later to_day: PATCH /v1/campaigns/{{id}}"
        )


def refuse_spent(session: Session, campaign: Campaign) -> None:
    """More impressions could not be billed."""
    if get_spending(session, campaign).is_exhausted:
        raise SpentError(
            "The campaign's budget or cap is used up, so nothing that is added would be paid. Raise budget_cents or "
            "impression_cap first: PATCH /v1/campaigns/{id}"
        )


def check(session: Session, user: User, campaign: Campaign, placement: Placement, episode: Episode | None) -> None:
    """Refuse a placement that cannot stand as it is; `episode` is its own, None for a whole show."""
    _check_days(campaign, placement)
    if placement.end_ms - placement.start_ms < LEAST_MS:
        raise TooShortError(
            f"From {placement.start_ms} to {placement.end_ms} is no whole second. Send an end_ms of at least "
            f"{placement.start_ms + LEAST_MS}."
        )
    for recording in _recordings(session, user, placement, episode):
        _check_end(placement, recording)
    _refuse_overlap(session, user, placement, episode)


def _check_days(campaign: Campaign, placement: Placement) -> None:
    first, last = placement.from_day, placement.to_day
    if first < campaign.from_day or last > campaign.to_day:
        raise OutsideCampaignError(
            f"{first} to {last} is not within the campaign, {campaign.from_day} to {campaign.to_day}. Choose days "
            "within it, or change the campaign first."
        )
    if first > last:
        raise DaysError(f"from_day={first} is after to_day={last}. Swap them; the last day is included.")


# -- the recording ---------------------------------------------------------------------------------------------------


def is_public(episode: Episode, now: datetime) -> bool:
    """Whether it is for others than its creator and admins to know."""
    return episode.deleted_at is None and episode.published_at is not None and episode.published_at <= now


def _recordings(session: Session, user: User, placement: Placement, episode: Episode | None) -> list[Episode]:
    """The recordings that must be long enough; of a show whose ad no recording has yet, the longest one.

    An advertiser's ad is not compared with what is not public: it would tell how long that is.
    """
    if episode is not None:
        return [episode]
    known, now = placements.list_recordings(session, placement.show_id), clock.now()
    if user.role != Role.ADMIN:
        known = [each for each in known if is_public(each, now)]
    return [each for each in known if _covers(placement, each)] or sorted(
        known, key=lambda each: each.duration_ms or 0
    )[-1:]


def _covers(placement: Placement, episode: Episode) -> bool:
    """Whether a whole show's placement is in an episode; one that has no date yet may get any."""
    published = episode.first_published_at
    return published is None or published.astimezone(UTC).date() >= placement.from_day


def _check_end(placement: Placement, recording: Episode) -> None:
    if recording.duration_ms is None:
        raise BeyondEndError(
            f"{recording.title!r} has no recording yet, so there is no place in it. Wait until it has."
        )
    if placement.end_ms > recording.duration_ms:
        raise BeyondEndError(
            f"{recording.title!r} is over after {recording.duration_ms} ms, before end_ms={placement.end_ms}. Choose "
            "an earlier place, or place the ad in single episodes that are long enough."
        )


# -- other ads -------------------------------------------------------------------------------------------------------


def _refuse_overlap(session: Session, user: User, placement: Placement, episode: Episode | None) -> None:
    for neighbour in _in_the_same_recording(session, placement, episode):
        other, first, last = neighbour.placement, neighbour.placement.from_day, neighbour.placement.to_day
        where = _name_place(user, neighbour.episode)
        raise OverlapError(
            f"{_name_of(session, user, neighbour)} stands {where} from {other.start_ms} to {other.end_ms} ms, on "
            f"{first} to {last}. Choose another place in the recording, or days before or after those."
        )


def _in_the_same_recording(session: Session, placement: Placement, episode: Episode | None) -> Iterator[Neighbour]:
    for neighbour in placements.list_neighbours(session, placement):
        theirs = neighbour.episode
        if episode is None:
            is_shared = theirs is None or _covers(placement, theirs)
        elif theirs is None:
            is_shared = _covers(neighbour.placement, episode)
        else:
            is_shared = theirs.id == episode.id
        if is_shared:
            yield neighbour


def _name_place(user: User, episode: Episode | None) -> str:
    if episode is None:
        return "in every episode of the show"
    is_told = user.role == Role.ADMIN or is_public(episode, clock.now())
    return f"in {episode.title!r}" if is_told else "in an episode of the show"


def _name_of(session: Session, user: User, neighbour: Neighbour) -> str:
    # Who else advertises is not told to other advertisers.
    scope = access.scope_of(user)
    if campaigns.get_advertiser(session, neighbour.advertiser.uuid, scope) is None:
        return "Another advertiser's ad"
    return f"The ad {neighbour.placement.uuid} of the campaign {neighbour.campaign.name!r}"
