"""Advertisers, their campaigns and creatives: what happens when they are made and changed."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session

from api import audit_trail, clock, exhausting
from api.advertising import access
from api.advertising.refusals import (
    BusyError,
    DaysError,
    FixedError,
    HeardError,
    NameTakenError,
    NotAdvertisingError,
    OutsideCampaignError,
    TooSmallBudgetError,
)
from api.errors import NotFoundError
from models.advertising import Advertiser, Campaign, Creative
from models.privacy_cells import LEAST
from models.queries import accounts, campaigns, placements, spending
from models.spending import Spending, get_spending, terms_of
from models.tables import Role, User

MAX_CAMPAIGN_DAYS = 1100
"""Three years: a bound on what pacing has to show."""
FIXED_TERMS = ("price_cents", "currency", "billing", "confirm_percent")
"""What every impression was counted or settled by."""
WAIT_SECONDS = 5
"""For a close that is under way; it may take minutes."""

# -- advertisers -----------------------------------------------------------------------------------------------------


def add_advertiser(session: Session, user: User, name: str) -> Advertiser:
    """Make an advertiser; for admins."""
    advertiser = Advertiser(name=name, created_at=clock.now())
    try:
        campaigns.append_advertiser(session, advertiser)
    except IntegrityError as error:
        raise NameTakenError(f"There is an advertiser {name!r} already. Choose another name.") from error
    audit_trail.append(session, user, "advertiser.created", "advertiser", advertiser.uuid, {"name": name})
    return advertiser


def rename_advertiser(session: Session, user: User, advertiser_id: UUID, name: str) -> Advertiser:
    """Give an advertiser another name; for admins."""
    advertiser = access.get_advertiser(session, user, advertiser_id)
    before, advertiser.name = advertiser.name, name
    if before == name:
        return advertiser
    try:
        session.flush()
    except IntegrityError as error:
        raise NameTakenError(f"There is an advertiser {name!r} already. Choose another name.") from error
    detail = {"name": [before, name]}
    audit_trail.append(session, user, "advertiser.changed", "advertiser", advertiser.uuid, detail)
    return advertiser


def add_member(session: Session, user: User, advertiser_id: UUID, email: str) -> Advertiser:
    """Let an account with the role advertiser see and change the advertiser's campaigns; for admins."""
    advertiser = access.get_advertiser(session, user, advertiser_id)
    member = _get_account(session, email)
    if member.role != Role.ADVERTISER:
        raise NotAdvertisingError(
            f"{member.email} is a {member.role}. Only accounts with the role advertiser can be members: make one with "
            "earshot users add EMAIL --role advertiser"
        )
    if campaigns.put_member(session, access.key_of(advertiser), access.key_of(member)):
        detail = {"email": member.email}
        audit_trail.append(session, user, "advertiser.member_added", "advertiser", advertiser.uuid, detail)
    return advertiser


def remove_member(session: Session, user: User, advertiser_id: UUID, email: str) -> None:
    """Take the right away; campaigns stay. For admins."""
    advertiser = access.get_advertiser(session, user, advertiser_id)
    member = _get_account(session, email)
    if campaigns.delete_member(session, access.key_of(advertiser), access.key_of(member)):
        detail = {"email": member.email}
        audit_trail.append(session, user, "advertiser.member_removed", "advertiser", advertiser.uuid, detail)


def _get_account(session: Session, email: str) -> User:
    account = accounts.get_user_by_email(session, email)
    if account is None:
        raise NotFoundError(f"There is no account {email.strip().lower()}. All accounts: earshot users list")
    return account


# -- campaigns -------------------------------------------------------------------------------------------------------


def add_campaign(session: Session, user: User, fields: dict[str, Any]) -> tuple[Campaign, Advertiser]:
    """Make a campaign of one of the user's advertisers."""
    advertiser = access.get_advertiser(session, user, fields.pop("advertiser_id"))
    now = clock.now()
    campaign = Campaign(
        advertiser_id=access.key_of(advertiser),
        created_by=access.key_of(user),
        created_at=now,
        updated_at=now,
        **fields,
    )
    _check_days(campaign.from_day, campaign.to_day)
    if campaign.to_day < now.date():
        raise DaysError(f"to_day={campaign.to_day} is over already (today is {now.date()}, UTC). Choose a later one.")
    _check_budget(campaign)
    taken = _name_taken(campaign, advertiser)
    try:
        campaigns.append_campaign(session, campaign)
    except IntegrityError as error:
        raise taken from error
    audit_trail.append(session, user, "campaign.created", "campaign", campaign.uuid, fields)
    return campaign, advertiser


