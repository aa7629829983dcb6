"""The states of a device's hash chain; docs/sync-protocol.md."""

from collections.abc import Iterable
from typing import Literal

ChainState = Literal["intact", "gap", "fork", "broken"]
CHAIN_STATES: tuple[ChainState, ...] = ("intact", "gap", "fork", "broken")
"""From good to worst. A broken batch proves nothing about what came before it, so `broken` outweighs `fork`."""


def worst(states: Iterable[str]) -> ChainState:
    """The worst of them; `intact` when there is none."""
    seen = set(states)
    return max((state for state in CHAIN_STATES if state in seen), key=CHAIN_STATES.index, default="intact")
