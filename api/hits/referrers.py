"""Referrers: pages whose player loads audio before anybody asked to hear it."""

from collections.abc import Sequence

from api.hits.agents_patterns import FirstMatch
from api.hits.traits import Trait

PRELOADERS = (
    # Observed by others in March 2024: their players load whole files for `preload="metadata"`.
    r"(?i)^https?://(?:[\w-]+\.)*podverse\.fm(?:[/:?#]|$)",
    r"(?i)^https?://widget\.podfriend\.com(?:[/:?#]|$)",
)
"""Pages known for it."""


class Referrers:
    """Asked for a referrer, this tells whether it is a preloader."""

    def __init__(self, more: Sequence[str] = ()) -> None:
        """`more`: further patterns, from the operator's list."""
        self._preloaders = FirstMatch([(pattern, True) for pattern in (*PRELOADERS, *more)])

    def traits(self, referrer: str) -> Trait:
        """PRELOAD or NONE."""
        return Trait.PRELOAD if self._preloaders.find(referrer) else Trait.NONE
