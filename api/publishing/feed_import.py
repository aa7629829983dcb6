"""Makes and renews the catalogue of a show that is hosted elsewhere, from its feed, so that access logs can be counted
for it. No audio is kept: such a show is in no feed of ours."""

import re
import unicodedata
from datetime import datetime
from typing import Any

from sqlmodel import Session

from api import clock
from api.errors import ConflictError, ForbiddenError, NotFoundError
from api.publishing.feed_import_episodes import Report, hash_audio_url, put_episodes, set_fields
from api.publishing.feed_import_reading import Feed
from api.publishing.service import key_of
from models.episode_references import normal_url, own_episode
from models.queries import accounts
from models.queries import feed_import as rows
from models.tables import Role, Show, User

PUBLISHERS = {Role.CREATOR, Role.ADMIN}
MAX_SLUG_STEM = 56
"""Leaves room for a number behind it."""


class NoOwnerError(ConflictError):
    """Whose show it is to be cannot be told."""

    code = "no_owner"


class HostedHereError(ConflictError):
    """The feed is one of ours."""

    code = "hosted_here"


class NoAddressError(ConflictError):
    """Where the feed is cannot be told."""

    code = "no_address"


def import_feed(session: Session, feed: Feed, *, owner_email: str, address: str) -> Report:
    """Make or renew the show and its episodes; `address` is empty for a feed that came as a file. Raises ApiError, and
    IntegrityError when another import was quicker: then all of it has to be done again."""
    _refuse_own(session, feed)
    owner = _choose_owner(session, owner_email, _find_show(session, feed, address))
    rows.lock_owner(session, key_of(owner))
    session.expire_all()
    now = clock.now()
    show = _find_show(session, feed, address)
    report = Report(show or _make_show(session, owner, feed, address, now), show is None)
    report.unusable += feed.unusable
    report.damage = feed.damage
    is_changed = set_fields(report.show, _show_fields(report.show, feed, address))
    put_episodes(session, report, feed.items, now)
    if is_changed or report.new or report.updated:
        report.show.updated_at = now
    return report


# -- whose show, and which -------------------------------------------------------------------------------------------


def check_owner(session: Session, email: str) -> None:
    """Refuse what needs no look at the feed: an owner who is none, or nobody at all."""
    if email:
        _named_owner(session, email)
    elif not _publishers(session):
        raise NoOwnerError(
            "Nobody is here yet whose show it could be. Make a user: earshot users add you@example.com --role creator"
        )


def _named_owner(session: Session, email: str) -> User:
    user = accounts.get_user_by_email(session, email)
    if user is None or user.disabled_at is not None:
        raise NotFoundError(f"There is no active user {email}. See who is: earshot users list")
    if user.role not in PUBLISHERS:
        raise ForbiddenError(f"{user.email} has the role {user.role}; a show belongs to a creator or an admin.")
    return user


def _publishers(session: Session) -> list[User]:
    return [user for user in accounts.list_users(session) if user.disabled_at is None and user.role in PUBLISHERS]


def _choose_owner(session: Session, email: str, show: Show | None) -> User:
    owner = session.get_one(User, show.owner_id) if show else None
    if email:
        named = _named_owner(session, email)
        if show and owner and owner.id != named.id:
            raise NoOwnerError(f"{show.title!r} belongs to {owner.email} already. Import it again without --owner.")
        return named
    if owner:
        return owner
    publishers = _publishers(session)
    if len(publishers) != 1:
        names = ", ".join(user.email for user in publishers[:10]) or "nobody yet; see earshot users"
        raise NoOwnerError(f"Whose show is it? Name one with --owner EMAIL: {names}")
    return publishers[0]


def _refuse_own(session: Session, feed: Feed) -> None:
    own = {uuid for item in feed.items if (uuid := own_episode(item.url)) is not None}
    if rows.has_episode(session, own):
        raise HostedHereError(
            "This show is hosted here; its downloads are counted already. There is nothing to import."
        )


def _find_show(session: Session, feed: Feed, address: str) -> Show | None:
    """The show that this feed made before: one with its address; or one that says the same of itself, and has an
    episode in common, since anybody can write anything into a feed."""
    shows = rows.list_shows_elsewhere(session, None)
    for show in shows:
        if address and normal_url(show.feed_url or "") == normal_url(address):
            return show
    alike = [
        show
        for show in shows
        if show.title == feed.title or (feed.self_url and normal_url(show.feed_url or "") == normal_url(feed.self_url))
    ]
    guids = {item.guid for item in feed.items}
    hashes = [hash_audio_url(item.url) for item in feed.items] if alike else []
    with_urls = {owner.show_id for owner in rows.list_url_owners(session, hashes).values()}
    for show in alike:
        if show.id in with_urls or guids & {episode.guid for episode in rows.list_all_episodes(session, key_of(show))}:
            return show
    return None


def _make_show(session: Session, owner: User, feed: Feed, address: str, now: datetime) -> Show:
    feed_url = address or feed.self_url or feed.site_url
    if not feed_url:
        raise NoAddressError("The feed does not say where it is. Import it from its address, or give --feed-url.")
    show = Show(
        owner_id=key_of(owner),
        slug=_free_slug(session, feed.title),
        title=feed.title,
        feed_url=feed_url,
        created_at=now,
        updated_at=now,
    )
    rows.append_rows(session, [show])
    return show


def _free_slug(session: Session, title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    stem = "-".join(re.findall(r"[a-z0-9]+", plain))[:MAX_SLUG_STEM].strip("-") or "show"
    taken = rows.list_slugs(session, stem)
    return next(slug for number in range(len(taken) + 1) if (slug := _numbered(stem, number)) not in taken)


def _numbered(stem: str, number: int) -> str:
    return f"{stem}-{number + 1}" if number else stem


def _show_fields(show: Show, feed: Feed, address: str) -> dict[str, Any]:
    names = ("title", "description", "language", "author", "category", "is_explicit")
    return {"feed_url": address or show.feed_url, **{name: getattr(feed, name) for name in names}}
