"""The episodes of a show that is hosted elsewhere: what its feed says of each, written into the catalogue."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlmodel import Session

from api.publishing.feed_import_reading import Item, Unusable
from api.publishing.service import key_of
from models.downloads import AudioVersion
from models.episode_references import hash_url, normal_url
from models.listeners import EpisodeUrl
from models.queries import episode_urls
from models.queries import feed_import as rows
from models.queries.feed_import import UrlOwner
from models.tables import Episode, Show


@dataclass(slots=True)
class Report:
    """What an import did."""

    show: Show
    is_new: bool
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    missing: int = 0
    """Known episodes that the feed does not list any more; they stay."""
    unusable: list[Unusable] = field(default_factory=list)
    without_length: list[str] = field(default_factory=list)
    """Titles of episodes whose size nobody knows: none of their downloads can be judged."""
    without_duration: list[str] = field(default_factory=list)
    """Titles of those that only a whole file can be a download of."""
    without_date: list[str] = field(default_factory=list)
    damage: str = ""


@dataclass(slots=True)
class _Known:
    """What the store has, before an import."""

    episodes: dict[str, Episode]
    """By GUID, deleted ones too."""
    by_id: dict[int, Episode]
    told: set[str]
    """GUIDs in the feed."""
    guids_of_others: set[str]
    urls: dict[bytes, UrlOwner]
    versions: dict[int, list[AudioVersion]]
    """Oldest first."""


def set_fields(row: Show | Episode, fields: dict[str, Any]) -> bool:
    """Set what differs; whether anything did."""
    changed = {name: value for name, value in fields.items() if getattr(row, name) != value}
    for name, value in changed.items():
        setattr(row, name, value)
    return bool(changed)


def put_episodes(session: Session, report: Report, items: list[Item], now: datetime) -> None:
    """Make and renew a show's episodes; none is ever taken away, since feeds list only the newest ones."""
    known = _look(session, report.show, items)
    pairs: list[tuple[Item, Episode]] = []
    # Oldest first: those made last are shown first.
    for item in sorted(items, key=lambda item: item.published_at or datetime.min.replace(tzinfo=UTC)):
        found = _match(report.show, item, known)
        if isinstance(found, Unusable):
            report.unusable.append(found)
        else:
            pairs.append((item, found or _make_episode(report.show, item, known, now)))
    new = [episode for _, episode in pairs if episode.id is None]
    rows.append_rows(session, new)
    report.new = len(new)
    made = {id(episode) for episode in new}
    _free_urls_of_deleted(session, known)
    for item, episode in pairs:
        is_changed = _renew(session, report, item, episode, known, now)
        if id(episode) not in made:
            report.updated += is_changed
            report.unchanged += not is_changed
    told = {episode.id for _, episode in pairs}
    report.missing = sum(1 for old in known.by_id.values() if old.deleted_at is None and old.id not in told)


def _look(session: Session, show: Show, items: list[Item]) -> _Known:
    episodes = rows.list_all_episodes(session, key_of(show))
    guids = {item.guid for item in items}
    return _Known(
        {episode.guid: episode for episode in episodes},
        {episode.id: episode for episode in episodes if episode.id is not None},
        guids | {_own_guid(show, guid) for guid in guids},
        rows.list_guids_of_others(session, guids, key_of(show)),
        rows.list_url_owners(session, [hash_audio_url(item.url) for item in items]),
        rows.list_versions(session, key_of(show)),
    )


def hash_audio_url(url: str) -> bytes:
    """What the address of an episode's audio is looked up by."""
    return hash_url(normal_url(url) or url)


def _own_guid(show: Show, guid: str) -> str:
    """A GUID that another show has taken, so that it is this show's alone."""
    return f"{show.uuid}:{guid}"


def _match(show: Show, item: Item, known: _Known) -> Episode | Unusable | None:
    """The episode that the item was before, by GUID, else by the address of its audio; None for a new one."""
    owner = known.urls.get(hash_audio_url(item.url))
    episode = known.episodes.get(item.guid) or known.episodes.get(_own_guid(show, item.guid))
    if episode is None and owner is not None:
        by_url = known.by_id.get(owner.episode_id)
        # Not one that another item is by its GUID: that one has another address now.
        episode = by_url if by_url and by_url.guid not in known.told else None
    if episode is not None and episode.deleted_at is not None:
        return Unusable(item.title, "it was deleted here, and stays so")
    if owner and owner.is_alive and (episode is None or owner.episode_id != episode.id):
        whose = f"{owner.title!r} of the show {owner.show_title!r}"
        return Unusable(item.title, f"its audio is that of {whose}: {item.url}")
    return episode


