"""A file that is read again when it has changed, while its reader goes on."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

import structlog

LOOK_SECONDS = 5.0
"""A change takes effect within this time and that of reading the file."""

T = TypeVar("T")

_logger = structlog.get_logger(__name__)


class Watched(Generic[T]):
    """What was read of a file last. A version that cannot be read is told to the operator, and the one before it stays.

    Looking costs a `stat` every few seconds; a changed file is read on a thread of its own, so that no request waits.
    """

    def __init__(self, path: Path, read: Callable[[Path], T]) -> None:
        """Read the file. Raises what `read` raises."""
        self._path, self._read = path, read
        self._stamp = _stamp(path)
        self._value = read(path)
        self._look_at = time.monotonic() + LOOK_SECONDS
        self._reading: threading.Thread | None = None
        self._lock = threading.Lock()

    def current(self) -> T:
        """The newest version that could be read."""
        if time.monotonic() >= self._look_at:
            self._look()
        return self._value

    def wait(self) -> None:
        """Until a change that was noticed has taken effect."""
        if self._reading is not None:
            self._reading.join()

    def _look(self) -> None:
        with self._lock:
            if self._reading is not None and self._reading.is_alive():
                return
            self._look_at = time.monotonic() + LOOK_SECONDS
            stamp = _stamp(self._path)
            if stamp == self._stamp:
                return
            self._stamp = stamp
            self._reading = threading.Thread(target=self._reread, name=f"reads {self._path.name}", daemon=True)
            self._reading.start()

    def _reread(self) -> None:
        try:
            self._value = self._read(self._path)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the new version, the old one is there
            _logger.error("a changed list is no good; the one before it stays in use", error=str(error))
        else:
            _logger.info("a changed list is in use", path=str(self._path))


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Tells one version of the file from another; None when there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
