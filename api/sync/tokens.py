"""Device tokens: a signed device id, so that sync proves who sends without asking the store."""

from functools import lru_cache
from uuid import UUID

from itsdangerous import BadSignature, Signer

SALT = "earshot device token v1"


class DeviceTokens:
    """Issues and checks the tokens of one installation."""

    def __init__(self, secret: str) -> None:
        import hashlib

        self._signer = Signer(secret, salt=SALT, digest_method=hashlib.sha256)
        self.device_of = lru_cache(maxsize=65_536)(self._device_of)
        """The device of a token, or None; remembered, because a device sends the same one for years."""

    def issue(self, device: UUID) -> str:
        """The token of a device; it does not expire."""
        return self._signer.sign(device.hex).decode()

    def _device_of(self, token: str) -> UUID | None:
        try:
            return UUID(hex=self._signer.unsign(token).decode())
        except (BadSignature, ValueError):
            return None
