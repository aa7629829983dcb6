"""Reads what a micro-batch needs of the store, in a few statements."""

from functools import lru_cache
from uuid import UUID

from sqlalchemy import Connection

from api.measurement import device_log, kept
from api.measurement.causes import Cause
from api.measurement.device_log import DeviceLog
from api.measurement.fold import Fold, Source, ids_to_look_up, load_playback, playback_keys
from api.measurement.prepare import Prepared
from models.columns import DAY_MS
from models.queries import erasures, folding
from models.queries.audio_versions import list_versions
from models.queries.episode_urls import resolve_episodes
from models.queries.folding import CatalogueEpisode


class OutdatedDurationError(Exception):
    """An episode's recording was replaced by one of another length; its rollup must be redone first."""


def load(connection: Connection, prepared: Prepared) -> Fold:
    """What a fold of these records has to know of the store. Raises OutdatedDurationError."""
    fold = Fold(episodes=_list_episodes(connection, prepared), held=prepared.held)
    durations = {episode.id: episode.duration_seconds for episode in fold.episodes.values()}
    _settle_durations(connection, durations)
    _drop_erased(connection, fold, prepared)
    for row in folding.list_playbacks(connection, playback_keys(prepared.batches, fold.episodes)):
        load_playback(fold, row, durations[row[2]])
    devices = sorted({item.batch.device for item in prepared.batches if item.source is Source.DEVICE})
    fold.device_logs = {device: DeviceLog() for device in devices}
    for row in folding.list_device_logs(connection, [(device,) for device in devices]):
        fold.device_logs[bytes(row[0])] = device_log.from_row(row)
    for row in folding.list_set_aside(connection, ids_to_look_up(fold, prepared.batches)):
        fold.known_aside[bytes(row[0])] = row[3] // DAY_MS, row[1]
    if prepared.kept:
        kept.fold_kept(fold, prepared.kept)
    return fold


def _list_episodes(connection: Connection, prepared: Prepared) -> dict[str, CatalogueEpisode]:
    names = {event[2] for item in prepared.batches for event in item.batch.events}
    if prepared.kept:
        names |= kept.episodes_of(prepared.kept)
    return find_episodes(connection, names)


def find_episodes(connection: Connection, names: set[str]) -> dict[str, CatalogueEpisode]:
    """The episodes that events call by these names: a UUID, or an address and a GUID with a line break between."""
    uuids = {uuid for name in names if (uuid := _try_uuid(name)) is not None}
    references = {name: name.split("\n", 1) for name in names if "\n" in name}
    if not references:
        return folding.list_episodes(connection, uuids)
    resolved = resolve_episodes(connection, {part for parts in references.values() for part in parts if part})
    episodes = folding.list_episodes(connection, uuids | set(resolved.values()))
    for name, parts in references.items():
        found = [resolved[part] for part in parts if part in resolved]
        if found and str(found[0]) in episodes:
            episodes[name] = episodes[str(found[0])]
    return episodes


def _settle_durations(connection: Connection, durations: dict[int, int]) -> None:
    """Note what new episodes are counted with; raises OutdatedDurationError when a known one has changed."""
    counted: dict[int, int] = dict(
        folding.list_counted_durations(connection, [(episode_id,) for episode_id in sorted(durations)])
    )
    if any(durations[episode_id] != seconds for episode_id, seconds in counted.items()):
        raise OutdatedDurationError
    new = sorted((key, seconds) for key, seconds in durations.items() if key not in counted)
    folding.append_counted_durations(connection, new)
    # Another partition's worker may have been first with another duration; then its row stands.
    if set(folding.list_counted_durations(connection, [(key,) for key, _ in new])) != set(new):
        raise OutdatedDurationError


def _drop_erased(connection: Connection, fold: Fold, prepared: Prepared) -> None:
    """What devices send after they were erased is received and set aside, in numbers only."""
    erased = erasures.list_erased(connection, {item.batch.device for item in prepared.batches})
    for item in prepared.batches:
        if item.batch.device in erased and item.source is not Source.REPLAY:
            fold.outcomes[item.received_day, "event", Cause.ERASED] += len(item.ids)
    for gone in prepared.refused:
        fold.outcomes[gone.received_ms // DAY_MS, "event", Cause.ERASED] += gone.events
    prepared.batches = [item for item in prepared.batches if item.batch.device not in erased]


@lru_cache(maxsize=100_000)
def _try_uuid(name: str) -> UUID | None:
    """The UUID that a name is, in its one lowercase spelling."""
    try:
        uuid = UUID(name)
    except ValueError:
        return None
    return uuid if str(uuid) == name else None


def find_episode_id(connection: Connection, name: str) -> int | None:
    """The store's number of the episode with this UUID, GUID or address; None when there is none."""
    uuid = resolve_episodes(connection, {name}).get(name) or _try_uuid(name)
    versions = list_versions(connection, [uuid]) if uuid else []
    return versions[0].episode_id if versions else None
