"""Web browsers by their user agents: what the ua-parser project knows of them, under the names that people use."""

import re
from functools import cache

from ua_parser import Domain, load_lazy_builtins
from ua_parser.regex import Resolver

_BROWSER = re.compile(r"(?:Mozilla|Opera)/\d")
_VARIANT = re.compile(r"^Mobile | (?:Mobile|iOS|Touch|Tablet)\b")
WEB_VIEWS = {
    "Chrome Mobile WebView": "Android web view",
    "Android": "Android web view",
    "Mobile Safari UI/WKWebView": "iOS web view",
}
"""Apps that show a page within themselves, and do not say which app."""


class Browsers:
    """Asked for a user agent, this tells the browser."""

    def __init__(self) -> None:
        browsers, _, _ = load_lazy_builtins()
        self._resolver = Resolver((browsers, [], []))

    def find(self, user_agent: str) -> str:
        """`Firefox`, on whatever device; empty when it is none, or unknown. `user_agent` must be valid Unicode."""
        if not _BROWSER.match(user_agent):
            return ""
        found = self._resolver(user_agent, Domain.USER_AGENT).user_agent
        if found is None or found.family == "Other":
            return ""
        return WEB_VIEWS.get(found.family) or _VARIANT.sub("", found.family)


@cache
def load_browsers() -> Browsers:
    """One for the process: making it takes a tenth of a second and 20 MB."""
    return Browsers()
