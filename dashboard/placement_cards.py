"""Where a campaign's ads stand, and the forms that change it."""

import pandas as pd
import streamlit as st

from dashboard import campaign_data, campaign_tables, formats, placement_forms, tables
from models.advertising import Campaign


def first(campaign: Campaign) -> None:
    """A campaign without a placement: what to do next."""
    with st.container(border=True, key="card-empty"):
        st.subheader("Say where the ad stands")
        st.write(
            "The campaign counts nothing yet. Choose an episode, or every new episode of a show, and say from when to "
            "when in the recording the ad is heard."
        )
        _new_placement(campaign)
    with st.container(border=True, key="card-creatives"):
        _creatives(campaign, pd.DataFrame({"creative": []}))


def show(campaign: Campaign, placed: pd.DataFrame) -> None:
    """Placements and creatives, and the ways to change them."""
    with st.container(border=True, key="card-placements"):
        st.subheader("Where the ad stands")
        placement_forms.tell_changed(campaign)
        table = campaign_tables.placements(placed)
        st.dataframe(
            table, hide_index=True, height=tables.height(table), row_height=tables.ROW_PIXELS,
            column_config=campaign_tables.placement_columns(), placeholder=formats.DASH,
        )  # fmt: skip
        with st.expander("Add a placement", icon=":material/add:"):
            _new_placement(campaign)
        standing = placed[~placed["is_removed"].astype(bool)]
        if not standing.empty:
            with st.expander("Count back, or remove a placement", icon=":material/edit:"):
                placement_forms.change_placements(campaign, list(standing.itertuples()))
    with st.container(border=True, key="card-creatives"):
        _creatives(campaign, placed)


def _new_placement(campaign: Campaign) -> None:
    shows = campaign_data.catalogue()
    if not shows:
        st.write("There is no show yet that an ad could stand in.")
        return
    placement_forms.new_placement(campaign, campaign_data.creatives(campaign), shows)


def _creatives(campaign: Campaign, placed: pd.DataFrame) -> None:
    st.subheader("Creatives")
    rows = campaign_data.creatives(campaign)
    if rows:
        counts = placed["creative"].value_counts()
        table = pd.DataFrame(
            {
                "name": [row.name for row in rows],
                "click_url": [row.click_url or formats.DASH for row in rows],
                "placements": [int(counts.get(row.name, 0)) for row in rows],
            }
        )
        st.dataframe(
            table, hide_index=True, height=tables.height(table), column_config=campaign_tables.creative_columns()
        )
    else:
        st.write("None yet. A creative says what is heard and where it leads; a placement can name one.")
    with st.expander("Add a creative", icon=":material/add:"):
        placement_forms.new_creative(campaign)
