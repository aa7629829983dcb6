"""How many impressions a placement would get: the show's own past, brought to the shape of an answer."""

from datetime import date, timedelta
from uuid import UUID

from pydantic import BaseModel
from sqlmodel import Session

from api import clock
from api.advertising.refusals import BeyondEndError, DaysError
from api.errors import NotFoundError
from models import forecast
from models.forecast import HISTORY_DAYS, EpisodeHistory, NotEnough, tell
from models.periods import Period
from models.queries import show_history
from models.tables import Episode, Show

MAX_DAYS = 366
MAX_AHEAD_DAYS = 366
TOLD_SHARE = 0.05
"""In steps of this an advertiser is told how many are still there at a place in the recording."""

METHODS = {
    "new_episodes": "The same placement in past spans of this length that began on the same weekday: the median of the "
    "last four, with half of the trend. The range is as wide as this rule was wrong before.",
    "episode": "Other episodes of the show at the same age, compared by what they and this one were heard before: "
    "their median. The range is as wide as they differ.",
}
METHODS["all_episodes"] = METHODS["new_episodes"]


class RangeOut(BaseModel):
    """An expected number, and the range that holds the truth about eight times of ten."""

    expected: int
    low: int
    high: int
    samples: int
    """Past spans, or other episodes, that it is made from."""


class ForecastOut(BaseModel):
    """What is to be expected of an ad in a show, or in one episode. A null range has its reason beside it."""

    show_id: UUID
    episode_id: UUID | None
    from_day: date
    to_day: date
    covers: str
    """`new_episodes`, as an ad in the whole show; `all_episodes`; or `episode`."""
    level: float
    confirmed: RangeOut | None
    """From listens; with a place in the recording, from those who are still there."""
    confirmed_reason: str | None
    delivered: RangeOut | None
    """From downloads."""
    delivered_reason: str | None
    share_heard: float | None
    """Playbacks that hear the place in the recording, for each listen."""
    method: str


class Wanted(BaseModel):
    """What is asked for."""

    period: Period
    episode: UUID | None
    start_ms: int | None
    end_ms: int | None
    is_all: bool


def check_days(first: date | None, last: date | None, today: date) -> Period:
    """The span that was asked for: the next four weeks unless told otherwise. Raises DaysError."""
    first = first or today + timedelta(days=1)
    last = last or first + timedelta(days=27)
    if first <= today:
        raise DaysError(f"from={first} is not in the future (today is {today}, UTC). What was: /v1/shows/{{id}}/stats")
    if first > last:
        raise DaysError(f"from={first} is after to={last}. Swap them; the day in `to` is included.")
    if (last - first).days >= MAX_DAYS or (last - today).days > MAX_DAYS + MAX_AHEAD_DAYS:
        raise DaysError(f"{first} to {last} is too long or too far away. Ask for at most {MAX_DAYS} days, soon.")
    return Period(first, last)


def get_forecast(session: Session, show: Show, wanted: Wanted, *, hides_few: bool) -> ForecastOut:
    """The forecast; `hides_few`: for somebody who must not see numbers of few people."""
    now = clock.now()
    episodes = show_history.list_released(session, show.id or 0, now)
    chosen = _choose(episodes, wanted.episode)
    share = _share(session, episodes, chosen, wanted)
    if share is not None and hides_few:
        share = round(share / TOLD_SHARE) * TOLD_SHARE
    first = now.date() - timedelta(days=HISTORY_DAYS)
    covers = "episode" if chosen else "all_episodes" if wanted.is_all else "new_episodes"

    def ask(histories: list[EpisodeHistory], factor: float) -> tuple[RangeOut | None, str | None]:
        answer = _ask(histories, chosen, wanted, now.date())
        told = tell(answer.scaled(factor), hides_few=hides_few)
        if isinstance(told, NotEnough):
            return None, told.reason
        return RangeOut(**told._asdict()), None

    confirmed, no_confirmed = ask(show_history.list_listens(session, episodes, first), 1.0 if share is None else share)
    delivered, no_delivered = ask(show_history.list_downloads(session, episodes, first), 1.0)
    return ForecastOut(
        show_id=show.uuid,
        episode_id=wanted.episode,
        from_day=wanted.period.first,
        to_day=wanted.period.last,
        covers=covers,
        level=forecast.LEVEL,
        confirmed=confirmed,
        confirmed_reason=no_confirmed,
        delivered=delivered,
        delivered_reason=no_delivered,
        share_heard=None if share is None else round(share, 4),
        method=METHODS[covers],
    )


def _ask(histories: list[EpisodeHistory], chosen: Episode | None, wanted: Wanted, today: date) -> forecast.Answer:
    first, last = wanted.period.first, wanted.period.last
    if chosen is None:
        return forecast.forecast_show(histories, first, last, today, only_new=not wanted.is_all)
    own = next(history for history in histories if history.episode_id == chosen.id)
    answer = forecast.forecast_episode(histories, own, first, last, today)
    if isinstance(answer, NotEnough):
        # Older than the others: what it was heard itself, week by week.
        alone = forecast.forecast_show([own], first, last, today, only_new=False)
        return answer if isinstance(alone, NotEnough) or (first - own.released).days < forecast.PAST_DAYS else alone
    return answer


def _choose(episodes: list[Episode], wanted: UUID | None) -> Episode | None:
    if wanted is None:
        return None
    for episode in episodes:
        if episode.uuid == wanted:
            return episode
    raise NotFoundError("This show has no such public episode. GET /v1/catalogue lists those that can be bought.")


def _share(session: Session, episodes: list[Episode], chosen: Episode | None, wanted: Wanted) -> float | None:
    if wanted.start_ms is None or wanted.end_ms is None:
        return None
    if wanted.end_ms - wanted.start_ms < 1000:
        raise DaysError("Send an end_ms of at least one second after start_ms, or leave both out.")
    longest = max(((chosen or episode).duration_ms or 0 for episode in episodes), default=0)
    if wanted.end_ms > longest:
        raise BeyondEndError(f"The recording is over after {longest} ms, before end_ms={wanted.end_ms}.")
    return show_history.get_share_heard(session, [chosen] if chosen else episodes, wanted.start_ms, wanted.end_ms)
