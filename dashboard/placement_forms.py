"""Forms for a campaign's creatives and placements. What is wrong, the API says."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import streamlit as st

from dashboard import clock, formats, positions, submissions
from models.advertising import Campaign, Creative

NO_CREATIVE = "None yet"
WHOLE_SHOW = "All new episodes"
ONE_EPISODE = "One episode"
TITLE_LETTERS = 60


def new_creative(campaign: Campaign) -> None:
    """What is said, and where it leads."""
    form = f"creative-{campaign.uuid}"
    submissions.tell(form)
    drawn = submissions.nonce(form)
    with st.form(f"form-{form}-{drawn}", border=False, enter_to_submit=False):
        left, right = st.columns(2)
        left.text_input("Name of the creative", key=submissions.field(form, "name"), max_chars=255)
        right.text_input(
            "Click address (optional)", placeholder="https://", key=submissions.field(form, "url"), max_chars=2048
        )
        st.form_submit_button("Add the creative", on_click=_make_creative, args=(form, drawn, campaign))


def new_placement(campaign: Campaign, creatives: Sequence[Creative], shows: Sequence[Any]) -> None:
    """Where the ad stands; `shows` are those of the catalogue, with their episodes, and not none.

    Show and kind are outside of the form, since what it asks depends on them.
    """
    form = f"placement-{campaign.uuid}"
    submissions.tell(form)
    drawn = submissions.nonce(form)
    by_id = {str(show.uuid): show for show in shows}
    left, right = st.columns(2, vertical_alignment="bottom")
    show = by_id[
        left.selectbox("Show", list(by_id), format_func=lambda uuid: by_id[uuid].title, key=f"{form}-show")
        or next(iter(by_id))
    ]
    kind = right.segmented_control("Where", [ONE_EPISODE, WHOLE_SHOW], default=ONE_EPISODE, required=True,
                                   key=f"{form}-kind")  # fmt: skip
    with st.form(f"form-{form}-{drawn}", border=False, enter_to_submit=False):
        if kind == ONE_EPISODE:
            _episode(form, show)
        _part(form, creatives)
        _span(form, campaign, is_whole_show=kind != ONE_EPISODE)
        arguments = (form, drawn, campaign, str(show.uuid), kind)
        st.form_submit_button("Add the placement", type="primary", on_click=_make_placement, args=arguments)


def tell_changed(campaign: Campaign) -> None:
    """What came of counting back or removing, even of the last placement."""
    submissions.tell(f"placed-{campaign.uuid}")


def change_placements(campaign: Campaign, placements: Sequence[Any]) -> None:
    """Count back, or remove, one of the placements that stand; `placements` must not be empty."""
    form = f"placed-{campaign.uuid}"
    drawn = submissions.nonce(form)
    names = {str(row.uuid): row.said for row in placements}
    first_days = {str(row.uuid): row.from_day for row in placements}
    chosen = st.selectbox("Placement", list(names), format_func=names.get, key=f"{form}-chosen")
    left, right = st.columns(2)
    with left, st.container(border=True, key=f"{form}-back", height="stretch"):
        st.markdown("**Count back**")
        st.write(
            "An ad in an episode that was heard before this placement was made: its impressions of earlier days are "
            "in the listening that is stored already, and count when you ask for it."
        )
        st.date_input(
            "From day (UTC)", min(first_days.get(chosen, clock.today()), campaign.from_day), format="YYYY-MM-DD",
            max_value=clock.today(), key=submissions.field(form, "back"),
        )  # fmt: skip
        st.button("Count back from this day", key=submissions.field(form, "count"), on_click=_count_back,
                  args=(form, drawn, chosen))  # fmt: skip
    with right, st.container(border=True, key=f"{form}-remove", height="stretch"):
        st.markdown("**Remove**")
        st.write("From tomorrow on it counts no more. What is heard until then stays counted, and is paid.")
        st.button("Remove the placement", key=submissions.field(form, "remove"), on_click=_remove,
                  args=(form, drawn, chosen))  # fmt: skip


def _episode(form: str, show: Any) -> None:
    titles = {str(episode.uuid): _title(episode) for episode in show.episodes}
    if not titles:
        st.write("This show has no episode with a recording yet. Its future ones can be booked.")
    st.selectbox("Episode", list(titles), format_func=titles.get, key=submissions.field(form, f"episode-{show.uuid}"))


def _title(episode: Any) -> str:
    when = f" · {formats.day(episode.published_at)}" if episode.published_at else " · draft"
    return f"{formats.shorten(episode.title, TITLE_LETTERS)}{when} · {positions.said(episode.duration_ms)}"


def _part(form: str, creatives: Sequence[Creative]) -> None:
    start, end, creative = st.columns([1, 1, 2])
    start.text_input("Begins at", placeholder="12:30", key=submissions.field(form, "start"))
    end.text_input("Ends at", placeholder="13:00", key=submissions.field(form, "end"))
    names = {"": NO_CREATIVE, **{str(row.uuid): row.name for row in creatives}}
    creative.selectbox("Creative", list(names), format_func=names.get, key=submissions.field(form, "creative"))


def _span(form: str, campaign: Campaign, *, is_whole_show: bool) -> None:
    left, right = st.columns(2)
    first = min(max(clock.today(), campaign.from_day), campaign.to_day)
    said = "Episodes published from this day on (UTC)" if is_whole_show else "Counts from (UTC)"
    bounds = {"min_value": None, "format": "YYYY-MM-DD"}
    left.date_input(said, first, key=submissions.field(form, "from_day"), **bounds)
    right.date_input("Until (UTC)", campaign.to_day, key=submissions.field(form, "to_day"), **bounds)


def _make_creative(form: str, drawn: str, campaign: Campaign) -> None:
    name = submissions.value(form, drawn, "name")
    body = {"name": name, "click_url": submissions.value(form, drawn, "url") or ""}
    path = f"/v1/campaigns/{campaign.uuid}/creatives"
    submissions.send(form, drawn, "POST", path, body, f"The creative {name} is there.")


def _make_placement(form: str, drawn: str, campaign: Campaign, show: str, kind: str) -> None:
    body: dict[str, Any] = {"show_id": show}
    for name in ("start", "end"):
        milliseconds = positions.try_parse(submissions.value(form, drawn, name) or "")
        if milliseconds is None:
            submissions.refuse(form, f"Write where the ad {name}s as minutes and seconds, 12:30 for example.")
            return
        body[f"{name}_ms"] = milliseconds
    if kind == ONE_EPISODE:
        body["episode_id"] = submissions.value(form, drawn, f"episode-{show}")
        if body["episode_id"] is None:
            submissions.refuse(form, "Choose an episode, or book the show's future ones.")
            return
    body["creative_id"] = submissions.value(form, drawn, "creative") or None
    for name in ("from_day", "to_day"):
        day: date | None = submissions.value(form, drawn, name)
        body[name] = str(day) if day else None
    path = f"/v1/campaigns/{campaign.uuid}/placements"
    submissions.send(form, drawn, "POST", path, body, "The placement is there, and counts from its first day on.")


def _count_back(form: str, drawn: str, uuid: str) -> None:
    day: date | None = submissions.value(form, drawn, "back")
    body = {"from_day": str(day)}
    done = f"The listening since {day} is counted now. The numbers here follow when the worker is through."
    submissions.send(form, drawn, "POST", f"/v1/placements/{uuid}/count-back", body, done)


def _remove(form: str, drawn: str, uuid: str) -> None:
    submissions.send(form, drawn, "DELETE", f"/v1/placements/{uuid}", None, "The placement is removed.")
