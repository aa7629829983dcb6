"""What stands before an admin who approves: the reasons to say yes or no, and all that the statement says."""

import json

import streamlit as st

from dashboard import charts, download_charts, evidence_data, formats, hold_texts, money, outcome_texts, tables, theme
from dashboard import statement_charts as figures
from dashboard import statement_tables as shown
from dashboard.evidence_data import Completeness, Evidence
from dashboard.statement_data import Detail, month, payable_cents
from models.downloads import DOWNLOAD

FINE, LOOK = "\N{CHECK MARK}", "\N{WARNING SIGN}\N{VARIATION SELECTOR-15}"
MUCH = 0.5
"""A total that differs by more than so much of the last one is worth a look."""


def checklist(detail: Detail, found: Evidence) -> list[tuple[bool, str]]:
    """Each reason as Markdown, and whether there is nothing to look at."""
    return [_drafted(detail), _change(detail), _completeness(found.completeness), _kept_back(found), _late(detail)]


def draw_checklist(detail: Detail, found: Evidence) -> None:
    """The reasons, one below the other."""
    with st.container(border=True, key="card-evidence", height="stretch"):
        st.subheader("Before you decide")
        for is_fine, text in checklist(detail, found):
            st.markdown(f"{FINE if is_fine else LOOK} {text}")


def _drafted(detail: Detail) -> tuple[bool, str]:
    row = detail.statement
    when = f"{formats.day(row.drafted_at.date())}, {row.drafted_at:%H:%M} UTC"
    return True, f"**Drafted** by {formats.plain(detail.who(row.drafted_by))} on {when}."


def _change(detail: Detail) -> tuple[bool, str]:
    row, before = detail.statement, detail.before
    if before is None:
        return True, "**Change**: the first statement of this creator in this currency; nothing to compare it with."
    now, then = row.total_cents, before.total_cents
    of_then = f"{money.said(then, row.currency)} in {month(before.month)}"
    if then <= 0:
        return now <= 0, f"**Change**: {money.said(now, row.currency)}, after {of_then}."
    change = (now - then) / then
    multiple = f"{formats.TIMES} {now / then:,.1f}" if change >= 1 else f"{change * 100:+.0f} %"
    return abs(change) <= MUCH, f"**Change**: {multiple} against {of_then}."


def _completeness(found: Completeness) -> tuple[bool, str]:
    if not found.arrived:
        return True, "**Completeness**: nothing was heard in this month."
    if found.unknown == found.arrived:
        return False, (
            f"**Completeness**: {formats.number(found.arrived)} listens of the month have arrived. How many are still "
            "to come cannot be said: it was not watched how they came in. What comes later is settled next month."
        )
    said = (
        f"**Completeness**: {found.share * 100:.1f} % of the month's listens are thought to have arrived "
        f"({formats.number(found.arrived)} of about {formats.number(found.expected)}; at most "
        f"{formats.number(found.high)}). What comes later is settled next month."
    )
    if found.unknown:
        said += f" Of {formats.number(found.unknown)} of them it cannot be said how many are still to come."
    return found.share >= 0.99, said


def _kept_back(found: Evidence) -> tuple[bool, str]:
    still = [row for row in found.held if row.state == "open"]
    if not still:
        return True, "**Held back**: nothing of this month waits for a decision."
    number = sum(row.listens + row.impressions for row in still)
    rules = len({row.rule for row in still})
    return False, (
        f"**Held back**: {formats.number(number)} listens and impressions of this month, by {rules} "
        f"{'rule' if rules == 1 else 'rules'}. They are not paid here; see below."
    )


def _late(detail: Detail) -> tuple[bool, str]:
    late = [row.line for row in detail.lines if row.line.month < detail.statement.month]
    if not late:
        return True, "**Late**: nothing of earlier months is in it."
    cents = sum(line.amount_cents for line in late)
    share = abs(cents) / abs(detail.statement.total_cents) if detail.statement.total_cents else 1.0
    number = formats.number(sum(line.quantity for line in late))
    return share <= MUCH, (
        f"**Late**: {number} listens and impressions of earlier months, {money.said(cents, detail.statement.currency)}."
    )


# -- cards ----------------------------------------------------------------------------------------------------------


def totals(detail: Detail) -> None:
    """The row of amounts at the top."""
    row = detail.statement
    before = detail.before
    cards = (
        (
            "To pay",
            shown.to_pay(row),
            "all together" if row.brought_forward_cents else "the whole total",
        ),
        ("Total", money.said(row.total_cents, row.currency), f"{len(detail.lines):,} lines"),
        ("Brought forward", money.said(row.brought_forward_cents, row.currency), _brought(detail)),
        ("Minimum", money.said(row.minimum_cents, row.currency), "less is carried over"),
        (
            "Month before",
            money.said(before.total_cents, row.currency) if before else formats.DASH,
            month(before.month) if before else "none before it",
        ),
    )
    draw_cards("statement", cards)


