"""Who may see what of advertising: advertisers their own campaigns, admins all. What is not yours is not there."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends
from sqlmodel import Session

from api.deps import require
from api.errors import NotFoundError
from models.advertising import Advertiser, Campaign, Placement
from models.queries import campaigns, placements
from models.tables import Role, Show, User

BuyerDep = Annotated[User, Depends(require(Role.ADVERTISER, Role.ADMIN))]
"""An advertiser, or an admin, who may see and change every campaign."""
AdminDep = Annotated[User, Depends(require(Role.ADMIN))]


def scope_of(user: User) -> int | None:
    """Whose advertisers this user may see and change: those they are a member of; an admin everybody's (None)."""
    return None if user.role == Role.ADMIN else user.id


def get_advertiser(session: Session, user: User, advertiser_id: UUID) -> Advertiser:
    """An advertiser of this user's; another one is as good as not there."""
    advertiser = campaigns.get_advertiser(session, advertiser_id, scope_of(user))
    if advertiser is None:
        raise NotFoundError("There is no such advertiser among yours. GET /v1/advertisers lists them with their ids.")
    return advertiser


def get_campaign(
    session: Session, user: User, campaign_id: UUID, *, for_update: bool = False
) -> tuple[Campaign, Advertiser]:
    """A campaign of this user's, with its advertiser; `for_update` keeps other writers of it waiting."""
    found = campaigns.get_campaign(session, campaign_id, scope_of(user), for_update=for_update)
    if found is None:
        raise NotFoundError("There is no such campaign among yours. GET /v1/campaigns lists them with their ids.")
    return found


def get_placement(session: Session, user: User, placement_id: UUID) -> tuple[Placement, Campaign]:
    """A placement of this user's, with its campaign, both kept from other writers."""
    found = placements.get_placement(session, placement_id, scope_of(user))
    if found is None:
        raise NotFoundError(
            "There is no such placement in your campaigns. GET /v1/campaigns/{id}/placements lists them."
        )
    return found


def key_of(row: Advertiser | Campaign | Placement | Show | User) -> int:
    """The small key of a row that was read from the store."""
    if row.id is None:
        raise ValueError("this row was never stored")
    return row.id
