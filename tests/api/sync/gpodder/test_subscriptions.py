"""Devices, what they follow, and what apps keep beside it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from api.sync.gpodder import service
from tests.api.sync.gpodder.conftest import EPISODE, FEED, App

OTHER = "https://other.example.com/feed.xml"
CHANGES = "/api/2/subscriptions/{user}/phone.json"
LIST = "/subscriptions/{user}/phone"


def change(app: App, add: list[Any] | None = None, remove: list[Any] | None = None, device: str = "phone") -> dict:
    return app.post(f"/api/2/subscriptions/{{user}}/{device}.json", {"add": add or [], "remove": remove or []})


def changes(app: App, since: int = 0, device: str = "phone") -> tuple[list[str], list[str]]:
    answer = app.get(f"/api/2/subscriptions/{{user}}/{device}.json", since=since)
    return answer["add"], answer["remove"]


# -- changes by device ---------------------------------------------------------------------------------------------


def test_what_was_added_and_what_was_given_up_since_then(ada: App) -> None:
    first = change(ada, [FEED])["timestamp"]
    second = change(ada, [OTHER], [FEED])["timestamp"]
    assert changes(ada) == ([OTHER], [])
    assert changes(ada, first) == ([OTHER], [FEED])
    assert changes(ada, second) == ([], [])
    assert ada.get(CHANGES, since=first)["timestamp"] == second > first


def test_adding_what_is_there_is_no_change(ada: App) -> None:
    since = change(ada, [FEED])["timestamp"]
    change(ada, [FEED])
    assert changes(ada, since) == ([], [])


def test_giving_up_and_coming_back(ada: App) -> None:
    since = change(ada, [FEED])["timestamp"]
    change(ada, [], [FEED])
    assert changes(ada, since) == ([], [FEED])
    change(ada, [FEED])
    assert changes(ada, since) == ([FEED], [])


def test_what_is_in_both_lists_is_subscribed_to(ada: App) -> None:
    change(ada, [FEED], [FEED])
    assert changes(ada) == ([FEED], [])


def test_addresses_are_cleaned_and_the_changes_told(ada: App) -> None:
    sent = [
        "feed://Podcast.Example.com/feed.xml",
        "ftp://x.example.com/",
        " ",
        7,
        "https://Other.Example.com/feed.xml#a",
    ]
    told = dict(change(ada, sent)["update_urls"])
    assert told == {sent[0]: "http://podcast.example.com/feed.xml", sent[1]: "", " ": "", sent[4]: OTHER}
    assert changes(ada) == (["http://podcast.example.com/feed.xml", OTHER], [])


def test_devices_follow_their_own_feeds(ada: App) -> None:
    change(ada, [FEED])
    change(ada, [OTHER], device="tablet")
    assert (changes(ada)[0], changes(ada, device="tablet")[0]) == ([FEED], [OTHER])


def test_a_device_that_there_is_not_has_no_subscriptions(ada: App) -> None:
    for path in (CHANGES, f"{LIST}.json"):
        assert ada.call("GET", path).status_code == 404


@pytest.mark.parametrize("since", ["-2", "yesterday", "nan", str(2**70)])
def test_a_number_that_is_none_is_refused(ada: App, since: str) -> None:
    change(ada, [FEED])
    for path in (CHANGES, "/api/2/episodes/{user}.json"):
        assert ada.call("GET", path, params={"since": since}).status_code == 422


@pytest.mark.parametrize("since", ["", "null", "-1"])
def test_no_number_yet_is_the_beginning(ada: App, since: str) -> None:
    change(ada, [FEED])
    assert ada.get(CHANGES, since=since)["add"] == [FEED]
    assert ada.get("/api/2/episodes/{user}.json", since=since)["actions"] == []


@pytest.mark.parametrize("body", ["", "[]", "nonsense", f'{{"add": "{FEED}"}}', '{"add": [], "remove": {}}'])
def test_changes_of_another_shape_are_refused(ada: App, body: str) -> None:
    assert ada.call("POST", CHANGES, content=body).status_code == 400
    change(ada, [FEED])
    assert ada.post(CHANGES, {"add": None})["update_urls"] == []


# -- lists as files ------------------------------------------------------------------------------------------------

LISTS = {
    "opml": f'<?xml version="1.0"?><opml><body><outline text="a"><outline xmlUrl="{FEED}"/></outline></body></opml>',
    "json": f'["{FEED}", {{"url": "{FEED}"}}]',
    "txt": f"\ufeff{FEED}\r\n\r\nnonsense\n",
}


@pytest.mark.parametrize("form", LISTS)
def test_a_list_is_put_and_read_in_each_form(ada: App, form: str) -> None:
    change(ada, [OTHER])
    answer = ada.call("PUT", f"{LIST}.{form}", content=LISTS[form].encode())
    assert (answer.status_code, answer.content) == (200, b"")
    assert ada.get(f"{LIST}.json") == [FEED]
    written = ada.call("GET", f"{LIST}.{form}")
    assert FEED in written.text
    assert ada.call("PUT", "/subscriptions/{user}/copy." + form, content=written.content).status_code == 200
    assert ada.get("/subscriptions/{user}/copy.json") == [FEED]


@pytest.mark.parametrize(
    ("form", "media_type"), [("opml", "text/x-opml"), ("json", "application/json"), ("txt", "text/plain")]
)
def test_lists_say_what_they_are(ada: App, form: str, media_type: str) -> None:
    change(ada, [FEED])
    for path in (f"{LIST}.{form}", "/subscriptions/{user}." + form):
        assert ada.call("GET", path).headers["content-type"].split(";")[0] == media_type


def test_a_replaced_list_is_told_as_changes(ada: App) -> None:
    since = change(ada, [OTHER])["timestamp"]
    ada.call("PUT", f"{LIST}.txt", content=FEED)
    assert changes(ada, since) == ([FEED], [OTHER])


def test_opml_escapes_addresses(ada: App) -> None:
    change(ada, ['https://a.example.com/?x=1&y="<>'])
    written = ada.call("GET", f"{LIST}.opml").content
    ada.call("PUT", f"{LIST}.opml", content=written)
    assert ada.get(f"{LIST}.json") == ['https://a.example.com/?x=1&y="<>']


BOMB = '<!DOCTYPE opml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;">]><opml><outline xmlUrl="&b;"/></opml>'


@pytest.mark.parametrize("body", ["", "<opml>", BOMB, '<?xml version="1.0" encoding="x"?><opml/>'])
def test_opml_that_is_none_is_refused(ada: App, body: str) -> None:
    change(ada, [OTHER])
    answer = ada.call("PUT", f"{LIST}.opml", content=body)
    assert (answer.status_code, answer.json()["error"]) == (400, "unreadable")
    assert ada.get(f"{LIST}.json") == [OTHER]


NO_LISTS = {
    "a page of an error": ("opml", b"<html><body>503</body></html>"),
    "a page in the place of lines": ("txt", b"<html>503</html>"),
    "bytes": ("txt", b"\x1f\x8b\x08\x00"),
    "objects without an address": ("json", b'[{"feed": "https://podcast.example.com/feed.xml"}]'),
    "numbers": ("json", b"[1, 2, null]"),
    "outlines that are no feeds": ("opml", b'<opml><body><outline xmlUrl="mine"/></body></opml>'),
}


@pytest.mark.parametrize(("form", "body"), NO_LISTS.values(), ids=NO_LISTS)
def test_what_came_in_the_place_of_a_list_ends_no_subscription(ada: App, form: str, body: bytes) -> None:
    change(ada, [OTHER])
    answer = ada.call("PUT", f"{LIST}.{form}", content=body)
    assert (answer.status_code, answer.json()["error"]) == (400, "unreadable")
    assert ada.get(f"{LIST}.json") == [OTHER]


@pytest.mark.parametrize(("form", "body"), [("txt", b""), ("json", b"[]"), ("opml", b"<opml><body/></opml>")])
def test_a_list_of_nothing_ends_all_subscriptions(ada: App, form: str, body: bytes) -> None:
    change(ada, [OTHER])
    assert ada.call("PUT", f"{LIST}.{form}", content=body).status_code == 200
    assert ada.get(f"{LIST}.json") == []


@pytest.mark.parametrize("form", LISTS)
def test_no_address_that_is_kept_breaks_a_list(ada: App, form: str) -> None:
    odd = [f"{FEED}?{character}" for character in "\x85\u2028\ufffe\uffff\x0b"]
    change(ada, [*odd, FEED, f"{FEED}?\xa0\u00fc"])
    written = ada.call("GET", f"{LIST}.{form}").content
    assert ada.call("PUT", "/subscriptions/{user}/copy." + form, content=written).status_code == 200
    assert ada.get("/subscriptions/{user}/copy.json") == ada.get(f"{LIST}.json") == [FEED, f"{FEED}?\xa0\u00fc"]


def test_all_devices_feeds_are_one_list(ada: App) -> None:
    change(ada, [FEED, OTHER])
    change(ada, [OTHER], device="tablet")
    assert sorted(ada.get("/subscriptions/{user}.json")) == sorted([FEED, OTHER])


# -- devices -------------------------------------------------------------------------------------------------------


def test_a_device_is_named_and_changed_field_by_field(ada: App) -> None:
    device = "/api/2/devices/{user}/my.phone-1.json"
    assert ada.post(device, {"caption": "My phone", "type": "mobile"}) is None
    ada.post(device, {"caption": "Old phone"})
    assert ada.call("POST", device, content="").status_code == 200
    change(ada, [FEED], device="my.phone-1")
    assert ada.get("/api/2/devices/{user}.json") == [
        {"id": "my.phone-1", "caption": "Old phone", "type": "mobile", "subscriptions": 1}
    ]


def test_a_kind_of_device_that_there_is_not_is_other(ada: App) -> None:
    for told in ([], {}, 7, None, "fridge"):
        ada.post("/api/2/devices/{user}/phone.json", {"type": told, "caption": 7})
    assert [(one["type"], one["caption"]) for one in ada.get("/api/2/devices/{user}.json")] == [("other", "phone")]


@pytest.mark.parametrize("name", ["a b", "x" * 65, "ü", "a%00b"])
def test_a_device_name_that_is_none_is_refused(ada: App, name: str) -> None:
    assert ada.call("POST", f"/api/2/devices/{{user}}/{name}.json", json={}).status_code == 422
    assert ada.get("/api/2/devices/{user}.json") == []


def test_a_listener_has_so_many_devices_and_is_told_what_to_do_then(ada: App) -> None:
    for number in range(service.MOST_DEVICES):
        change(ada, [], device=f"d{number}")
    for method, path in (
        ("POST", "/api/2/devices/{user}/more.json"),
        ("POST", "/api/2/subscriptions/{user}/more.json"),
        ("PUT", "/subscriptions/{user}/more.json"),
    ):
        answer = ada.call(method, path, json=[FEED] if method == "PUT" else {})
        assert (answer.status_code, answer.json()["error"]) == (409, "too_many_devices")
        assert "/api/2/devices/ada.json" in answer.json()["message"]
    change(ada, [FEED], device="d7")
    assert len(ada.get("/api/2/devices/{user}.json")) == service.MOST_DEVICES


def test_a_device_that_left_a_group_does_not_lead_another_into_it(ada: App) -> None:
    for device in "abcd":
        change(ada, [], device=device)
    ada.post("/api/2/sync-devices/{user}.json", {"synchronize": [["a", "b", "c"]]})
    ada.post("/api/2/sync-devices/{user}.json", {"stop-synchronize": ["a"]})
    groups = ada.post("/api/2/sync-devices/{user}.json", {"synchronize": [["a", "d"]]})
    assert sorted(groups["synchronized"]) == [["a", "d"], ["b", "c"]]
    change(ada, [FEED], device="a")
    assert (changes(ada, device="d")[0], changes(ada, device="b")[0]) == ([FEED], [])


def test_devices_that_share_follow_the_same_feeds(ada: App) -> None:
    change(ada, [FEED])
    since = change(ada, [OTHER], device="tablet")["timestamp"]
    change(ada, [], device="laptop")
    groups = ada.post("/api/2/sync-devices/{user}.json", {"synchronize": [["phone", "tablet", "unknown"]]})
    assert groups == {"synchronized": [["phone", "tablet"]], "not-synchronized": ["laptop"]}
    assert groups == ada.get("/api/2/sync-devices/{user}.json")
    assert changes(ada, since, "tablet") == ([FEED], [])
    since = change(ada, [], [OTHER])["timestamp"] - 1
    assert changes(ada, since, "tablet") == ([], [OTHER])
    assert ada.call("PUT", "/subscriptions/{user}/tablet.json", json=[]).status_code == 200
    assert ada.get(f"{LIST}.json") == []


def test_a_device_that_stops_sharing_keeps_what_it_has(ada: App) -> None:
    for device in ("phone", "tablet", "laptop"):
        change(ada, [FEED], device=device)
    ada.post("/api/2/sync-devices/{user}.json", {"synchronize": [["phone", "tablet"]]})
    ada.post("/api/2/sync-devices/{user}.json", {"synchronize": [["tablet", "laptop"]]})
    groups = ada.post("/api/2/sync-devices/{user}.json", {"synchronize": [], "stop-synchronize": ["tablet"]})
    assert groups == {"synchronized": [["laptop", "phone"]], "not-synchronized": ["tablet"]}
    change(ada, [], [FEED])
    assert ada.get("/subscriptions/{user}/tablet.json") == [FEED]
    assert ada.get("/subscriptions/{user}/laptop.json") == []


@pytest.mark.parametrize("told", [{"synchronize": 7}, {"synchronize": [7, ["phone", 7]]}, {"stop-synchronize": {}}])
def test_senseless_groups_change_nothing(ada: App, told: dict[str, Any]) -> None:
    change(ada, [FEED])
    assert ada.post("/api/2/sync-devices/{user}.json", told) == {"synchronized": [], "not-synchronized": ["phone"]}


# -- settings and favourites ---------------------------------------------------------------------------------------

SUBJECTS = ["account.json", "device.json?device=phone", f"podcast.json?podcast={FEED}"]
SUBJECTS.append(f"episode.json?podcast={FEED}&episode={EPISODE}")


def test_settings_are_kept_by_what_they_are_attached_to(ada: App, listen: Callable[[str], App]) -> None:
    for number, subject in enumerate(SUBJECTS):
        path = f"/api/2/settings/{{user}}/{subject}"
        assert ada.post(path, {"set": {"n": number, "deep": {"a": [None, "ü"]}}}) == {
            "deep": {"a": [None, "ü"]}, "n": number,
        }  # fmt: skip
        assert ada.post(path, {"set": {"n": -number}, "remove": ["deep", "unknown", 7]}) == {"n": -number}
    for number, subject in enumerate(SUBJECTS):
        assert ada.call("GET", f"/api/2/settings/{{user}}/{subject}").json() == {"n": -number}
        assert listen("bob").call("GET", f"/api/2/settings/{{user}}/{subject}").json() == {}


@pytest.mark.parametrize("subject", ["device.json", "podcast.json?podcast=x", f"episode.json?podcast={FEED}", "x.json"])
def test_settings_of_nothing_are_refused(ada: App, subject: str) -> None:
    assert ada.call("GET", f"/api/2/settings/{{user}}/{subject}").status_code == 422


BAD_SETTINGS = {
    "no object": "[]",
    "values without names": '{"set": [1]}',
    "an empty name": '{"set": {"": 1}}',
    "a NUL in a name": '{"set": {"a\\u0000": 1}}',
    "no number": '{"set": {"a": NaN}}',
    "half a character": '{"set": {"a": "\\ud800"}}',
    "too deep to be answered": f'{{"set": {{"a": {"[" * 500}1{"]" * 500}}}}}',
    "too many at once": json.dumps({"set": {f"n{number}": 1 for number in range(1001)}}),
    "too many to forget at once": json.dumps({"remove": [f"n{number}" for number in range(70_000)]}),
    "far too much": f'{{"set": {{"a": "{"x" * 70_000}"}}}}',
}


@pytest.mark.parametrize("body", BAD_SETTINGS.values(), ids=BAD_SETTINGS)
def test_settings_that_cannot_be_kept_are_refused(ada: App, body: str) -> None:
    assert ada.call("POST", "/api/2/settings/{user}/account.json", content=body).status_code in {400, 422}
    assert ada.get("/api/2/settings/{user}/account.json") == {}


def test_a_favourite_is_an_episode_with_the_setting(ada: App) -> None:
    path = f"/api/2/settings/{{user}}/episode.json?podcast={FEED}&episode={EPISODE}"
    ada.post(path, {"set": {"is_favorite": True}})
    assert [(one["url"], one["podcast_url"]) for one in ada.get("/api/2/favorites/{user}.json")] == [(EPISODE, FEED)]
    ada.post(path, {"set": {"is_favorite": False}})
    assert ada.get("/api/2/favorites/{user}.json") == []


def test_a_body_beyond_the_limit_is_refused_in_the_shape_of_all_refusals(ada: App) -> None:
    answer = ada.call("PUT", f"{LIST}.txt", content=b"x" * (9 << 20))
    assert (answer.status_code, answer.json()["error"]) == (413, "too_large")
