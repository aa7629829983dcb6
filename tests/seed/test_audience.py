"""The audience is reproducible, keeps to the rules it should keep to, and listens as people do."""

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import pytest

from seed.audience import Listener, live
from seed.catalogue import DAY_MS, WINDOW_DAYS, Show, day_start_ms, make_catalogue
from seed.client import Client, Event
from seed.expected import HOUR_MS, Expectation, cause_of
from seed.personas import CLOCK_AHEAD, CLOCK_BEHIND, DRAWER, PERSONAS, RUSHER, STRANGER
from seed.schedule import is_weekend

TODAY = date(2026, 11, 22)
NOW_MS = day_start_ms(TODAY) + 9 * HOUR_MS
HONEST = {persona.name for persona in PERSONAS} - {
    persona.name for persona in (CLOCK_AHEAD, CLOCK_BEHIND, DRAWER, STRANGER, RUSHER)
}


def log_of(listener: Listener, shows: Sequence[Show], device_id: str = "d", today: date = TODAY) -> list[Event]:
    client = Client(device_id, 30)
    live(listener, client, shows, today)
    events: list[Event] = []
    while (batch := client.next_batch(client.last_seq)) is not None:
        events += [sealed.event for sealed in batch.sealed]
        client.acknowledge(batch)
    return events


@cache
def logs(seed: int = 1, number: int = 400) -> dict[Listener, list[Event]]:
    shows = make_catalogue(seed, TODAY)
    return {listener: log_of(listener, shows) for listener in (Listener(seed, n) for n in range(number))}


def expect(histories: dict[Listener, list[Event]], shows: Sequence[Show]) -> Expectation:
    expectation = Expectation({episode.id: episode for show in shows for episode in show.episodes})
    for events in histories.values():
        expectation.add_device(events, len(events), NOW_MS)
    return expectation


def events_of(name: str) -> list[Event]:
    return [event for listener, events in logs().items() if listener.persona.name == name for event in events]


def causes_of(name: str) -> set[str]:
    return set(_expect_persona(name).set_aside)


def _expect_persona(name: str) -> Expectation:
    mine = {listener: events for listener, events in logs().items() if listener.persona.name == name}
    return expect(mine, make_catalogue(1, TODAY))


def test_same_seed_and_day_same_numbers_whatever_the_server_calls_things() -> None:
    shows = make_catalogue(1, TODAY)
    renamed = [
        Show(show.text, tuple(replace(e, id=f"uuid-{place}-{e.number}") for e in reversed(show.episodes))[::-1])
        for place, show in enumerate(shows)
    ]
    again = {listener: log_of(listener, renamed, device_id="another") for listener in logs()}
    assert expect(again, renamed).to_json() == expect(logs(), shows).to_json()


def test_another_seed_gives_other_episodes_and_other_listeners() -> None:
    shows = make_catalogue(1, TODAY)
    assert make_catalogue(2, TODAY) != shows
    others = {listener: log_of(listener, shows) for listener in (Listener(2, number) for number in range(50))}
    assert expect(others, shows).to_json() != expect(logs(1, 50), shows).to_json()


def test_the_smallest_audience_has_every_persona() -> None:
    assert {Listener(7, number).persona.name for number in range(len(PERSONAS))} == {p.name for p in PERSONAS}


def test_nothing_happens_after_today_began_nor_before_the_window() -> None:
    first, last = day_start_ms(TODAY) - WINDOW_DAYS * DAY_MS, day_start_ms(TODAY)
    for listener, events in logs().items():
        if listener.persona.name in HONEST:
            assert all(first <= event.at_ms < last for event in events), listener


def test_no_honest_listener_is_set_aside() -> None:
    for name in HONEST:
        assert causes_of(name) == set(), name


