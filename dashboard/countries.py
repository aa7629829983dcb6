"""Names of countries, as people say them."""

from functools import cache

from babel import Locale


@cache
def _names() -> dict[str, str]:
    return {code: name for code, name in Locale("en").territories.items() if len(code) == 2}


def name_of(code: str) -> str:
    """`Germany` for `DE`; the code itself when nobody has a name for it."""
    return _names().get(code.upper(), code)
