"""Named places where a test may kill or stop the process, or let the disk fail, as bad luck would.

`EARSHOT_FAILPOINT=name:n:action` acts once, when the process comes to `name` for the n-th time (`:n` is 1 when left
out). The actions: `kill` (the default) ends the process as a power cut would, `stop` halts it until it gets SIGCONT,
`eio` is a disk that answers with an error.
"""

import errno
import os
import signal

_name, _count, _action, *_ = [*os.environ.get("EARSHOT_FAILPOINT", "").split(":"), "", ""]
_left = int(_count or 1)


def reach(name: str) -> None:
    """Act here if a test asked for it; otherwise nothing."""
    global _left  # noqa: PLW0603 - the count is this process's own
    if name != _name:
        return
    _left -= 1
    if _left == 0:
        _act()


def _act() -> None:
    match _action:
        case "" | "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "eio":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        case unknown:
            raise ValueError(f"EARSHOT_FAILPOINT: {unknown!r} is no action; use kill, stop or eio.")
