"""Which episode an address or a GUID means, and the addresses that an episode has elsewhere."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, and_, not_, select
from sqlmodel import Session, col, delete
from sqlmodel import select as select_rows

from models.bulk import chunks
from models.episode_references import hash_url, lookup_hashes, normal_url, own_episode
from models.listeners import EpisodeUrl
from models.tables import Episode, Show

_ALIVE = and_(col(Episode.deleted_at).is_(None), col(Show.deleted_at).is_(None))

_episode = Episode.__table__  # type: ignore[attr-defined]
_url = EpisodeUrl.__table__  # type: ignore[attr-defined]


def resolve_episodes(connection: Connection, references: Iterable[str]) -> dict[str, UUID]:
    """The episodes that references mean, deleted ones too: what was heard was heard. Unknown ones are left out.

    A reference is the address of an episode's audio, here or as listed by `PUT /v1/episodes/{id}/urls`, or its GUID.
    A few statements, however many references.
    """
    wanted = set(references)
    found: dict[str, UUID] = {}
    for step in (_find_own, _find_by_url, _find_by_guid):
        found |= step(connection, wanted - found.keys())
    return found


def _find_own(connection: Connection, references: set[str]) -> dict[str, UUID]:
    named = {reference: uuid for reference in references if (uuid := own_episode(reference)) is not None}
    known = {uuid for (uuid,) in _select(connection, [_episode.c.uuid], _episode.c.uuid, set(named.values()))}
    return {reference: uuid for reference, uuid in named.items() if uuid in known}


def _find_by_url(connection: Connection, references: set[str]) -> dict[str, UUID]:
    hashes = {reference: lookup_hashes(reference) for reference in references}
    keys = {digest for digests in hashes.values() for digest in digests}
    rows = _select(connection, [_url.c.url_hash, _url.c.episode_id], _url.c.url_hash, keys)
    ids = {bytes(digest): number for digest, number in rows}
    uuids = dict(_select(connection, [_episode.c.id, _episode.c.uuid], _episode.c.id, set(ids.values())))
    found = {}
    for reference, digests in hashes.items():
        number = next((ids[digest] for digest in digests if digest in ids), None)
        if number is not None:
            found[reference] = uuids[number]
    return found


def _find_by_guid(connection: Connection, references: set[str]) -> dict[str, UUID]:
    # PostgreSQL takes no NUL and no half of a character in a parameter.
    guids = {reference for reference in references if reference.isprintable()}
    return dict(_select(connection, [_episode.c.guid, _episode.c.uuid], _episode.c.guid, guids))


def _select(connection: Connection, columns: Sequence[Any], key: Any, values: set[Any]) -> Iterator[Any]:
    """Rows whose key is among the values."""
    for chunk in chunks(sorted(values)):
        yield from connection.execute(select(*columns).where(key.in_(chunk)))


# -- what is listed -------------------------------------------------------------------------------------------------


def list_urls(session: Session, episode_id: int) -> list[str]:
    """An episode's addresses elsewhere, as they were written, in that order."""
    statement = select_rows(EpisodeUrl.url).where(EpisodeUrl.episode_id == episode_id).order_by(col(EpisodeUrl.place))
    return list(session.exec(statement))


def get_owner_of_url(session: Session, urls: Sequence[str], episode_id: int) -> tuple[str, Episode, Show] | None:
    """One of these addresses that another episode has, anybody's, with that episode and its show; a deleted one has
    none to lose."""
    by_hash = {hash_url(normal): url for url in urls if (normal := normal_url(url)) is not None}
    statement = (
        select_rows(EpisodeUrl.url_hash, Episode, Show)
        .join(Episode, col(Episode.id) == EpisodeUrl.episode_id)
        .join(Show, col(Show.id) == Episode.show_id)
        .where(col(EpisodeUrl.url_hash).in_(by_hash), EpisodeUrl.episode_id != episode_id, _ALIVE)
    )
    row = session.exec(statement).first()
    return None if row is None else (by_hash[bytes(row[0])], row[1], row[2])


def put_urls(session: Session, episode_id: int, urls: Sequence[str]) -> None:
    """Write the whole list anew; raises IntegrityError when another episode has one of them."""
    hashes = [hash_url(normal_url(url) or url) for url in urls]
    session.exec(delete(EpisodeUrl).where(col(EpisodeUrl.episode_id) == episode_id))
    deleted = select_rows(Episode.id).join(Show, col(Show.id) == Episode.show_id).where(not_(_ALIVE))
    session.exec(
        delete(EpisodeUrl).where(col(EpisodeUrl.url_hash).in_(hashes), col(EpisodeUrl.episode_id).in_(deleted))
    )
    for place, (url, digest) in enumerate(zip(urls, hashes, strict=True)):
        session.add(EpisodeUrl(url_hash=digest, url=url, episode_id=episode_id, place=place))
    session.flush()


def list_references(connection: Connection) -> list[tuple[str, UUID, str]]:
    """(address elsewhere, episode, GUID) of every episode that has one, as they were written; deleted episodes too."""
    statement = select(_url.c.url, _episode.c.uuid, _episode.c.guid).where(_url.c.episode_id == _episode.c.id)
    rows = connection.execute(statement.order_by(_url.c.episode_id, _url.c.place))
    return [(url, uuid, guid) for url, uuid, guid in rows]
