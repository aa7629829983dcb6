"""All campaigns that somebody may see, how each is pacing, and the form for a new one."""

import pandas as pd
import streamlit as st

from dashboard import campaign_data, campaign_forms, campaign_tables, tables
from models.advertising import Advertiser
from models.tables import Role, User


def render(user: User, one_campaign: st.Page | None) -> None:
    """The whole page; a click on a name opens `one_campaign`."""
    st.title("Campaigns")
    advertisers = campaign_data.advertisers(user)
    if not advertisers:
        _no_advertiser(user)
        return
    frame = campaign_data.campaigns(user)
    if frame.empty:
        with st.container(border=True, key="card-empty"):
            st.subheader("Make your first campaign")
            st.write(
                "Say what a thousand impressions are worth to you, how much you want to spend, and when. Then choose "
                "the episodes in which your ad stands."
            )
            campaign_forms.new_campaign(advertisers)
    else:
        _table(frame, advertisers, one_campaign)
        with st.expander("New campaign", icon=":material/add:"):
            campaign_forms.new_campaign(advertisers)
    if user.role == Role.ADMIN:
        _accounts(advertisers)


def _table(frame: pd.DataFrame, advertisers: list[Advertiser], one_campaign: st.Page | None) -> None:
    st.caption(
        "Spent is what is billed and what will be, of what was counted until now. Choose a name to open its page."
    )
    table = campaign_tables.campaigns(frame)
    columns = campaign_tables.campaign_columns(has_several=len(advertisers) > 1)
    st.dataframe(
        table, hide_index=True, height=tables.height(table), row_height=tables.ROW_PIXELS, column_config=columns
    )
    click = st.session_state.get(campaign_tables.OPEN_KEY)
    if click is not None and one_campaign is not None:
        st.switch_page(one_campaign, query_params={"campaign": str(table["uuid"].iloc[click["row"]])})


def _no_advertiser(user: User) -> None:
    with st.container(border=True, key="card-empty"):
        if user.role == Role.ADMIN:
            st.subheader("There are no advertisers yet")
            st.write("Add the first company here, then the accounts that may see and change its campaigns.")
            campaign_forms.new_advertiser()
            return
        st.subheader("Your account belongs to no advertiser yet")
        st.write(
            f"Ask whoever runs this server to add {user.email} to your company. As soon as that is done, you make and "
            "follow its campaigns here."
        )


def _accounts(advertisers: list[Advertiser]) -> None:
    with st.expander("Advertisers and their accounts", icon=":material/group:"):
        campaign_forms.new_advertiser()
        st.divider()
        campaign_forms.new_member(advertisers)
