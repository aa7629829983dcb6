"""Lists in the layout of OPAWG's user-agents-v2."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.hits.agents import Agents
from api.hits.networks import ListError
from api.hits.opawg import read_opawg
from api.hits.traits import Trait

LISTS: dict[str, list[dict[str, Any]]] = {
    "bots": [{"name": "Frobbot", "pattern": "^Frob/\\d+ Sync", "examples": ["Frob/1 Sync"], "urls": []}],
    "apps": [
        {"name": "Frob", "pattern": "^Frob/", "description": "A player", "svg": "frob.svg"},
        {"name": "Frob again", "pattern": "Frob/"},
        {"name": "Robot Radio", "pattern": "^Robot Radio bot"},
    ],
    "libraries": [
        {"name": "Fetchlib", "pattern": "^fetchlib", "category": "bot"},
        {"name": "Playlib", "pattern": " PlayLib/", "comments": "in many apps"},
    ],
    "browsers": [{"name": "Netsurfer", "pattern": "NetSurfer/"}],
    "devices": [
        {"name": "Apple iPad", "pattern": "iPad", "category": "mobile"},
        {"name": "Android Tablet", "pattern": "Android.*Tablet", "category": "mobile"},
        {"name": "Android Phone", "pattern": "Android", "category": "mobile"},
        {"name": "Box", "pattern": "Box", "category": "smart_speaker"},
        {"name": "Screen", "pattern": "Screen", "category": "smart_tv"},
        {"name": "Desk", "pattern": "Linux", "category": "computer"},
        {"name": "Watch", "pattern": "Wrist", "category": "watch"},
        {"name": "Fridge", "pattern": "Fridge", "category": "kitchen"},
    ],
    "referrers": [
        {"name": "Frob Web", "pattern": "^https://frob\\.example", "category": "app"},
        {"name": "Eager", "pattern": "^https://eager\\.example", "category": "preload"},
    ],
}


def write(folder: Path, **changed: Any) -> Path:
    """The lists in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, entries in {**LISTS, **changed}.items():
        (folder / f"{name}.json").write_text(json.dumps({"$schema": "x", "comments": ["y"], "entries": entries}))
    return folder


@pytest.fixture
def agents(tmp_path: Path) -> Agents:
    """What knows these lists, cloned as they are."""
    write(tmp_path / "src")
    return Agents(read_opawg(tmp_path).agents)


KNOWN = {
    "a bot goes before its app": ("Frob/2 Sync (Android)", "Frobbot", "", Trait.BOT),
    "the first of two apps": ("Frob/2 (Android 14)", "Frob", "phone", Trait.NONE),
    "a word of bots in a known app": ("Robot Radio bot", "Robot Radio", "", Trait.NONE),
    "a word of bots in an unknown one": ("Unheard-of bot", "", "", Trait.BOT),
    "a library that bots use": ("fetchlib/1", "Fetchlib", "", Trait.BOT),
    "a library that apps use": ("app/1 PlayLib/2 (Android; Tablet)", "Playlib", "tablet", Trait.NONE),
    "a browser of the list": ("Mozilla/5.0 (Linux) NetSurfer/3", "Netsurfer", "computer", Trait.NONE),
    "a browser that only the library knows": (
        "Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0",
        "Firefox",
        "computer",
        Trait.NONE,
    ),
    "an app of Earshot's own table": ("AntennaPod/3.5", "", "", Trait.NONE),
    "a device alone": ("Nobody/1 (iPad)", "", "tablet", Trait.NONE),
    "a speaker": ("Box/1", "", "speaker", Trait.NONE),
    "a television": ("Screen/1", "", "tv", Trait.NONE),
    "on the wrist": ("Wrist/1", "", "watch", Trait.NONE),
    "a category that Earshot does not have": ("Fridge/1", "", "", Trait.NONE),
    "a watch": ("atc/1.0 watchOS/8.5", "Apple Podcasts", "watch", Trait.WATCH),
    "nobody": ("", "", "", Trait.BOT),
}


@pytest.mark.parametrize(("user_agent", "app", "device_class", "traits"), KNOWN.values(), ids=KNOWN)
def test_lists_are_asked_in_opawgs_order(
    agents: Agents, user_agent: str, app: str, device_class: str, traits: Trait
) -> None:
    facts = agents.find(user_agent)
    assert (facts.app, facts.device_class, facts.traits) == (app, device_class, traits)


def test_the_files_may_lie_in_the_folder_itself(tmp_path: Path) -> None:
    assert Agents(read_opawg(write(tmp_path)).agents).find("Frob/2").app == "Frob"


def test_an_operator_may_add_preloaders(tmp_path: Path) -> None:
    assert read_opawg(write(tmp_path)).preloaders == ["^https://eager\\.example"]


BROKEN = {
    "a pattern": ([{"name": "Ok", "pattern": "x"}, {"name": "Odd", "pattern": "(x"}], "entry 2, 'Odd': '(x': unclosed"),
    "an empty pattern": ([{"name": "Odd", "pattern": ""}], "entry 1, 'Odd'"),
    "no pattern": ([{"name": "Odd"}], "missing required field `pattern` - at `$.entries[0]`"),
    "a number for a name": ([{"name": 7, "pattern": "x"}], "Expected `str`, got `int` - at `$.entries[0].name`"),
}


@pytest.mark.parametrize(("entries", "told"), BROKEN.values(), ids=BROKEN)
def test_what_is_broken_is_named_with_its_file(tmp_path: Path, entries: Any, told: str) -> None:
    with pytest.raises(ListError) as error:
        read_opawg(write(tmp_path, libraries=entries))
    assert f"{tmp_path / 'libraries.json'}" in str(error.value)
    assert told in str(error.value)


def test_a_file_that_is_no_json_is_named(tmp_path: Path) -> None:
    (write(tmp_path) / "devices.json").write_text("<html>")
    with pytest.raises(ListError, match=r"devices\.json is not as OPAWG writes it"):
        read_opawg(tmp_path)


def test_a_wrong_folder_is_told_from_the_right_one(tmp_path: Path) -> None:
    with pytest.raises(ListError, match=r"bots\.json cannot be read .*name the folder of OPAWG's user-agents-v2"):
        read_opawg(tmp_path / "nowhere")
