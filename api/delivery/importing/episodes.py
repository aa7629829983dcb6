"""Which episode a line of a log is about: by the path that was asked for, and the host where the log tells it."""

import re
from collections.abc import Iterable
from urllib.parse import unquote
from uuid import UUID

from sqlalchemy import Engine

from models.engine import read_only
from models.episode_references import normal_url
from models.queries.audio_versions import Version, list_episodes_with_audio, list_versions
from models.queries.episode_urls import list_references

AUDIO = re.compile(r"\.(?:mp3|m4a|m4b|mp4|aac|ogg|oga|opus|wav|flac|m4v|mov)$", re.IGNORECASE)
_OWN = re.compile(
    r"/media/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:/([0-9a-f]{16}))?\.[a-z0-9]{1,5}", re.IGNORECASE
)
_PLACES = {"{guid}": r"(?P<guid>[^/]+?)", "{id}": r"(?P<id>[0-9a-fA-F-]{36})", "{file}": r"(?P<file>[^/]+)"}

NOT_AUDIO, UNKNOWN = "not_audio", "unknown_episode"
"""Why a line belongs to no episode."""


class PatternError(ValueError):
    """A pattern of `--pattern` that names no episode; the message says how one is written."""


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """A path with `{guid}`, `{id}` or `{file}` in it, `*` for anything within a folder. Raises PatternError."""
    parts = re.split(r"(\{[a-z]*\}|\*)", pattern)
    named = [part for part in parts if part in _PLACES]
    if len(named) != 1 or any(part.startswith("{") and part not in _PLACES for part in parts):
        raise PatternError(
            f"{pattern!r} must have one of {{guid}}, {{id}} and {{file}} in it, for example /audio/{{guid}}.mp3; "
            "{id} is an episode's id here, {file} the last part of its address in the feed, * stands for anything "
            "between two slashes."
        )
    return re.compile("".join(_PLACES.get(part) or (r"[^/]*" if part == "*" else re.escape(part)) for part in parts))


class EpisodeFinder:
    """Finds episodes by what logs call them, and the version of the file that was theirs at a time."""

    def __init__(self, engine: Engine, patterns: Iterable[re.Pattern[str]] = ()) -> None:
        self._engine = read_only(engine)
        self._patterns = tuple(patterns)
        self._by_path: dict[str, dict[str, set[str]]] = {}
        self._hosts: set[str] = set()
        self._by_guid: dict[str, str] = {}
        self._by_file: dict[str, set[str]] = {}
        self._versions: dict[str, list[Version]] = {}
        with self._engine.connect() as connection:
            self._episodes = {str(uuid) for uuid in list_episodes_with_audio(connection)}
            for url, uuid, guid in list_references(connection):
                self._learn(url, str(uuid), guid)

    @property
    def has_episodes(self) -> bool:
        """Whether there is any episode at all that hits could be of."""
        return bool(self._episodes)

    def _learn(self, url: str, episode: str, guid: str) -> None:
        self._by_guid[guid] = episode
        normal = normal_url(url)
        if normal is None:
            return
        host, _, rest = normal.partition("/")
        path = "/" + unquote(rest.partition("?")[0])
        host = host.partition(":")[0]
        self._hosts.add(host)
        self._by_path.setdefault(path, {}).setdefault(host, set()).add(episode)
        self._by_file.setdefault(path.rpartition("/")[2], set()).add(episode)

    def find(self, host: str, path: str) -> tuple[str, str]:
        """Episode UUID and the beginning of the version's SHA-256 where the path says it; or `NOT_AUDIO` or `UNKNOWN`
        and nothing."""
        found = _OWN.fullmatch(path)
        if found:
            episode = found[1].lower()
            return (episode, (found[2] or "").lower()) if episode in self._episodes else (UNKNOWN, "")
        plain = unquote(path)
        known = self._by_address(host, plain) or self._by_pattern(plain)
        if known in self._episodes:
            return known, ""
        return (UNKNOWN if plain in self._by_path or AUDIO.search(plain) else NOT_AUDIO), ""

    def _by_address(self, host: str, path: str) -> str:
        """By the address in the feed. A host that no feed names may be a CDN's before any of theirs."""
        by_host = self._by_path.get(path, {})
        if host in self._hosts:
            return self._only(by_host.get(host, set()))
        return self._only({episode for episodes in by_host.values() for episode in episodes})

    @staticmethod
    def _only(episodes: set[str]) -> str:
        """One path may be two episodes, on two hosts or told apart by what stands behind a question mark; then nobody
        knows, and none is better than the wrong one."""
        return next(iter(episodes)) if len(episodes) == 1 else ""

    def _by_pattern(self, path: str) -> str:
        for pattern in self._patterns:
            found = pattern.fullmatch(path)
            if not found:
                continue
            named = found.groupdict()
            if "guid" in named:
                return self._by_guid.get(named["guid"], "")
            if "file" in named:
                return self._only(self._by_file.get(named["file"], set()))
            return named["id"].lower()
        return ""

    def versions(self, episode: str) -> list[Version]:
        """The versions of a known episode's file, the oldest first."""
        if episode not in self._versions:
            with self._engine.connect() as connection:
                self._versions[episode] = list_versions(connection, [UUID(episode)])
        return self._versions[episode]
