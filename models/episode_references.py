"""What a podcast app calls an episode by: the address of its audio, in any of the forms it was seen in, or its GUID."""

import re
from hashlib import sha256
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

_OWN_MEDIA = re.compile(r"/media/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.[a-z0-9]{1,5}", re.IGNORECASE)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:/{1,2}", re.IGNORECASE)
_DEFAULT_PORTS = {80, 443}
_MOST_PREFIXES = 10
"""Publishers chain three or four; more is somebody's joke."""

TRACKING_PREFIXES = re.compile(
    "|".join(
        (
            r"(?:www\.|dts\.)?podtrac\.com/(?:pts/)?redirect\.[a-z0-9]+/",
            r"play\.podtrac\.com/[^/]+/",
            r"(?:www\.)?(?:chtbl\.com|chrt\.fm)/track/[^/]+/",
            r"(?:www\.)?op3\.dev/e(?:,[^/]*)?/",
            r"pdst\.fm/e/",
            r"(?:prfx|pfx)\.byspotify\.com/e/",
            r"(?:media|www)\.blubrry\.com/[^/]+/",
            r"mgln\.ai/(?:e|track)/[^/]+/",
            r"(?:verifi\.podscribe\.com|pscrb\.fm)/rss/p/",
            r"(?:www\.)?claritaspod\.com/measure/",
            r"clrtpod\.com/m/",
            r"arttrk\.com/p/[^/]+/",
            r"(?:tracking\.)?swap\.fm/track/[^/]+/",
            r"pfx\.vpixl\.com/[^/]+/",
        )
    )
)
"""Measuring services that redirect `prefix/rest-of-the-address`, as seen in feeds in 2026. Hosts in lower case."""


NOISE = re.compile(r"(?:utm_.*|source|ref|_from|played_from|awcollectionid|awepisodeid)", re.IGNORECASE)
"""Parameters that apps and services append to say where a listener came from, as seen in 2026. Any other may be what
tells one episode from the next."""


def own_episode(reference: str) -> UUID | None:
    """The episode whose audio an Earshot serves at this address: any host, since an installation may have moved, and
    any query."""
    parts = _try_split(reference)
    found = _OWN_MEDIA.search(parts.path) if parts else None
    # Only at the end, where it stands also behind a tracking prefix.
    return UUID(found[1]) if parts and found and found.end() == len(parts.path) else None


def normal_url(url: str) -> str | None:
    """An address as it is compared: no scheme, fragment, usual port or tracking prefix, host in lower case; None for
    what is no address on the web."""
    parts = _try_split(url)
    if parts is None:
        return None
    text = _without_scheme(parts)
    for _ in range(_MOST_PREFIXES):
        prefix = TRACKING_PREFIXES.match(text)
        inner = _try_split("//" + _SCHEME.sub("", text[prefix.end() :], count=1)) if prefix else None
        # A host has a dot in it; without one this is the service's own page.
        if inner is None or "." not in (inner.hostname or ""):
            break
        text = _without_scheme(inner)
    return text


def hash_url(normal: str) -> bytes:
    """What a normal address is looked up by: addresses can be longer than an index takes."""
    return sha256(normal.encode()).digest()


def lookup_hashes(reference: str) -> list[bytes]:
    """Hashes to look a reference up by, the closest first: as it is, then without `NOISE`."""
    normal = normal_url(reference)
    if normal is None:
        return []
    plain = _without_noise(normal)
    return [hash_url(normal)] if plain == normal else [hash_url(normal), hash_url(plain)]


def _without_noise(normal: str) -> str:
    path, _, query = normal.partition("?")
    told = [part for part in query.split("&") if part and not NOISE.fullmatch(part.partition("=")[0])]
    return f"{path}?{'&'.join(told)}" if told else path


def _try_split(url: str) -> SplitResult | None:
    text = url.strip()
    try:
        text.encode()
        parts = urlsplit(text)
        has_host = bool(parts.hostname)
        _ = parts.port
    except ValueError:
        return None
    return parts if has_host and parts.scheme.lower() in {"http", "https", ""} else None


def _without_scheme(parts: SplitResult) -> str:
    host = (parts.hostname or "").rstrip(".")
    port = f":{parts.port}" if parts.port and parts.port not in _DEFAULT_PORTS else ""
    query = f"?{parts.query}" if parts.query else ""
    return f"{host}{port}{parts.path or '/'}{query}"
