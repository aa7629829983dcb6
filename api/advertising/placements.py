"""Placing ads in recordings: adding, changing, removing, and counting back what was heard before."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session

from api import audit_trail, clock
from api.advertising import access, placing
from api.advertising.refusals import FixedError, OtherShowError, OutsideCampaignError, PastError, RemovedError
from api.errors import NotFoundError
from models.advertising import Campaign, Placement
from models.queries import campaigns, placements
from models.queries.placements import Placed
from models.tables import Episode, Role, Show, User


def add_placement(session: Session, user: User, campaign_id: UUID, fields: dict[str, Any]) -> Placed:
    """Place an ad in an episode, or in a whole show."""
    campaign, _ = access.get_campaign(session, user, campaign_id, for_update=True)
    today = clock.now().date()
    placing.refuse_ended(campaign, today)
    placing.refuse_spent(session, campaign)
    show = placements.get_show(session, fields["show_id"])
    if show is None:
        raise NotFoundError("There is no such show. GET /v1/catalogue lists those that can be bought.")
    episode = _get_episode(session, user, show, fields["episode_id"])
    placement = Placement(
        campaign_id=access.key_of(campaign),
        creative_id=_get_creative_id(session, campaign, fields["creative_id"]),
        show_id=access.key_of(show),
        episode_id=None if episode is None else episode.id,
        start_ms=fields["start_ms"],
        end_ms=fields["end_ms"],
        from_day=fields["from_day"] or max(today, campaign.from_day),
        to_day=fields["to_day"] or campaign.to_day,
        created_by=access.key_of(user),
        created_at=clock.now(),
    )
    if placement.from_day < today:
        raise PastError(
            f"from_day={placement.from_day} is over (today is {today}, UTC). Leave it out or send a later one; then "
            'ask for the days before: POST /v1/placements/{id}/count-back {"from_day": ...}'
        )
    placing.check(session, user, campaign, placement, episode)
    placements.append_placement(session, placement)
    detail = {"campaign": campaign.uuid, "show": show.uuid, "episode": episode and episode.uuid, **_terms_of(placement)}
    audit_trail.append(session, user, "placement.created", "placement", placement.uuid, detail)
    return placements.get_placed(session, access.key_of(placement))


def change_placement(session: Session, user: User, placement_id: UUID, changes: dict[str, Any]) -> Placed:
    """Set the fields in `changes`, as far as what was counted allows."""
    placement, campaign = _get_standing(session, user, placement_id)
    key = access.key_of(placement)
    before = _terms_of(placement)
    if "creative_id" in changes:
        changes["creative_id"] = _get_creative_id(session, campaign, changes["creative_id"])
    changed = {name: value for name, value in changes.items() if getattr(placement, name) != value}
    _refuse_changing_the_past(placement, changed, clock.now().date())
    for name, value in changed.items():
        setattr(placement, name, value)
    if changed.keys() - {"creative_id"}:
        placements.lock_show(session, placement.show_id)
        with session.no_autoflush:
            placing.check(session, user, campaign, placement, placements.get_placed(session, key).episode)
    if changed:
        after = _terms_of(placement)
        detail = {name: [before[name], after[name]] for name in after if before[name] != after[name]}
        audit_trail.append(session, user, "placement.changed", "placement", placement.uuid, detail)
        session.flush()
    return placements.get_placed(session, key)


def remove_placement(session: Session, user: User, placement_id: UUID) -> None:
    """End a placement with today, so that what was heard stays counted; one of later days never begins. Removing it
    again does nothing."""
    placement, _ = access.get_placement(session, user, placement_id)
    if placement.removed_at is not None:
        return
    placement.removed_at = clock.now()
    today = placement.removed_at.date()
    last = today if placement.from_day <= today else today - timedelta(days=1)
    placement.to_day = min(placement.to_day, last)
    detail = {"to_day": placement.to_day}
    audit_trail.append(session, user, "placement.removed", "placement", placement.uuid, detail)


@dataclass(frozen=True, slots=True)
class CountedBack:
    """What counting back will do."""

    placed: Placed
    first: date
    last: date
    """The last day that was not counted before."""

    @property
    def days(self) -> int:
        """How many days are counted now that were not."""
        return (self.last - self.first).days + 1


def count_back(session: Session, user: User, placement_id: UUID, first: date) -> CountedBack:
    """Have a placement count what was heard from `first` on, from the coverage that is stored already."""
    placement, campaign = _get_standing(session, user, placement_id)
    today, counted_from = clock.now().date(), placement.from_day
    _check_days_back(session, campaign, placement, first, today)
    placing.refuse_spent(session, campaign)
    placements.lock_show(session, placement.show_id)
    placement.from_day, placement.is_counted_back = first, True
    key = access.key_of(placement)
    with session.no_autoflush:
        placing.check(session, user, campaign, placement, placements.get_placed(session, key).episode)
    detail = {"from_day": [counted_from, first]}
    audit_trail.append(session, user, "placement.counted_back", "placement", placement.uuid, detail)
    session.flush()
    last = min(counted_from - timedelta(days=1), today, placement.to_day)
    return CountedBack(placements.get_placed(session, key), first, last)


def _check_days_back(session: Session, campaign: Campaign, placement: Placement, first: date, today: date) -> None:
    if first >= placement.from_day:
        raise PastError(
            f"This placement counts from {placement.from_day} on already. Send an earlier from_day to count back; to "
            "begin later, PATCH /v1/placements/{id}"
        )
    if first >= today:
        raise PastError(
            f"{first} is not over yet (today is {today}, UTC). To begin earlier, PATCH /v1/placements/{{id}}"
        )
    if first < campaign.from_day:
        raise OutsideCampaignError(
            f"The campaign begins on {campaign.from_day}. Send that day or a later one, or change the campaign first."
        )
    kept = placements.get_first_kept_day(session)
    if kept is None or first < kept:
        since = "nothing has been heard or downloaded yet" if kept is None else f"what was heard is kept from {kept} on"
        raise PastError(f"Counting back to {first} is not possible: {since}. Send that day or a later one.")


def _get_standing(session: Session, user: User, placement_id: UUID) -> tuple[Placement, Campaign]:
    placement, campaign = access.get_placement(session, user, placement_id)
    if placement.removed_at is not None:
        raise RemovedError(
            f"This placement was removed on {placement.removed_at.date()}. What it counted stays. To go on, add "
            "another."
        )
    return placement, campaign


def _refuse_changing_the_past(placement: Placement, changed: dict[str, Any], today: date) -> None:
    fixed = changed.keys() & {"start_ms", "end_ms", "from_day"}
    # By the calendar, not by what was counted: else it would show when the first device has heard the ad.
    if fixed and placement.from_day <= today:
        raise FixedError(
            f"{' and '.join(sorted(fixed))} cannot change any more: impressions are counted since "
            f"{placement.from_day}. Remove it and add another. Days before: POST /v1/placements/{{id}}/count-back"
        )
    if "from_day" in changed and changed["from_day"] < today:
        raise PastError(
            f"from_day={changed['from_day']} is over (today is {today}, UTC). To count days that are over: POST "
            '/v1/placements/{id}/count-back {"from_day": ...}'
        )
    if "to_day" in changed and changed["to_day"] < today:
        raise PastError(f"What was heard stays counted: the earliest to_day is today, {today}.")


def _get_episode(session: Session, user: User, show: Show, episode_id: UUID | None) -> Episode | None:
    if episode_id is None:
        return None
    episode = placements.get_episode(session, episode_id)
    if episode is None or not (user.role == Role.ADMIN or placing.is_public(episode, clock.now())):
        raise NotFoundError("There is no such episode. GET /v1/catalogue lists those that can be bought.")
    if episode.show_id != show.id:
        raise OtherShowError(
            f"{episode.title!r} is not an episode of {show.title!r}. Send the show_id of its own show, or another "
            "episode_id."
        )
    return episode


def _get_creative_id(session: Session, campaign: Campaign, creative_id: UUID | None) -> int | None:
    if creative_id is None:
        return None
    creative = campaigns.get_creative(session, creative_id, access.key_of(campaign))
    if creative is None:
        raise NotFoundError(
            "This campaign has no such creative. GET /v1/campaigns/{id}/creatives lists those it has, POST adds one."
        )
    return creative.id


def _terms_of(placement: Placement) -> dict[str, Any]:
    return placement.model_dump(include={"start_ms", "end_ms", "from_day", "to_day", "creative_id"})
