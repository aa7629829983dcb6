"""What the operator is told: lines of output. Whether they can be written or not, the work goes on."""

import sys
from typing import Literal

import structlog

Stream = Literal["stdout", "stderr"]


class Lines:
    """A logger for structlog that drops lines for which there is no room, on a full disk or behind a closed pipe.

    Telling of a fault must not become one: an exception in here would end the thread that writes the log, or a request
    that could still be answered.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def msg(self, line: str) -> None:
        """Print a line if that is possible."""
        out = getattr(sys, self._stream)
        try:
            out.write(f"{line}\n")
            out.flush()
        except (OSError, ValueError):  # ValueError: standard output was closed
            return

    log = debug = info = warn = warning = error = critical = fatal = failure = err = exception = msg


def set_up(stream: Stream = "stdout") -> None:
    """Let every logger of this process print this way. On "stderr" where the standard output is a command's answer."""
    structlog.configure(logger_factory=lambda *_: Lines(stream))
