"""Single hits as tables: their outcomes, their list, and the path that one took through the rules. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import countries, download_data, download_shares, formats, outcome_texts

CONSUMER_LETTERS = 6
"""Of the mark that tells consumers of a day apart."""
SOURCES = {"live": "Live", "log": "Access log"}
MARKS = {"passed": "\N{CHECK MARK}", "stopped": "\N{BALLOT X}", "not asked": formats.DASH}
WORDS = {"passed": "passed", "stopped": "stopped here", "not asked": "not asked"}

Hit = Mapping[str, Any]
"""As the API tells it."""


def outcomes(counts: Mapping[str, int]) -> pd.DataFrame:
    """One row for each outcome with what it means, and one for all hits together; the shares add up to 100."""
    texts = [outcome_texts.text_of(outcome) for outcome in counts]
    rows = pd.DataFrame(
        {
            "outcome": [text.title for text in texts],
            "hits": list(counts.values()),
            "share": download_shares.percentages(list(counts.values())),
            "meaning": [text.meaning for text in texts],
        }
    )
    total = pd.DataFrame([("All hits", rows["hits"].sum(), round(rows["share"].sum(), 1), "")], columns=rows.columns)
    return pd.concat([rows, total], ignore_index=True)


def outcome_columns() -> dict[str, Any]:
    """How each column looks."""
    column = st.column_config
    return {
        "outcome": column.TextColumn("What became of it", pinned=True),
        "hits": column.NumberColumn("Hits", format="%,d", width="small"),
        "share": column.NumberColumn("Share", format="%.1f %%", width="small"),
        "meaning": column.TextColumn("What that means", width=560),
    }


def hits(found: Sequence[Hit]) -> pd.DataFrame:
    """One row for each hit, in the order given."""
    return pd.DataFrame(
        {
            "at": [datetime.fromisoformat(hit["at"]) for hit in found],
            "outcome": [outcome_texts.text_of(hit["outcome"]).title for hit in found],
            "app": [hit["app"] or download_data.UNKNOWN for hit in found],
            "device": [outcome_texts.device_name(hit["device_class"]) for hit in found],
            "country": [
                countries.name_of(hit["country"]) if hit["country"] else download_data.UNKNOWN for hit in found
            ],
            "request": [f"{hit['method']} {hit['status']:03d}" for hit in found],
            "part": [part(hit) for hit in found],
            "consumer": [hit["consumer"][:CONSUMER_LETTERS] for hit in found],
            "source": [SOURCES.get(hit["source"], hit["source"]) for hit in found],
        }
    )


def hit_columns() -> dict[str, Any]:
    """How each column looks."""
    column = st.column_config
    return {
        "at": column.DatetimeColumn("Time (UTC)", format="HH:mm:ss", timezone="UTC", pinned=True, width="small"),
        "outcome": column.TextColumn("What became of it", pinned=True),
        "app": column.TextColumn("App"),
        "device": column.TextColumn("Device", width="small"),
        "country": column.TextColumn("Country"),
        "request": column.TextColumn("Request", width="small"),
        "part": column.TextColumn("Bytes sent"),
        "consumer": column.TextColumn(
            "Consumer",
            width="small",
            help="The beginning of a keyed hash of address and user agent: equal marks, the same consumer. The key "
            "changes, and neither address nor user agent is kept.",
        ),
        "source": column.TextColumn("From", width="small"),
    }


def part(hit: Hit) -> str:
    """`0 to 59,999`, or how many when nobody knows which."""
    if not hit["sent_bytes"]:
        return "none"
    if hit["first_byte"] is None:
        return f"{formats.number(hit['sent_bytes'])}, unknown which"
    return f"{formats.number(hit['first_byte'])} to {formats.number(hit['end_byte'] - 1)}"


def summary(hit: Hit) -> str:
    """One sentence about a hit, in Markdown."""
    at = datetime.fromisoformat(hit["at"])
    app = formats.plain(hit["app"]) if hit["app"] else "an unknown app"
    return f"At {at:%H:%M:%S} UTC, {app}: **{outcome_texts.text_of(hit['outcome']).title}**"


def path(hit: Hit) -> str:
    """The rules that a hit went through, as an HTML table."""
    rows = "".join(_row(step) for step in hit["path"])
    head = "<tr><th></th><th>A hit counts only if</th><th>This one</th><th>Clause</th></tr>"
    return f'<table class="es-path"><thead>{head}</thead><tbody>{rows}</tbody></table>'


def _row(step: Mapping[str, str]) -> str:
    verdict = step["verdict"]
    said = ", ".join(text for text in (WORDS.get(verdict, verdict), step["detail"]) if text)
    kind = verdict.replace(" ", "-")
    return (
        f'<tr class="es-{escape(kind)}"><td>{MARKS.get(verdict, "")}</td><td>{escape(step["rule"])}</td>'
        f"<td>{escape(said)}</td><td>{escape(step['clause'])}</td></tr>"
    )
