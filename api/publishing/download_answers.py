"""Answers about downloads: read from the rollups, as JSON or as the same rows in CSV."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from sqlmodel import Session

from api import clock, csv_answers
from api.publishing import download_schemas as shapes
from models.downloads import DOWNLOAD
from models.periods import Period
from models.queries import download_consumers, downloads, first_days
from models.queries.downloads import Of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SPLITS: dict[str, type[BaseModel]] = {"app": shapes.AppRow, "device": shapes.DeviceRow, "country": shapes.CountryRow}


def answer_downloads(session: Session, of: Of, name: str, by: str, period: Period, is_csv: bool) -> Response:
    """Downloads by day, hour, episode, app, device or country."""
    kind, rows = _rows(session, of, by, period)
    total = sum(row.downloads for row in rows)
    body = shapes.DownloadsOut(counting=_counting(session), downloads=total, rows=rows)
    return _answer(body, kind, f"downloads-{name}-by-{by}", is_csv)


def _rows(session: Session, of: Of, by: str, period: Period) -> tuple[type[BaseModel], list[Any]]:
    match by:
        case "day":
            days = downloads.fill_days(downloads.list_days(session, of, period), period, clock.now().date())
            return shapes.DayRow, [shapes.DayRow(**row._asdict()) for row in days]
        case "hour":
            hours = downloads.list_hours(session, of, period)
            return shapes.HourRow, [
                shapes.HourRow(hour=EPOCH + timedelta(hours=row.hour), downloads=row.downloads)
                for row in hours
                if row.downloads
            ]
        case "episode":
            episodes = downloads.list_episodes(session, of, period)
            return shapes.EpisodeRow, [
                shapes.EpisodeRow(
                    episode_id=row.uuid, title=row.title, published_at=row.published_at, downloads=row.downloads
                )
                for row in episodes
                if row.downloads
            ]
    kind = SPLITS[by]
    split = downloads.list_split(session, of, period, by)
    return kind, [kind.model_validate({by: row.value or None, "downloads": row.downloads}) for row in split]


def answer_consumers(session: Session, of: Of, name: str, period: Period, is_csv: bool) -> Response:
    """Unique consumers of every day up to today."""
    rows = [
        shapes.ConsumersRow(
            day=row.day,
            days=days,
            consumers=estimate.value,
            low=estimate.low,
            high=estimate.high,
            is_exact=estimate.is_exact,
        )
        for row in download_consumers.list_consumers(session, of, period)
        if row.day <= clock.now().date()
        for days, estimate in zip(download_consumers.SPANS, row.over, strict=True)
    ]
    body = shapes.ConsumersOut(counting=_counting(session), rows=rows)
    return _answer(body, shapes.ConsumersRow, f"consumers-{name}", is_csv)


def answer_first_days(session: Session, of: Of, name: str, is_csv: bool) -> Response:
    """Every published episode in its first 7, 30 and 90 days."""
    rows = [
        shapes.FirstDaysRow(
            episode_id=row.uuid,
            title=row.title,
            published_at=row.published_at,
            first_7_days=row.downloads[0],
            first_30_days=row.downloads[1],
            first_90_days=row.downloads[2],
        )
        for row in first_days.list_first_days(session, of, clock.now())
    ]
    counting = _counting(session)
    return _answer(shapes.FirstDaysOut(counting=counting, rows=rows), shapes.FirstDaysRow, f"first-days-{name}", is_csv)


def answer_hits(session: Session, of: Of, name: str, period: Period, is_csv: bool) -> Response:
    """All hits by what became of them."""
    outcomes = downloads.list_outcomes(session, of, period)
    hits = sum(row.hits for row in outcomes)
    rows = [shapes.OutcomeRow(**row._asdict(), share=round(row.hits / hits, 4)) for row in outcomes]
    counted = sum(row.hits for row in outcomes if row.outcome == DOWNLOAD)
    body = shapes.HitsOut(counting=_counting(session), hits=hits, downloads=counted, rows=rows)
    return _answer(body, shapes.OutcomeRow, f"hits-{name}", is_csv)


def _counting(session: Session) -> shapes.CountingOut:
    return shapes.CountingOut.model_validate(downloads.get_rules(session)._asdict())


def _answer(body: Any, kind: type[BaseModel], name: str, is_csv: bool) -> Response:
    if not is_csv:
        return JSONResponse(body.model_dump(mode="json"), headers=csv_answers.VARY)
    rows: Sequence[BaseModel] = body.rows
    counting: shapes.CountingOut = body.counting
    # A line above the column names would be taken for data.
    stated = f"{counting.guidelines}; window={counting.window}; excess-cap={counting.excess_cap}"
    return csv_answers.csv_answer(kind, rows, name, {"Earshot-Counting": stated})
