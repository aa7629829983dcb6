"""Shows over HTTP."""

from uuid import uuid4

import pytest

from tests.api.conftest import People

FULL = {
    "title": "The Quiet Hour",
    "slug": "quiet-hour",
    "description": "<p>Trains at night.</p>",
    "language": "pt-BR",
    "author": "Ada",
    "category": "nature",
    "is_explicit": True,
}


def test_a_show_reads_as_it_was_made(people: People) -> None:
    answer = people.call("owner", "POST", "/v1/shows", json=FULL)
    assert answer.status_code == 201
    show = answer.json()
    assert {name: show[name] for name in FULL} == {**FULL, "category": "Science > Nature"}
    assert show["feed_url"].endswith("/feeds/quiet-hour.xml")
    assert people.call("owner", "GET", f"/v1/shows/{show['id']}").json() == show


def test_title_and_slug_are_enough(people: People) -> None:
    show = people.show()
    assert (show["language"], show["description"], show["category"]) == ("en", "", "")


BAD_FIELDS = {
    "a title of spaces": ({"title": " \t\n"}, "body.title"),
    "a title too long": ({"title": "x" * 256}, "body.title"),
    "a title of nothing that XML can hold": ({"title": "\x01\x02"}, "body.title"),
    "capitals in the slug": ({"slug": "Quiet"}, "body.slug"),
    "a slug that climbs": ({"slug": "../etc"}, "body.slug"),
    "a slug with a line break": ({"slug": "quiet\n"}, "body.slug"),
    "an empty slug": ({"slug": ""}, "body.slug"),
    "a slug of 65 characters": ({"slug": "a" * 65}, "body.slug"),
    "a language by name": ({"language": "english"}, "body.language"),
    "a language with an underscore": ({"language": "pt_BR"}, "body.language"),
    "a category unknown to directories": ({"category": "Trains"}, "body.category"),
    "a description too long": ({"description": "x" * 4001}, "body.description"),
    "a misspelt field": ({"explicit": True}, "body.explicit"),
    "no title": ({"title": None}, "body.title"),
}


@pytest.mark.parametrize(("fields", "culprit"), BAD_FIELDS.values(), ids=BAD_FIELDS)
def test_it_refuses_and_names_the_field(people: People, fields: dict, culprit: str) -> None:
    answer = people.call("owner", "POST", "/v1/shows", json={**FULL, **fields})
    assert answer.status_code == 422
    assert [detail["field"] for detail in answer.json()["details"]] == [culprit]
    assert people.call("owner", "GET", "/v1/shows").json()["total"] == 0


def test_titles_are_one_line_of_plain_text(people: People) -> None:
    assert people.show(title=" Rock\n&\x0b Roll <b>\ufffe ")["title"] == "Rock & Roll <b>"


def test_descriptions_keep_only_harmless_html(people: People) -> None:
    html = '<p onclick="x()">Hi <script>x()</script><a href="javascript:x()">a</a> <img src=x> &#1;<b>!</b>'
    show = people.show(description=html)
    assert show["description"] == '<p>Hi <a rel="noopener noreferrer">a</a>  <b>!</b></p>'


def test_a_slug_is_given_once_even_to_another_creator(people: People) -> None:
    people.show("news")
    answer = people.call("other", "POST", "/v1/shows", json={"title": "News", "slug": "news"})
    assert (answer.status_code, answer.json()["error"]) == (409, "slug_taken")


def test_a_deleted_show_keeps_its_slug(people: People) -> None:
    show = people.show("news")
    assert people.call("owner", "DELETE", f"/v1/shows/{show['id']}").status_code == 204
    answer = people.call("owner", "POST", "/v1/shows", json={"title": "News", "slug": "news"})
    assert (answer.status_code, answer.json()["error"]) == (409, "slug_taken")


def test_a_deleted_show_is_gone_with_its_episodes(people: People) -> None:
    show = people.show()
    episode = people.episode(show)
    people.call("owner", "DELETE", f"/v1/shows/{show['id']}")
    for path in (f"/v1/shows/{show['id']}", f"/v1/shows/{show['id']}/episodes", f"/v1/episodes/{episode['id']}"):
        assert people.call("owner", "GET", path).status_code == 404
    assert people.call("owner", "GET", "/v1/shows").json() == {"items": [], "total": 0}


