"""The lists of user agents that the Open Podcast Analytics Working Group keeps: its repository user-agents-v2.

An operator clones it and names the folder in EARSHOT_AGENTS; nothing of it is part of Earshot. Every file has
`entries` with `name`, `pattern` and sometimes `category`. A user agent is looked for in bots, apps, libraries and
browsers, in this order, and the first entry that matches decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from api.hits.agents import AgentLists, Entry
from api.hits.agents_patterns import PatternError, check_pattern
from api.hits.networks import ListError

DEVICE_CLASSES = {
    "mobile": "phone",
    "smart_speaker": "speaker",
    "smart_tv": "tv",
    "computer": "computer",
    "watch": "watch",
    "car": "car",
}
"""OPAWG's categories of devices. Tablets are `mobile` there, and are told by the entry's name."""
PRELOAD = "preload"
"""A category of Earshot's own, for entries that an operator adds to referrers.json."""


@dataclass(frozen=True, slots=True)
class Opawg:
    """What the lists say."""

    agents: AgentLists
    preloaders: Sequence[str]
    """Patterns of referrers."""


class _Entry(msgspec.Struct):
    name: str
    pattern: str
    category: str = ""


class _File(msgspec.Struct):
    entries: list[_Entry]


def read_opawg(folder: Path) -> Opawg:
    """The lists in this folder or in its `src`. Raises ListError, naming file and entry."""
    source = folder / "src" if (folder / "src" / "bots.json").exists() else folder
    entries = [
        *(Entry(one.name, one.pattern, is_bot=True) for one in _read(source / "bots.json")),
        *(Entry(one.name, one.pattern) for one in _read(source / "apps.json")),
        *(Entry(one.name, one.pattern, one.category == "bot") for one in _read(source / "libraries.json")),
        *(Entry(one.name, one.pattern) for one in _read(source / "browsers.json")),
    ]
    devices = [(one.pattern, _device_class(one)) for one in _read(source / "devices.json")]
    referrers = _read(source / "referrers.json")
    return Opawg(AgentLists(entries, devices), [one.pattern for one in referrers if one.category == PRELOAD])


def _read(path: Path) -> list[_Entry]:
    try:
        entries = msgspec.json.decode(path.read_bytes(), type=_File).entries
    except OSError as error:
        advice = "name the folder of OPAWG's user-agents-v2, the one with src/ or with bots.json"
        raise ListError(f"{path} cannot be read ({error.strerror}); {advice}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ListError(f"{path} is not as OPAWG writes it: {error}.") from error
    for place, entry in enumerate(entries, 1):
        try:
            check_pattern(entry.pattern)
        except PatternError as error:
            raise ListError(f"{path}, entry {place}, {entry.name!r}: {entry.pattern!r}: {error}.") from error
    return entries


def _device_class(entry: _Entry) -> str:
    if entry.category == "mobile" and any(word in entry.name for word in ("iPad", "Tablet")):
        return "tablet"
    return DEVICE_CLASSES.get(entry.category, "")
