"""The frame around every page: who is signed in, what they may open, and how it looks."""

from html import escape

import streamlit as st

from dashboard import money_pages, session, theme
from dashboard.app_pages import (
    campaign,
    campaigns,
    downloads,
    episode,
    episodes,
    explain,
    overview,
    pipeline,
    planner,
)
from models.tables import Role, User


def main() -> None:
    """One run of the script: Streamlit makes one for each change on a page."""
    st.set_page_config(page_title="Earshot", page_icon=theme.LOGO_SVG, layout="wide")
    st.html(f"<style>{theme.CSS}</style>")
    st.logo(theme.LOGO_SVG, size="large")
    user = session.current_user()
    if user is None:
        _signed_out()
        return
    page = st.navigation(_pages(user), expanded=True)
    with st.sidebar:
        _account(user)
    page.run()


def _pages(user: User) -> dict[str, list[st.Page]]:
    """What somebody may open, by the heading that it stands below."""
    if user.role == Role.ADVERTISER:
        return {"Advertising": _advertising(user)}
    if user.role == Role.ADMIN:
        return {
            "Listening": _listening(user),
            "Operations": _operations(user),
            "Advertising": _advertising(user),
            "Payouts": money_pages.for_admin(user),
        }
    return {"Listening": _listening(user), "Payouts": money_pages.for_creator(user)}


def _listening(user: User) -> list[st.Page]:

    def draw_overview() -> None:
        overview.render(user, one_episode)

    def draw_downloads() -> None:
        downloads.render(user, one_episode)

    def draw_episodes() -> None:
        episodes.render(user, one_episode)

    def draw_episode() -> None:
        episode.render(user, all_episodes)

    all_episodes = st.Page(draw_episodes, title="Episodes", icon=":material/podcasts:", url_path="episodes")
    one_episode = st.Page(draw_episode, title="Episode", url_path="episode", visibility="hidden")
    return [
        st.Page(draw_overview, title="Overview", icon=":material/monitoring:", url_path="overview", default=True),
        all_episodes,
        st.Page(draw_downloads, title="Downloads", icon=":material/download:", url_path="downloads"),
        one_episode,
    ]


def _operations(user: User) -> list[st.Page]:
    def draw_explain() -> None:
        explain.render(user)

    return [
        st.Page(pipeline.render, title="Pipeline", icon=":material/account_tree:", url_path="pipeline"),
        st.Page(draw_explain, title=explain.TITLE, icon=":material/rule:", url_path="hits"),
    ]


def _advertising(user: User) -> list[st.Page]:
    def draw_campaigns() -> None:
        campaigns.render(user, one_campaign)

    def draw_campaign() -> None:
        campaign.render(user, all_campaigns)

    def draw_planner() -> None:
        planner.render(user)

    all_campaigns = st.Page(draw_campaigns, title="Campaigns", icon=":material/campaign:", url_path="campaigns")
    one_campaign = st.Page(draw_campaign, title="Campaign", url_path="campaign", visibility="hidden")
    return [
        all_campaigns,
        one_campaign,
        st.Page(draw_planner, title="Planner", icon=":material/join_inner:", url_path="planner"),
    ]


def _account(user: User) -> None:
    name = f"<strong>{escape(user.name)}</strong><br>" if user.name else ""
    sees = " · sees every show" if user.role == Role.ADMIN else ""
    st.html(
        f'<div class="es-account">{name}{escape(user.email)}<br>{escape(user.role)}{sees}<br>'
        '<a href="/sign-out">Sign out</a></div>'
    )


def _signed_out() -> None:
    st.navigation([st.Page(lambda: None, title="Signed out", url_path="signed-out")], position="hidden")
    st.title("You are signed out")
    st.write("This session has ended, here or in another window.")
    st.html('<a href="/sign-in">Sign in again</a>')


main()
