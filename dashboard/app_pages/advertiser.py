"""What an advertiser can do today."""

import streamlit as st


def render() -> None:
    """An honest page: campaigns are not built yet."""
    st.title("Campaigns")
    with st.container(border=True, key="card-empty"):
        st.subheader("Nothing to book yet")
        st.write(
            "Campaigns, reach and confirmed impressions are not part of this version. Your account works: you can sign "
            "in, and use its API key with the API. Shows and their listening numbers belong to their creators and are "
            "not visible to advertisers."
        )