FAULTS = {
    CLOCK_AHEAD.name: {"clock_ahead"},
    CLOCK_BEHIND.name: {"before_publication"},
    DRAWER.name: {"too_late"},
    STRANGER.name: {"unknown_episode"},
    RUSHER.name: {"faster_than_possible"},
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_has_its_own_cause(name: str) -> None:
    assert causes_of(name) == FAULTS[name]


def test_no_event_could_be_set_aside_for_two_causes() -> None:
    # The server may look for causes in any order; the expectation must not depend on it.
    episodes = {episode.id: episode for show in make_catalogue(1, TODAY) for episode in show.episodes}
    for events in logs().values():
        for event in events:
            episode = episodes.get(event.episode)
            if episode is None or cause_of(event, episode, NOW_MS) is None:
                continue
            causes = [
                event.at_ms < episode.published_ms - DAY_MS,
                event.at_ms > NOW_MS + 600_000,
                event.at_ms < NOW_MS - 90 * DAY_MS,
                event.to_ms - event.from_ms > 4 * event.wall_ms + 2_000,
            ]
            assert sum(causes) == 1


def test_the_cause_does_not_depend_on_the_hour_of_sending() -> None:
    shows = make_catalogue(1, TODAY)
    episodes = {episode.id: episode for show in shows for episode in show.episodes}
    midnight = day_start_ms(TODAY)
    for events in logs().values():
        for event in events:
            causes = {cause_of(event, episodes.get(event.episode), midnight + hours * HOUR_MS) for hours in (0, 47)}
            assert len(causes) == 1


def test_spans_stay_within_the_recording_and_take_their_time() -> None:
    durations = {episode.id: episode.duration_ms for show in make_catalogue(1, TODAY) for episode in show.episodes}
    for name in HONEST:
        for event in events_of(name):
            assert 0 <= event.from_ms <= event.to_ms <= durations[event.episode]
            assert event.to_ms - event.from_ms <= 2 * event.wall_ms
            if event.kind in {"play", "download"}:
                assert (event.from_ms, event.wall_ms) == (event.to_ms, 0)


def test_a_phone_plays_one_thing_at_a_time() -> None:
    for listener, events in logs().items():
        if listener.persona.name not in HONEST:
            continue
        spans = sorted((event.at_ms - event.wall_ms, event.at_ms) for event in events if event.wall_ms)
        assert all(ends <= starts for (_, ends), (starts, _) in itertools.pairwise(spans)), listener


def test_progress_is_saved_at_most_every_minute() -> None:
    assert min(event.wall_ms for name in HONEST for event in events_of(name) if event.kind == "progress") == 60_000


def test_commuters_download_and_listen_offline_twice_a_working_day() -> None:
    events = events_of("commuter")
    rides = [event for event in events if event.wall_ms]
    assert all(event.offline for event in rides)
    assert any(event.kind == "download" and not event.offline for event in events)
    days = Counter(is_weekend(event.at_ms // DAY_MS) for event in rides)
    assert days[False] > 20 * days[True]  # a ride in another time zone may fall on the UTC Saturday


def test_droppers_often_leave_a_short() -> None:
    kinds = Counter(event.kind for event in events_of("dropper"))
    assert kinds["short"] * 10 > sum(kinds.values())


def test_somebody_stops_on_either_side_of_every_limit() -> None:
    durations = {
        episode.id: episode.duration_ms // 1000 for show in make_catalogue(1, TODAY) for episode in show.episodes
    }
    heard: dict[tuple[Listener, tuple[str, int]], int] = defaultdict(int)
    for listener, events in logs().items():
        if listener.persona.name == "always on the edge":
            for event in events:
                heard[listener, event.key] = max(heard[listener, event.key], event.to_ms // 1000)
    completion = {seconds - math.ceil(durations[key[0]] * 0.9) for (_, key), seconds in heard.items()}
    assert {29, 30} <= set(heard.values())
    assert {-1, 0} <= completion


def test_re_listeners_go_back_and_hear_seconds_twice() -> None:
    expectation = _expect_persona("re-listener")
    heard = sum(event.to_ms - event.from_ms for event in events_of("re-listener")) // 1000
    assert heard > 1.05 * expectation.total().heard_seconds
    days = defaultdict(set)
    for listener, events in logs().items():
        if listener.persona.name == "re-listener":
            for event in events:
                days[listener, event.episode].add(event.at_ms // DAY_MS)
    assert sum(max(d) - min(d) > 1 for d in days.values()) > 10, "another day, another listen"


def daily_listens() -> dict[int, int]:
    listens: dict[int, int] = defaultdict(int)
    for (_, day), counts in expect(logs(), make_catalogue(1, TODAY)).by_episode_day.items():
        listens[day] += counts.listens
    return listens


def test_the_audience_grows_and_rests_at_weekends() -> None:
    listens = daily_listens()
    end = day_start_ms(TODAY) // DAY_MS
    by_half = [sum(listens[day] for day in range(end - 60 + half, end - 30 + half)) for half in (0, 30)]
    assert by_half[1] > 1.3 * by_half[0]
    working = [listens[day] for day in range(end - 60, end) if not is_weekend(day)]
    weekend = [listens[day] for day in range(end - 60, end) if is_weekend(day)]
    assert sum(working) / len(working) > 1.3 * sum(weekend) / len(weekend)


def test_an_episode_is_heard_most_just_after_its_release() -> None:
    after: Counter[int] = Counter()
    shows = make_catalogue(1, TODAY)
    episodes = {e.id: e for show in shows for e in show.episodes if not e.is_archive}
    for (id_, day), counts in expect(logs(), shows).by_episode_day.items():
        if id_ in episodes:
            after[day - episodes[id_].published_ms // DAY_MS] += counts.listens
    assert after[0] + after[1] > after[2] + after[3] > after[5] + after[6] > 0
    assert sum(number for days, number in after.items() if days > 10) > 0, "a long tail"


def test_shows_differ_in_popularity() -> None:
    listens: Counter[str] = Counter()
    for (id_, _), counts in expect(logs(), make_catalogue(1, TODAY)).by_episode_day.items():
        listens[id_.split("/")[0]] += counts.listens
    assert next(slug for slug, _ in listens.most_common()) == "lighthouse-radio"
    assert listens["lighthouse-radio"] > 3 * listens["second-hand-stars"]


def test_the_catalogue_is_released_weekly_until_yesterday_whatever_day_it_is() -> None:
    for ahead in range(8):
        today = TODAY + timedelta(days=ahead)
        for show in make_catalogue(1, today):
            times = [episode.published_ms for episode in show.episodes]
            run = [e.published_ms for e in show.episodes if not e.is_archive]
            assert times == sorted(times)
            assert run[-1] < day_start_ms(today) <= run[-1] + (show.text.every_days + 1) * DAY_MS
            assert {later - earlier for earlier, later in itertools.pairwise(run)} == {show.text.every_days * DAY_MS}
            assert all(400 <= episode.duration_ms % 1000 <= 600 for episode in show.episodes)
