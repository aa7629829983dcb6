"""One campaign's own page: what it brought, what it cost, and where its ads stand."""

import streamlit as st

from dashboard import campaign_cards, campaign_data, campaign_tables, cells, formats, pace, placement_cards
from models.advertising import Advertiser
from models.tables import User


def render(user: User, all_campaigns: st.Page | None) -> None:
    """The page of the campaign that the address names with `?campaign=`, if it is one of the user's."""
    found = campaign_data.campaign(user, st.query_params.get("campaign", ""))
    if st.button("All campaigns", icon=":material/arrow_back:", type="tertiary") and all_campaigns is not None:
        st.switch_page(all_campaigns)
    if found is None:
        st.title("No such campaign")
        st.write("It is not among your campaigns.")
        return
    campaign, advertiser = found
    money = campaign_data.money(campaign, user)
    st.title(formats.plain(campaign.name))
    st.markdown(f"{campaign_tables.badge(money.state)} {formats.plain(_about(advertiser))} · {pace.about(campaign)}")
    placed = campaign_data.placements(campaign)
    if placed.empty:
        placement_cards.first(campaign)
        return
    report = campaign_data.report(campaign, user)
    campaign_cards.numbers(campaign, report, money)
    if campaign_data.is_guarded(user):
        st.caption(cells.ROUNDED)
    campaign_cards.per_day(report)
    campaign_cards.spend(campaign, money)
    campaign_cards.heard(campaign, report)
    campaign_cards.reach(report)
    campaign_cards.splits(report)
    campaign_cards.episodes(report)
    placement_cards.show(campaign, placed)


def _about(advertiser: Advertiser) -> str:
    return advertiser.name
