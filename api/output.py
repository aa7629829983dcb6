"""What the operator is told: lines on standard output. Whether they can be written or not, the work goes on."""

import sys

import structlog


class Lines:
    """A logger for structlog that drops lines for which there is no room, on a full disk or behind a closed pipe.

    Telling of a fault must not become one: an exception in here would end the thread that writes the log, or a request
    that could still be answered.
    """

    def msg(self, line: str) -> None:
        """Print a line if that is possible."""
        try:
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
        except (OSError, ValueError):  # ValueError: standard output was closed
            return

    log = debug = info = warn = warning = error = critical = fatal = failure = err = exception = msg


def set_up() -> None:
    """Let every logger of this process print this way."""
    structlog.configure(logger_factory=lambda *_: Lines())
