"""Named places where a test may kill the process, as a power cut would.

`EARSHOT_FAILPOINT=name` or `name:n` ends the process with SIGKILL when it comes to `name` for the n-th time.
"""

import os
import signal

_name, _, _count = os.environ.get("EARSHOT_FAILPOINT", "").partition(":")
_left = int(_count or 1)


def reach(name: str) -> None:
    """Die here if a test asked for it; otherwise nothing."""
    global _left  # noqa: PLW0603 - the count is this process's own
    if name != _name:
        return
    _left -= 1
    if _left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
