"""Letters for PDF files: names are written in all scripts, and no one font has them all.

Each stretch of a text is set in the first font that has its letters. Fonts are embedded. Those of Chinese, Japanese and
Korean are too large to come along: where none is installed, the reader's program uses its own.
"""

import unicodedata
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape

import fontpkg_noto_sans
import reportlab
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont

_OWN = Path(reportlab.__file__).parent / "fonts"
_NOTO = Path(fontpkg_noto_sans.__file__).parent / "files"
_SYSTEM = Path("/usr/share/fonts/truetype")
_FILES = {
    "Vera": _OWN / "Vera.ttf",
    "Noto": _NOTO / "NotoSans[wdth,wght].ttf",
    "DejaVu": _SYSTEM / "dejavu" / "DejaVuSans.ttf",
    "Nanum": _SYSTEM / "nanum" / "NanumGothic.ttf",
    "Droid": _SYSTEM / "droid" / "DroidSansFallbackFull.ttf",
}
"""In the order in which they are asked. The first two are always there: Latin, Greek, Cyrillic, Devanagari. The others
are Debian's, for Arabic and Hebrew, and for Korean, Chinese and Japanese; left out where they are not installed."""
_VIEWERS = {"HeiseiKakuGo-W5": "cp932", "HYSMyeongJo-Medium": "cp949", "STSong-Light": "gbk"}
"""Fonts that viewers bring, and the encoding that tells what they have: Japanese, Korean, Chinese."""
_NO_LETTERS = {"Cn", "Co", "Cs"}
"""Unicode's categories of code points that mean nothing by themselves."""
BODY, BOLD = "Vera", "VeraBd"


@dataclass(frozen=True, slots=True)
class _Font:
    name: str
    has: frozenset[int] | None
    """Code points; None where an encoding tells."""
    encoding: str = ""

    def covers(self, character: str) -> bool:
        """Whether the font has a letter."""
        if self.has is not None:
            return ord(character) in self.has
        try:
            character.encode(self.encoding)
        except UnicodeEncodeError:
            return False
        return unicodedata.category(character) not in _NO_LETTERS


@cache
def _fonts() -> list[_Font]:
    """All that can be had, registered with the library."""
    found = []
    pdfmetrics.registerFont(TTFont(BOLD, _OWN / "VeraBd.ttf"))
    for name, path in _FILES.items():
        try:
            font = TTFont(name, path)
        except TTFError:
            continue
        pdfmetrics.registerFont(font)
        found.append(_Font(name, frozenset(font.face.charToGlyph)))
    for name, encoding in _VIEWERS.items():
        pdfmetrics.registerFont(UnicodeCIDFont(name))
        found.append(_Font(name, None, encoding))
    return found


def register() -> None:
    """Make the fonts known to the library; once is enough."""
    _fonts()


def font_of(character: str) -> str | None:
    """The first font that has a letter; None when none has."""
    return next((font.name for font in _fonts() if font.covers(character)), None)


def marked(text: str) -> str:
    """A text as a paragraph takes it, each stretch in a font that has its letters; what none has becomes a question
    mark."""
    stretches = groupby(text, key=lambda character: BODY if character.isspace() else font_of(character))
    return "".join(_stretch(font, "".join(letters)) for font, letters in stretches)


def _stretch(font: str | None, letters: str) -> str:
    if font is None:
        return "?" * len(letters)
    return escape(letters) if font == BODY else f'<font name="{font}">{escape(letters)}</font>'
