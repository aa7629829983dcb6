"""Audio files in a local folder, named by what is in them."""

import os
from pathlib import Path


class LocalAudio:
    """A folder of audio, each file under its SHA-256, so that a replaced recording never changes one being sent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "incoming").mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        """Where the file with this hash is, or would be."""
        return self.folder / sha256[:2] / sha256

    def find(self, beginning: str) -> str | None:
        """The hash of a file kept here that begins so, with two hex digits or more; None when there is none."""
        return next((path.name for path in (self.folder / beginning[:2]).glob(f"{beginning}*")), None)

    def incoming(self, name: str) -> Path:
        """Where an upload is written before it is known to be good; never served."""
        return self.folder / "incoming" / name

    def keep(self, incoming: Path, sha256: str) -> Path:
        """Move a finished upload to its place, durably: the file first, then its name."""
        target = self.path(sha256)
        if not target.parent.exists():
            target.parent.mkdir(exist_ok=True)
            _sync_folder(self.folder)
        incoming.replace(target)
        _sync_folder(target.parent)
        return target


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