def _make_episode(show: Show, item: Item, known: _Known, now: datetime) -> Episode:
    guid = _own_guid(show, item.guid) if item.guid in known.guids_of_others else item.guid
    return Episode(show_id=key_of(show), guid=guid, title=item.title, created_at=now, updated_at=now)


def _free_urls_of_deleted(session: Session, known: _Known) -> None:
    dead = [
        digest for digest, owner in known.urls.items() if not owner.is_alive and owner.episode_id not in known.by_id
    ]
    rows.delete_urls(session, dead)
    for digest in dead:
        del known.urls[digest]


def _renew(session: Session, report: Report, item: Item, episode: Episode, known: _Known, now: datetime) -> bool:
    """Write what the item says into its episode; whether anything is new."""
    versions = known.versions.get(episode.id or 0, [])
    # A feed that stops telling the size has no other file for that.
    audio_bytes = item.audio_bytes or (versions[-1].audio_bytes if versions else 0)
    duration_ms = item.duration_ms or (versions[-1].duration_ms if versions else None)
    is_changed = set_fields(
        episode,
        {
            "title": item.title,
            "description": item.description,
            "published_at": item.published_at,
            "audio_bytes": audio_bytes or None,
            "audio_type": item.audio_type or None,
            "duration_ms": duration_ms,
        },
    )
    if episode.first_published_at is None and item.published_at is not None:
        # Whatever date the feed gives it, it was there when it was first read.
        episode.first_published_at = min(item.published_at, episode.created_at)
    _warn(report, item, audio_bytes, duration_ms)
    is_changed |= _note_url(session, item.url, episode, known)
    is_changed |= _note_version(session, item, episode, versions, (audio_bytes, duration_ms), now)
    if is_changed:
        episode.updated_at = now
    return is_changed


def _warn(report: Report, item: Item, audio_bytes: int, duration_ms: int | None) -> None:
    for is_missing, titles in (
        (not audio_bytes, report.without_length),
        (duration_ms is None, report.without_duration),
        (item.published_at is None, report.without_date),
    ):
        if is_missing:
            titles.append(item.title)


def _note_url(session: Session, url: str, episode: Episode, known: _Known) -> bool:
    """Add an address to those that the episode has, or had: old logs name old ones."""
    digest = hash_audio_url(url)
    if digest in known.urls:
        return False
    episode_id = episode.id or 0
    place = len(episode_urls.list_urls(session, episode_id)) if episode_id in known.by_id else 0
    session.add(EpisodeUrl(url_hash=digest, url=url, episode_id=episode_id, place=place))
    return True


def _note_version(
    session: Session,
    item: Item,
    episode: Episode,
    versions: list[AudioVersion],
    facts: tuple[int, int | None],
    now: datetime,
) -> bool:
    """Add a version when size or duration are others than before."""
    if versions and facts == (versions[-1].audio_bytes, versions[-1].duration_ms):
        return False
    audio_bytes, duration_ms = facts
    name = _hex(item.url, audio_bytes, duration_ms)
    if name in {version.sha256 for version in versions}:
        # It is again what it was before the last change, and is so from now on.
        name = _hex(item.url, audio_bytes, duration_ms, now.isoformat())
    since_at = _since(item, versions, facts, now)
    # All of the show's versions are known here: asking for each again would take minutes for a long feed.
    session.add(
        AudioVersion(
            episode_id=episode.id or 0,
            sha256=name,
            audio_bytes=audio_bytes,
            duration_ms=duration_ms,
            since_at=since_at,
        )
    )
    return True


def _since(item: Item, versions: list[AudioVersion], facts: tuple[int, int | None], now: datetime) -> datetime:
    if not versions:
        return min(item.published_at or now, now)
    before = versions[-1]
    # What was not known and is now was so all the time; only what was otherwise is otherwise from now on.
    is_same_file = before.audio_bytes in {0, facts[0]} and before.duration_ms in {None, facts[1]}
    return before.since_at if is_same_file else now


def _hex(*parts: object) -> str:
    return sha256("\n".join(map(str, parts)).encode()).hexdigest()
