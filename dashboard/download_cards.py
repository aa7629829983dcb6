"""Downloads as cards: of a show on its page, and of an episode on its own."""

from urllib.parse import urlsplit

import pandas as pd
import streamlit as st

from dashboard import (
    cards,
    charts,
    download_charts,
    download_data,
    download_shares,
    download_tables,
    formats,
    outcome_texts,
    tables,
    theme,
)
from dashboard.app_pages import empty
from models import metrics
from models.downloads import DOWNLOAD
from models.periods import Period
from models.queries.downloads import APP, COUNTRY, DEVICE, Of
from models.sketches import RELATIVE_STANDARD_ERROR, Estimate
from models.tables import Show

NUMBERS = (metrics.DOWNLOADS, metrics.HITS, metrics.SENT_BYTES)
SPLITS = {APP: "Apps", DEVICE: "Devices", COUNTRY: "Countries"}
BARS = 8
NO_COUNTRIES = (
    "No country is known. Addresses are not kept, so whoever runs this server has to name a list of countries "
    "(`EARSHOT_GEO`, or a proxy's `EARSHOT_COUNTRY_HEADER`) before requests and logs come in."
)
SPAN_TITLES = ("On this day", "In 7 days", "In 30 days")


def show_all(show: Show, of: Of, period: Period, one_episode: st.Page | None) -> None:
    """Everything about a show's downloads; a click on an episode's title opens `one_episode`."""
    _disclose()
    days = download_data.days(of, period.first, period.last)
    if not days["hits"].any():
        empty.no_downloads(show, download_data.last_day(of), period)
        return
    _numbers(of, days, period)
    _per_day(days)
    show_episodes(of, period, one_episode)
    _splits(of, period)
    _consumers(of, days)
    _outcomes(of, period)


def show_episode(show: Show, of: Of, period: Period) -> None:
    """An episode's downloads, on its page beside what was heard."""
    if show.feed_url is None:
        st.header("Downloads")
    _disclose()
    days = download_data.days(of, period.first, period.last)
    if not days["hits"].any():
        st.write(f"Nobody has asked for this episode's audio during the last {period.days} days.")
        return
    _numbers(of, days, period)
    _per_day(days)
    _splits(of, period)
    _consumers(of, days)
    _outcomes(of, period)


def hosted_elsewhere(show: Show) -> None:
    """Why a show has downloads and no listens."""
    host = urlsplit(show.feed_url or "").hostname or "another host"
    st.caption(
        f"Hosted elsewhere ({formats.plain(host)}): what is counted here are its downloads, from access logs. What was "
        "listened to is known only of apps that report it to Earshot."
    )


def _disclose() -> None:
    rules = download_data.rules()
    st.caption(
        "Downloads after the IAB's Podcast Technical Measurement Guidelines v2.3. One consumer's requests for an "
        f"episode are one download within **{outcome_texts.window_name(rules.window)}**."
    )


def _numbers(of: Of, days: pd.DataFrame, period: Period) -> None:
    before = period.before()
    cards.row(NUMBERS, days, download_data.days(of, before.first, before.last), period, key="cards-downloads")


def _per_day(days: pd.DataFrame) -> None:
    with st.container(border=True, key="card-download-days"):
        st.subheader("Downloads per day")
        if not days["downloads"].any():
            st.write("There were requests in these days, and none of them counts; see below why.")
            return
        figure = download_charts.per_day(days)
        st.plotly_chart(figure, theme=None, config=charts.CONFIG, alt="Downloads per UTC day")


def show_episodes(of: Of, period: Period, one_episode: st.Page | None) -> None:
    """The table of a show's episodes, with their first days."""
    frame = download_data.episodes(of, period.first, period.last)
    with st.container(border=True, key="card-download-episodes"):
        st.subheader("Episodes")
        st.caption("The first days begin with each episode's own publication, so that old and new can be compared.")
        table = download_tables.episodes(frame)
        st.dataframe(
            table.drop(columns=["uuid"]),
            hide_index=True,
            height=tables.height(table),
            placeholder=formats.DASH,
            row_height=tables.ROW_PIXELS,
            column_config=download_tables.episode_columns(period.days),
        )
    click = st.session_state.get(tables.OPEN_KEY)
    if click is not None and one_episode is not None:
        st.switch_page(one_episode, query_params={"episode": str(table["uuid"].iloc[click["row"]])})


def _splits(of: Of, period: Period) -> None:
    columns = st.columns(len(SPLITS), gap="small")
    for column, (kind, title) in zip(columns, SPLITS.items(), strict=True):
        frame = download_shares.top(download_data.split(of, period.first, period.last, kind), BARS)
        with column, st.container(border=True, key=f"card-download-{kind}", height="stretch"):
            st.subheader(title)
            if frame.empty:
                st.write("No download in these days.")
                continue
            figure = download_charts.bars(frame["name"], frame["downloads"], download_shares.said(frame["downloads"]))
            st.plotly_chart(figure, theme=None, config=charts.CONFIG, alt=f"Downloads by {kind}")
            if kind == COUNTRY and frame["name"].tolist() == [download_data.UNKNOWN]:
                st.caption(NO_COUNTRIES)


def _consumers(of: Of, days: pd.DataFrame) -> None:
    counted = days[days["downloads"] > 0]
    if counted.empty:
        return
    row = download_data.consumers(of, counted["day"].iloc[-1])
    with st.container(border=True, key="card-consumers"):
        st.subheader(metrics.UNIQUE_CONSUMERS.title, help=metrics.UNIQUE_CONSUMERS.definition)
        st.caption(f"Up to {formats.day(row.day)}, the last day with a download. Who comes back is still one.")
        for column, title, estimate in zip(st.columns(len(row.over)), SPAN_TITLES, row.over, strict=True):
            with column:
                st.metric(title, formats.number(estimate.value))
                st.caption(_range(estimate))


def _range(estimate: Estimate) -> str:
    if estimate.is_exact:
        return "counted exactly"
    between = f"{formats.number(estimate.low)} to {formats.number(estimate.high)}"
    return f"{between}, 19 times of 20 (standard error {RELATIVE_STANDARD_ERROR * 100:.1f} %)"


def _outcomes(of: Of, period: Period) -> None:
    frame = download_data.outcomes(of, period.first, period.last)
    with st.container(border=True, key="card-outcomes"):
        st.subheader("Why hits did not count")
        hits = formats.number(frame["hits"].sum())
        st.caption(f"All {hits} requests for audio of the last {period.days} days: a download, or one cause why not.")
        colours = [theme.FETCHED if outcome == DOWNLOAD else theme.MUTED for outcome in frame["outcome"]]
        shares = [f"{share:.1f} %" for share in frame["share"]]
        figure = download_charts.bars(frame["name"], frame["hits"], shares, colours)
        st.plotly_chart(figure, theme=None, config=charts.CONFIG, alt="Hits by what became of them")
        with st.expander("As a table, and what each cause means"):
            table = download_tables.outcomes(frame)
            st.dataframe(table, hide_index=True, height="content", column_config=download_tables.outcome_columns())
            texts = [outcome_texts.text_of(outcome) for outcome in frame["outcome"] if outcome != DOWNLOAD]
            st.markdown("\n".join(f"- **{text.title}**: {text.meaning}" for text in texts))
