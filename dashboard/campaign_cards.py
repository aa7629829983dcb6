"""A campaign's numbers as cards."""

import streamlit as st

from dashboard import (
    campaign_charts,
    campaign_forms,
    campaign_tables,
    cells,
    charts,
    clock,
    formats,
    money,
    pace,
    tables,
)
from dashboard.campaign_data import Money
from dashboard.campaign_report import Report
from models.advertising import Billing, Campaign
from models.campaign_reports import ToldCounts
from models.privacy_cells import LEAST

BARS = 8
NOBODY = "No device has heard the ad yet."
SMALL = f"; what has {cells.FEWER} is not listed"
NOTHING = "No impression yet. An ad counts as soon as somebody fetches or hears its part of an episode."


def numbers(campaign: Campaign, report: Report, spent: Money) -> None:
    """The row of numbers at the top."""
    totals, reached = report.totals, report.reached
    cards = (
        ("Delivered", cells.short(totals.delivered), "downloads with the whole ad in them"),
        ("Confirmed", cells.short(totals.confirmed), f"heard {campaign_forms.confirming(campaign.confirm_percent)}"),
        ("Offline share", *_offline(totals)),
        ("Reach", cells.short(reached.value), cells.certainty(reached)),
        (
            "Spent",
            money.said(spent.pace.spent_cents, campaign.currency),
            f"of {money.said(campaign.budget_cents, campaign.currency)}",
        ),
    )
    with st.container(key="cards-campaign"):
        columns = st.columns(len(cards), gap="small")
    for column, (title, value, note) in zip(columns, cards, strict=True):
        with column, st.container(border=True, key=f"card-number-{title.split()[0].lower()}", height="stretch"):
            st.metric(title, value)
            st.caption(note)


def _offline(totals: ToldCounts) -> tuple[str, str]:
    share = cells.share(totals.offline_confirmed, totals.confirmed)
    if share == cells.FEWER:
        return formats.DASH, f"{cells.FEWER} were heard offline"
    return share, "of the confirmed ones"


def per_day(report: Report) -> None:
    """Delivered against confirmed, by day."""
    with st.container(border=True, key="card-impressions"):
        st.subheader("Delivered and confirmed")
        if report.is_empty:
            st.write(NOTHING)
            return
        st.caption(
            "Days are UTC. An impression counts on the day it was heard: phones that were offline report later, so the "
            "last days still grow. Delivered says that the ad was fetched, confirmed that a device heard it."
        )
        figure = campaign_charts.impressions_per_day(report.days)
        st.plotly_chart(figure, theme=None, config=charts.CONFIG, alt="Delivered and confirmed impressions per UTC day")


def spend(campaign: Campaign, spent: Money) -> None:
    """The budget, and how it goes."""
    kind = "delivered" if campaign.billing == Billing.DELIVERED else "confirmed"
    price = money.said(campaign.price_cents, campaign.currency)
    with st.container(border=True, key="card-budget"):
        st.subheader("Spend against budget")
        said = [
            f"{price} for 1,000 {kind} impressions",
            pace.days_left(campaign, spent.pace, spent.state, clock.today()),
        ]
        if spent.state == "running":
            said.append(pace.words(spent.pace, spent.state).lower())
        st.caption(" · ".join(said))
        figure = campaign_charts.spend(spent.curve, campaign.budget_cents, campaign.currency, clock.today())
        st.plotly_chart(
            figure, theme=None, config=charts.CONFIG, alt="Money spent by day, the even pace and the budget"
        )
        with st.expander("Change budget, days or caps"):
            campaign_forms.change(campaign)


def heard(campaign: Campaign, report: Report) -> None:
    """How much of the ad was heard, and how often by a device."""
    left, right = st.columns(2, gap="small")
    with left, st.container(border=True, key="card-quartiles", height="stretch"):
        st.subheader("How much of the ad was heard")
        st.caption(
            f"Impressions in which a device heard so much. The dark one confirms: "
            f"{campaign_forms.confirming(campaign.confirm_percent)}."
        )
        figure = campaign_charts.quartiles(report.quartiles)
        st.plotly_chart(figure, theme=None, config=charts.CONFIG, alt="Impressions by how much of the ad was heard")
    with right, st.container(border=True, key="card-frequency", height="stretch"):
        st.subheader("How often a device heard it")
        st.caption("Devices by their confirmed impressions over the whole campaign.")
        if report.frequency.empty:
            st.write(NOBODY)
        else:
            shares = report.frequency["share"].tolist()
            figure = campaign_charts.bars(
                report.frequency["name"], report.frequency["devices"], shares, charts.theme.PINE
            )
            st.plotly_chart(figure, theme=None, config=charts.CONFIG, alt="Devices by frequency")


def reach(report: Report) -> None:
    """Devices reached over time."""
    with st.container(border=True, key="card-reach-curve"):
        st.subheader("Reach over time")
        st.caption(
            "Different devices with a confirmed impression, from the first day to the end of each. By now: "
            f"**{cells.reach(report.reached)}**."
        )
        if report.curve.empty:
            st.write(f"The curve begins with the first {LEAST} devices." if report.is_guarded else NOBODY)
            return
        figure = campaign_charts.reach_curve(report.curve)
        st.plotly_chart(figure, theme=None, config=charts.CONFIG, alt="Devices reached by the end of each UTC day")


def splits(report: Report) -> None:
    """Where delivered impressions went."""
    columns = st.columns(len(report.splits), gap="small")
    for column, (title, frame) in zip(columns, report.splits.items(), strict=True):
        with column, st.container(border=True, key=f"card-{title.lower()}", height="stretch"):
            st.subheader(title)
            st.caption(f"Delivered impressions{SMALL if report.is_guarded else ''}")
            if frame.empty:
                st.write(cells.FEWER.capitalize() + " each." if report.is_guarded else "Nothing was delivered yet.")
                continue
            figure = campaign_charts.bars(frame["name"], frame["delivered"], frame["share"].tolist())
            st.plotly_chart(figure, theme=None, config=charts.CONFIG, alt=f"Delivered impressions by {title.lower()}")


def episodes(report: Report) -> None:
    """What each episode brought."""
    with st.container(border=True, key="card-episodes"):
        st.subheader("By episode")
        if report.episodes.empty:
            st.write(NOTHING)
            return
        table = campaign_tables.episodes(report.episodes)
        st.dataframe(
            table, hide_index=True, height=tables.height(table), row_height=tables.ROW_PIXELS,
            column_config=campaign_tables.episode_columns(), placeholder=formats.DASH,
        )  # fmt: skip