def draw_cards(key: str, cards: tuple[tuple[str, str, str], ...]) -> None:
    """Title, value and what stands below, side by side."""
    with st.container(key=f"cards-{key}"):
        columns = st.columns(len(cards), gap="small")
    for place, (column, (title, value, note)) in enumerate(zip(columns, cards, strict=True)):
        with column, st.container(border=True, key=f"card-{key}-{place}", height="stretch"):
            st.metric(title, value)
            st.caption(note)


def _brought(detail: Detail) -> str:
    months = [f"{row.month:%b %Y}" for row in detail.brought]
    return f"of {', '.join(months)}" if months else "nothing was carried over"


def explain_carrying(detail: Detail) -> None:
    """Why nothing is paid yet, or where the amount went."""
    row = detail.statement
    if detail.into is not None:
        st.info(f"Its amount is in the statement of {month(detail.into.month)}, and is paid with that one.")
    elif row.is_carried:
        least = money.said(row.minimum_cents, row.currency)
        st.info(
            f"{money.said(payable_cents(row), row.currency)} does not come to the minimum payout of {least}, or not "
            "above zero. Nothing is paid: the creator's next statement brings the amount forward once this one is "
            "approved."
        )


def lines(detail: Detail, *, is_admin: bool) -> None:
    """Every line, and their sums by month."""
    with st.container(border=True, key="card-lines"):
        st.subheader("Lines")
        if not detail.lines:
            st.write("None: it only brings forward what was carried over.")
            return
        st.caption("By the month in which it was heard. Paid is what is counted, less what was settled before.")
        by_month = shown.by_month(detail)
        st.dataframe(by_month, hide_index=True, column_config=shown.month_columns())
        st.caption("By episode and campaign. The amounts add up to the total, to the cent.")
        table = shown.lines(detail.lines, detail, is_admin=is_admin)
        st.dataframe(
            table, hide_index=True, height=tables.height(table), row_height=tables.ROW_PIXELS,
            column_config=shown.line_columns(),
        )  # fmt: skip


def per_day(detail: Detail) -> None:
    """What is settled, by UTC day."""
    for is_ads, title, noun, colour in (
        (False, "Listens by day", "listens", theme.ONLINE),
        (True, "Impressions by day", "impressions", theme.FETCHED),
    ):
        frame = shown.days(detail.settled, detail.statement.month, is_ads=is_ads)
        if frame.empty:
            continue
        with st.container(border=True, key=f"card-settled-{noun}"):
            st.subheader(title)
            st.caption("What this statement settles of each UTC day. Below zero: taken back.")
            figure = figures.settled_per_day(frame, noun, colour)
            st.plotly_chart(figure, theme=None, config=charts.CONFIG, alt=f"Settled {noun} by UTC day")


def kept_back(found: Evidence) -> None:
    """By which rules, and how much."""
    with st.container(border=True, key="card-held", height="stretch"):
        st.subheader("Held back in this month")
        if not found.held:
            st.write("Nothing: no fraud rule found anything in these episodes.")
            return
        st.caption("As it is now. Refused ones are never paid.")
        for row in found.held:
            parts = [f"{formats.number(row.listens)} listens"] if row.listens else []
            parts += [f"{formats.number(row.impressions)} impressions"] if row.impressions else []
            said = " and ".join(parts) or "nothing that is paid for"
            st.markdown(f"{hold_texts.badge(row.state)} **{hold_texts.title_of(row.rule)}** · {said}")


def hits(found: Evidence) -> None:
    """What became of the requests for audio."""
    with st.container(border=True, key="card-hits", height="stretch"):
        st.subheader("Requests for audio")
        if not found.hits:
            st.write("Nobody asked for audio of these shows in this month, or no access log was imported.")
            return
        total = sum(number for _, number in found.hits)
        st.caption(f"{formats.number(total)} in the month, by what became of them.")
        named = evidence_data.frame_of_hits(found, lambda outcome: outcome_texts.text_of(outcome).title)
        colours = [theme.FETCHED if outcome == DOWNLOAD else theme.LINE for outcome, _ in found.hits]
        shares = [formats.share(number / total) for number in named["hits"]]
        figure = download_charts.bars(named["name"], named["hits"], shares, colours)
        st.plotly_chart(figure, theme=None, config=charts.CONFIG, alt="Requests for audio by outcome")


def pinned(detail: Detail) -> None:
    """What the statement can be recomputed from."""
    row = detail.statement
    with st.container(border=True, key="card-proof"):
        st.subheader("What it was worked out from")
        st.markdown(
            f"Rule version `{row.rule_version}`, log position {_position(row.position)}, SHA-256 of the inputs:"
        )
        st.code(row.inputs_hash.hex(), language=None, wrap_lines=True)


def _position(text: str) -> str:
    places: dict[str, int] = json.loads(text)
    said = [f"{offset:,} of partition {partition}" for partition, offset in sorted(places.items())]
    return ", ".join(said) or "at the beginning"
