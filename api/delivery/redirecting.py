"""Signed, expiring addresses at a CDN: how they are made, and how the CDN's pulls are told from listeners' requests.

The signature is an HMAC-SHA256 over all of the address from the path up to `&signature=`. docs/cdn/signing.js makes the
same one for nginx, whose `secure_link` module then compares.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass

from starlette.requests import Request

from api.errors import ApiError
from api.settings import Settings
from models.media_types import EXTENSIONS
from models.queries.catalogue import Media

VERSION_CHARACTERS = 16
"""Of the file's SHA-256, hex: enough to tell the versions of one episode's recording apart."""
LONGEST_STEP_SECONDS = 3600
PULL_GRACE_SECONDS = 24 * 3600
"""A transfer that began before its address expired may go on for hours, and the CDN then still pulls what it lacks."""

_VERSION = re.compile(rf"[0-9a-f]{{{VERSION_CHARACTERS}}}")
_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)


class SignatureError(ApiError):
    """The address has a signature that is not ours, or that expired long ago."""

    status = 403
    code = "bad_signature"


def try_parse_version(text: str) -> str | None:
    """The beginning of a file's SHA-256 as such addresses have it, or None."""
    return text if _VERSION.fullmatch(text) else None


@dataclass(frozen=True, slots=True)
class CDN:
    """A CDN that knows our secret."""

    url: str
    """`https://cdn.example.com`, nothing behind it."""
    secret: bytes
    ttl_seconds: int
    counts_redirects: bool
    """Whether the redirect is what counts; otherwise it is the CDN's log."""

    def address(self, media: Media, now_ms: int) -> str:
        """Where this version of the recording can be had for the next `ttl_seconds`, or up to a sixth less."""
        # In steps, so that for a while all are sent to one address: a cache that keeps the query in its key hits too.
        step = min(LONGEST_STEP_SECONDS, max(1, self.ttl_seconds // 6))
        expires = (now_ms // 1000 + self.ttl_seconds) // step * step
        version = media.sha256[:VERSION_CHARACTERS]
        path = f"/media/{media.episode}/{version}.{EXTENSIONS.get(media.media_type, 'mp3')}"
        return f"{self.url}{path}?expires={expires}&signature={sign(self.secret, path, str(expires))}"

    def vouches_for(self, request: Request, now_ms: int) -> bool:
        """Whether the address is one of ours, and did not expire long ago: the CDN has let it pass already."""
        expires = request.query_params.get("expires", "")
        signature = request.query_params.get("signature", "")
        if not _SECONDS.fullmatch(expires) or now_ms // 1000 > int(expires) + PULL_GRACE_SECONDS:
            return False
        expected = sign(self.secret, request.url.path, expires)
        return hmac.compare_digest(signature.encode(), expected.encode())


def sign(secret: bytes, path: str, expires: str) -> str:
    """HMAC-SHA256 of `path?expires=...`, in base64url without padding."""
    digest = hmac.digest(secret, f"{path}?expires={expires}".encode(), "sha256")
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def make_cdn(settings: Settings) -> CDN | None:
    """The CDN of the settings, None without one."""
    if not settings.cdn_url:
        return None
    secret, ttl_seconds = settings.cdn_secret.encode(), settings.cdn_ttl_seconds
    return CDN(settings.cdn_url, secret, ttl_seconds, counts_redirects=settings.cdn_counts == "redirects")
