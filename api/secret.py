"""The secret that signs device tokens."""

import os
import secrets
from pathlib import Path


def load_secret(configured: str, home: Path) -> str:
    """The configured secret, or one made once and kept in `home`, readable by its owner only."""
    if configured:
        return configured
    path = home / "secret"
    home.mkdir(parents=True, exist_ok=True)
    draft = home / f"secret.{os.getpid()}.new"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(32))
        file.flush()
        os.fsync(file.fileno())
    try:
        # Another process may be first; a link never overwrites, so both end with the same secret.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_text()
