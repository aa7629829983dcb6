"""Many patterns at once give what trying them one after the other gives."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.hits.agents_patterns import FirstMatch, PatternError, check_pattern

WORDS = ("Foo", "foo", "Bar", "oba", "b", "Baz 1", "z/")
SHAPES = ("{}", "^{}", "{}$", "^{}$", "(?i){}", "^{}.*oo", "({}|Foo).Bar", "[Ff]oo{}?", "{}[0-9]+", ".*{}")
patterns = st.lists(st.builds(str.format, st.sampled_from(SHAPES), st.sampled_from(WORDS)), max_size=8)
texts = st.lists(st.sampled_from((*WORDS, " ", "1", "Xoo", "BAZ")), max_size=8).map("".join)


@given(patterns, texts)
def test_the_first_pattern_that_matches_decides(tried: list[str], text: str) -> None:
    expected = next((place for place, pattern in enumerate(tried) if re.search(pattern, text)), None)
    assert FirstMatch([(pattern, place) for place, pattern in enumerate(tried)]).find(text) == expected


BROKEN = {
    "an open group": ("(Foo", "unclosed group"),
    "a look behind": ("(?<!x)Foo", "look-around, including look-ahead and look-behind, is not supported"),
    "nothing": ("", "empty"),
}


@pytest.mark.parametrize(("pattern", "told"), BROKEN.values(), ids=BROKEN)
def test_a_pattern_that_cannot_be_used_says_why(pattern: str, told: str) -> None:
    with pytest.raises(PatternError, match=told) as error:
        check_pattern(pattern)
    assert "\n" not in str(error.value)
