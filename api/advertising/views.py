"""Rows as the API shows them."""

from datetime import date
from typing import Literal

from sqlmodel import Session

from api import clock
from api.advertising import access
from api.advertising.placement_schemas import EpisodeToBuy, PlacementOut, ShowPlacement, ShowToBuy
from api.advertising.schemas import AdvertiserOut, CampaignOut, CreativeOut
from models.advertising import Advertiser, Campaign, Creative
from models.queries import campaigns, impressions
from models.queries.placements import InShow, Placed
from models.spending import terms_of
from models.tables import Episode, Show


def advertisers_out(session: Session, found: list[Advertiser]) -> list[AdvertiserOut]:
    """Advertisers with their members."""
    members = campaigns.list_members(session, [access.key_of(advertiser) for advertiser in found])
    return [
        AdvertiserOut(
            id=advertiser.uuid,
            name=advertiser.name,
            members=[user.email for of, user in members if of == advertiser.id],
            created_at=advertiser.created_at,
        )
        for advertiser in found
    ]


def campaign_out(campaign: Campaign, advertiser: Advertiser) -> CampaignOut:
    """A campaign with its advertiser, as it is today."""
    return CampaignOut.model_validate(
        {
            **campaign.model_dump(exclude={"id"}),
            "id": campaign.uuid,
            "advertiser_id": advertiser.uuid,
            "advertiser": advertiser.name,
            "state": state_of(campaign, clock.now().date()),
            "most_impressions": terms_of(campaign).most_impressions,
        }
    )


def state_of(campaign: Campaign, today: date) -> Literal["upcoming", "running", "exhausted", "ended"]:
    """Where a campaign is; one that was used up stays so."""
    if campaign.exhausted_at is not None:
        return "exhausted"
    if today < campaign.from_day:
        return "upcoming"
    return "running" if today <= campaign.to_day else "ended"


def creative_out(creative: Creative) -> CreativeOut:
    """A creative."""
    return CreativeOut(
        id=creative.uuid, name=creative.name, click_url=creative.click_url, created_at=creative.created_at
    )


def placements_out(session: Session, campaign: Campaign, found: list[Placed]) -> list[PlacementOut]:
    """A campaign's placements, and whether each is counted as it stands."""
    connection = session.connection()
    uncounted = {
        key
        for key in (access.key_of(placed.placement) for placed in found)
        if not impressions.get_counting_progress(connection, key).is_done
    }
    return [
        PlacementOut.model_validate(
            {
                **placement.model_dump(exclude={"id"}),
                "id": placement.uuid,
                "campaign_id": campaign.uuid,
                "creative_id": creative and creative.uuid,
                "creative": creative and creative.name,
                "show_id": show.uuid,
                "show": show.title,
                "episode_id": episode and episode.uuid,
                "episode": episode and episode.title,
                "counting": "pending" if placement.id in uncounted else "current",
            }
        )
        for placement, show, episode, creative in found
    ]


def show_placement_out(row: InShow) -> ShowPlacement:
    """A placement as the show's creator sees it."""
    placement, episode, creative = row.placement, row.episode, row.creative
    return ShowPlacement.model_validate(
        {
            **placement.model_dump(include={"start_ms", "end_ms", "from_day", "to_day", "removed_at"}),
            "id": placement.uuid,
            "advertiser": row.advertiser.name,
            "campaign": row.campaign.name,
            "creative": creative and creative.name,
            "click_url": creative and creative.click_url,
            "episode_id": episode and episode.uuid,
            "episode": episode and episode.title,
            "delivered": row.delivered,
            "confirmed": row.confirmed,
            "offline_confirmed": row.offline_confirmed,
        }
    )


def show_to_buy(show: Show, episodes: list[Episode]) -> ShowToBuy:
    """A show of the catalogue."""
    return ShowToBuy(
        id=show.uuid,
        title=show.title,
        author=show.author,
        category=show.category,
        language=show.language,
        episodes=[
            EpisodeToBuy(id=e.uuid, title=e.title, published_at=e.published_at, duration_ms=e.duration_ms or 0)
            for e in episodes
        ],
    )
