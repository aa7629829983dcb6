"""Device tokens: a signed device id, so that sync proves who sends without asking the store."""

import hashlib
from functools import lru_cache
from uuid import UUID

from itsdangerous import BadSignature, Signer

SALT = "earshot device token v1"
MAX_TOKEN = 128
"""Characters; ours have 76."""


class DeviceTokens:
    """Issues and checks the tokens of one installation."""

    def __init__(self, secret: str) -> None:
        self._signer = Signer(secret, salt=SALT, digest_method=hashlib.sha256)
        self._verify = lru_cache(maxsize=65_536)(self._unsign)
        """Remembers the good ones, since a device sends the same for years; a refusal raises and is not remembered."""

    def issue(self, device: UUID) -> str:
        """The token of a device; it does not expire."""
        return self._signer.sign(device.hex).decode()

    def device_of(self, token: str) -> UUID | None:
        """The device of a token, or None when it is none of ours."""
        if len(token) > MAX_TOKEN:
            return None
        try:
            return self._verify(token)
        except (BadSignature, ValueError):
            return None

    def _unsign(self, token: str) -> UUID:
        return UUID(hex=self._signer.unsign(token).decode())
