"""Many patterns tried at once: which of them matches a text, the first in their order."""

from collections.abc import Sequence
from typing import Generic, TypeVar

from ua_parser_rs import UserAgentExtractor

T = TypeVar("T")


class PatternError(ValueError):
    """The text is no regular expression of the kind that is understood; says where it goes wrong."""


class FirstMatch(Generic[T]):
    """Patterns with what each of them means.

    The extractor looks for the literal words of all patterns in one pass over the text, and tries only patterns whose
    words are there: a thousand take a few microseconds. Its syntax is Rust's: no look-around.
    """

    def __init__(self, patterns: Sequence[tuple[str, T]]) -> None:
        """Raises PatternError."""
        self._meanings = [meaning for _, meaning in patterns]
        self._extractor = _compile([pattern for pattern, _ in patterns])

    def find(self, text: str) -> T | None:
        """What the first pattern that matches means; None when none does."""
        try:
            found = self._extractor.extract(text)
        except UnicodeEncodeError:  # a lone surrogate, which stands for a byte that is no UTF-8
            return self.find(text.encode("utf-8", "replace").decode())
        return self._meanings[int(found.family)] if found else None


def check_pattern(pattern: str) -> None:
    """Raises PatternError when the pattern cannot be used."""
    if not pattern:
        raise PatternError("the pattern is empty and would match everything")
    _compile([pattern])


def _compile(patterns: Sequence[str]) -> UserAgentExtractor:
    try:
        # The name that a match is given is the pattern's place.
        return UserAgentExtractor(
            (pattern, str(place), None, None, None, None) for place, pattern in enumerate(patterns)
        )
    except ValueError as error:
        raise PatternError(_reason(str(error))) from error


def _reason(told: str) -> str:
    """The one line of Rust's explanation that names the fault."""
    lines = told.replace('\\"', '"').replace("\\n", "\n").splitlines()
    fault = next((line.removeprefix("error: ") for line in lines if line.startswith("error: ")), told)
    return fault.rstrip('")')