def change_campaign(
    session: Session, user: User, campaign_id: UUID, changes: dict[str, Any]
) -> tuple[Campaign, Advertiser]:
    """Set the fields in `changes`, as far as counted impressions, statements and placements allow."""
    access.get_campaign(session, user, campaign_id)  # who may not change it waits for nothing
    campaign, advertiser = _lock(session, user, campaign_id)
    changed = {name: value for name, value in changes.items() if getattr(campaign, name) != value}
    if not changed:
        return campaign, advertiser
    _refuse_fixed(session, campaign, changed)
    detail = {name: [getattr(campaign, name), value] for name, value in changed.items()}
    before = get_spending(session, campaign)
    for name, value in changed.items():
        setattr(campaign, name, value)
    with session.no_autoflush:  # a name that is taken shows when it is written, below
        _check_days(campaign.from_day, campaign.to_day)
        _check_placements_days(session, campaign)
        _check_budget(campaign)
        _refuse_below_heard(campaign, before)
    campaign.updated_at = clock.now()
    taken = _name_taken(campaign, advertiser)
    try:
        session.flush()
    except IntegrityError as error:
        raise taken from error
    if campaign.exhausted_at is None:
        exhausting.note_campaign(session, campaign, clock.now())
        session.refresh(campaign)
    elif not get_spending(session, campaign).is_exhausted:
        campaign.exhausted_at = None  # when it is used up again, that is told again
    said = {**detail, "currency": campaign.currency}
    audit_trail.append(session, user, "campaign.changed", "campaign", campaign.uuid, said)
    return campaign, advertiser


def _lock(session: Session, user: User, campaign_id: UUID) -> tuple[Campaign, Advertiser]:
    """The campaign, kept from closes and other writers."""
    try:
        spending.lock_terms(session.connection(), WAIT_SECONDS)
        return access.get_campaign(session, user, campaign_id, for_update=True)
    except OperationalError as error:
        if "lock timeout" not in str(error.orig):
            raise
        raise BusyError("A month is being closed. Send the change again in a minute.", 60) from error


def _name_taken(campaign: Campaign, advertiser: Advertiser) -> NameTakenError:
    # Worded beforehand: after the store's refusal the rows cannot be read.
    return NameTakenError(f"{advertiser.name} has a campaign {campaign.name!r} already. Choose another name.")


def _check_days(first: date, last: date) -> None:
    if first > last:
        raise DaysError(f"from_day={first} is after to_day={last}. Swap them; the last day is included.")
    if (last - first).days >= MAX_CAMPAIGN_DAYS:
        raise DaysError(f"{first} to {last} is more than {MAX_CAMPAIGN_DAYS} days. Make several campaigns.")


def _check_budget(campaign: Campaign) -> None:
    least = -(-LEAST * campaign.price_cents // 1000)
    if campaign.budget_cents < least:
        raise TooSmallBudgetError(
            f"A budget of {campaign.budget_cents} does not pay for {LEAST} impressions at {campaign.price_cents} for "
            f"1,000. Send a budget_cents of at least {least}, or a lower price_cents."
        )


def _refuse_fixed(session: Session, campaign: Campaign, changed: dict[str, Any]) -> None:
    fixed = [name for name in FIXED_TERMS if name in changed]
    if not fixed:
        return
    if spending.has_settled(session, access.key_of(campaign)):
        raise FixedError(
            f"{' and '.join(fixed)} cannot change any more: a statement has settled impressions of this campaign by "
            "it. Let it end, and make a new campaign with the new terms."
        )
    # By the calendar, not by what was counted: else it would show when the first device has heard an ad.
    outermost = placements.get_outermost_days(session, access.key_of(campaign))
    if outermost is not None and outermost[0] <= clock.now().date():
        raise FixedError(
            f"{' and '.join(fixed)} cannot change any more: impressions are counted by it since {outermost[0]}. Let "
            "this campaign end, and make a new one with the new terms."
        )


def _check_placements_days(session: Session, campaign: Campaign) -> None:
    outermost = placements.get_outermost_days(session, access.key_of(campaign))
    if outermost is not None and (outermost[0] < campaign.from_day or outermost[1] > campaign.to_day):
        raise OutsideCampaignError(
            f"Its placements run from {outermost[0]} to {outermost[1]}, so the campaign cannot be from "
            f"{campaign.from_day} to {campaign.to_day}. Change or remove those placements first."
        )


def _refuse_below_heard(campaign: Campaign, before: Spending) -> None:
    """What was heard by the terms of its day is paid by them, whether or not a statement has settled it yet."""
    (total, of_day), after = before.heard, terms_of(campaign)
    if after.most_impressions < min(total, before.terms.most_impressions):
        raise HeardError(
            f"Up to {total} impressions are billed already. Send a budget_cents of at least "
            f"{-(-total * campaign.price_cents // 1000)}, and an impression_cap of at least {total}, or null."
        )
    if after.daily_cap is not None and after.daily_cap < min(of_day, before.terms.daily_cap or of_day):
        raise HeardError(f"Up to {of_day} impressions of a day are billed already. Send at least that, or null.")


# -- creatives -------------------------------------------------------------------------------------------------------


def add_creative(session: Session, user: User, campaign_id: UUID, name: str, click_url: str) -> Creative:
    """Add what is said in an ad to a campaign."""
    campaign, _ = access.get_campaign(session, user, campaign_id)
    creative = Creative(campaign_id=access.key_of(campaign), name=name, click_url=click_url, created_at=clock.now())
    try:
        campaigns.append_creative(session, creative)
    except IntegrityError as error:
        raise NameTakenError(f"This campaign has a creative {name!r} already. Choose another name.") from error
    detail = {"creative": creative.uuid, "name": name, "click_url": click_url}
    audit_trail.append(session, user, "campaign.creative_added", "campaign", campaign.uuid, detail)
    return creative