def test_a_change_sets_what_is_sent_and_keeps_the_rest(people: People) -> None:
    show = people.call("owner", "POST", "/v1/shows", json=FULL).json()
    changed = people.call("owner", "PATCH", f"/v1/shows/{show['id']}", json={"title": "Louder", "category": ""}).json()
    assert changed == {**show, "title": "Louder", "category": "", "updated_at": changed["updated_at"]}
    assert changed["updated_at"] > show["updated_at"]


def test_a_change_that_changes_nothing_is_no_change(people: People) -> None:
    show = people.show()
    assert people.call("owner", "PATCH", f"/v1/shows/{show['id']}", json={"title": show["title"]}).json() == show
    assert people.call("owner", "PATCH", f"/v1/shows/{show['id']}", json={}).json() == show


def test_the_slug_never_changes(people: People) -> None:
    show = people.show()
    answer = people.call("owner", "PATCH", f"/v1/shows/{show['id']}", json={"slug": "other"})
    assert answer.status_code == 422
    assert people.call("owner", "GET", f"/v1/shows/{show['id']}").json() == show


def test_lists_come_by_title_and_page_by_page(people: People) -> None:
    for title in ("Cello", "Accordion", "Banjo"):
        people.show(title.lower(), title=title)
    page = people.call("owner", "GET", "/v1/shows?limit=2").json()
    assert [show["title"] for show in page["items"]] == ["Accordion", "Banjo"]
    assert page["total"] == 3
    rest = people.call("owner", "GET", "/v1/shows?limit=2&offset=2").json()
    assert [show["title"] for show in rest["items"]] == ["Cello"]


SHOW_ROUTES = [
    ("GET", "", None),
    ("PATCH", "", {"title": "Mine now"}),
    ("DELETE", "", None),
    ("GET", "/episodes", None),
    ("POST", "/episodes", {"title": "Mine now"}),
]


@pytest.mark.parametrize(("method", "path", "body"), SHOW_ROUTES)
def test_somebody_elses_show_is_not_there(people: People, method: str, path: str, body: dict | None) -> None:
    show = people.show()
    theirs = people.call("other", method, f"/v1/shows/{show['id']}{path}", json=body)
    nobodys = people.call("other", method, f"/v1/shows/{uuid4()}{path}", json=body)
    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.json() == nobodys.json()
    assert people.call("owner", "GET", f"/v1/shows/{show['id']}").json() == show


@pytest.mark.parametrize(("method", "path", "body"), SHOW_ROUTES)
def test_an_admin_may_do_all_with_every_show(people: People, method: str, path: str, body: dict | None) -> None:
    show = people.show()
    assert people.call("admin", method, f"/v1/shows/{show['id']}{path}", json=body).status_code in {200, 201, 204}


@pytest.mark.parametrize(("who", "status"), [("advertiser", 403), ("nobody", 401)])
def test_others_have_no_shows_at_all(people: People, who: str, status: int) -> None:
    show = people.show()
    for method, path, body in SHOW_ROUTES:
        assert people.call(who, method, f"/v1/shows/{show['id']}{path}", json=body).status_code == status
    assert people.call(who, "GET", "/v1/shows").status_code == status
    assert people.call(who, "POST", "/v1/shows", json=FULL).status_code == status


def test_each_sees_their_own_shows_and_an_admin_all(people: People) -> None:
    people.show("one")
    people.show("two", who="other")
    slugs = {
        who: {show["slug"] for show in people.call(who, "GET", "/v1/shows").json()["items"]}
        for who in ("owner", "other", "admin")
    }
    assert slugs == {"owner": {"one"}, "other": {"two"}, "admin": {"one", "two"}}


def test_a_huge_body_is_refused_before_it_is_read(people: People) -> None:
    answer = people.call("owner", "POST", "/v1/shows", json={**FULL, "description": "x" * 300_000})
    assert (answer.status_code, answer.json()["error"]) == (413, "too_large")


def test_an_id_that_is_no_uuid_is_refused(people: People) -> None:
    assert people.call("owner", "GET", "/v1/shows/7").status_code == 422
