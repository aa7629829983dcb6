"""A statement on paper: what is paid for what, and by which facts it can be checked."""

import io
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, get_currency_precision
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from api.payouts import fonts
from api.payouts.fonts import marked
from api.payouts.schemas import BroughtForward, LineOut, StatementDetail

LOCALE = "en"
_LETTERS_BEFORE_DIGIT = re.compile(r"(?<=[A-Z])(?=[0-9])")
_MARGIN = 18 * mm
_FRAME = 6
"""What the library keeps free within the margins."""
_WIDTH = A4[0] - 2 * _MARGIN
_BODY = ParagraphStyle("body", fontName=fonts.BODY, fontSize=8, leading=11)
_SMALL = ParagraphStyle("small", parent=_BODY, fontSize=6.5, leading=9, textColor=colors.HexColor("#555555"))
_RIGHT = ParagraphStyle("right", parent=_BODY, alignment=2)
_HEAD = ParagraphStyle("head", parent=_BODY, fontName=fonts.BOLD, fontSize=7)
_HEAD_RIGHT = ParagraphStyle("head right", parent=_HEAD, alignment=2)
_TITLE = ParagraphStyle("title", parent=_BODY, fontName=fonts.BOLD, fontSize=16, leading=22)
_TOTAL = ParagraphStyle("total", parent=_RIGHT, fontName=fonts.BOLD, fontSize=9)
_RULES = TableStyle(
    [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, 0), 0.6, colors.black),
        ("LINEBELOW", (0, 1), (-1, -1), 0.2, colors.HexColor("#cccccc")),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 2),
    ]
)
_PLAIN = TableStyle([("LEFTPADDING", (0, 0), (-1, -1), 0), ("RIGHTPADDING", (0, 0), (-1, -1), 2)])
_NOT_FINAL = {
    "draft": "A draft: nothing of it is approved, and it may still change.",
    "held": "Held: it is not paid until it is released.",
    "void": "Void: nothing is paid by it.",
}


def render(statement: StatementDetail) -> bytes:
    """The statement as a PDF document."""
    fonts.register()
    file = io.BytesIO()
    document = SimpleDocTemplate(
        file,
        pagesize=A4,
        leftMargin=_MARGIN - _FRAME,
        rightMargin=_MARGIN - _FRAME,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        title=f"Statement {statement.month} {statement.currency}",
        author="Earshot",
        subject=str(statement.id),
    )
    document.build(_story(statement), onFirstPage=_foot(statement), onLaterPages=_foot(statement))
    return file.getvalue()


def money(cents: int, currency: str) -> str:
    """An amount as people write it in its currency."""
    amount = Decimal(cents).scaleb(-get_currency_precision(currency))
    # CLDR wants a space between a currency's letters and its number, and the library leaves it out.
    return _LETTERS_BEFORE_DIGIT.sub("\N{NO-BREAK SPACE}", format_currency(amount, currency, locale=LOCALE))


def _story(statement: StatementDetail) -> list[Any]:
    story = [
        Paragraph(f"Statement {statement.month}", _TITLE),
        Paragraph(marked(statement.creator.name or statement.creator.email), _BODY),
        Paragraph(marked(statement.creator.email), _BODY),
        Spacer(1, 4 * mm),
        _facts(statement),
        Spacer(1, 5 * mm),
    ]
    if statement.lines:
        story += [_lines(statement.lines, statement.currency), Spacer(1, 4 * mm)]
    story.append(_totals(statement))
    return story


def _facts(statement: StatementDetail) -> Table:
    rows = [
        ("Statement", str(statement.id)),
        ("State", f"{statement.state}. {_NOT_FINAL.get(statement.state, '')}".strip()),
        ("Drafted", format_date(statement.drafted_at.date(), "long", locale=LOCALE)),
    ]
    if statement.reason:
        rows.append(("Reason", statement.reason))
    if statement.approved_at:
        rows.append(("Approved", format_date(statement.approved_at.date(), "long", locale=LOCALE)))
    if statement.paid_at:
        paid = format_date(statement.paid_at.date(), "long", locale=LOCALE)
        rows.append(("Paid", f"{paid}, reference {statement.paid_reference}"))
    if statement.is_carried:
        minimum = money(statement.minimum_cents, statement.currency)
        rows.append(("Carried over", f"It does not come to the minimum payout of {minimum}; a later one brings it."))
    rows += [
        ("Rules", statement.rule_version),
        ("Log position", ", ".join(f"partition {part}: {offset}" for part, offset in statement.position.items())),
        ("Hash of its inputs", statement.inputs_hash),
    ]
    cells = [[Paragraph(name, _HEAD), Paragraph(marked(value), _BODY)] for name, value in rows]
    return Table(cells, colWidths=[32 * mm, _WIDTH - 32 * mm], style=_PLAIN)


def _lines(lines: Sequence[LineOut], currency: str) -> Table:
    heads = [Paragraph(name, _HEAD) for name in ("Episode", "For", "Month")]
    heads += [Paragraph(name, _HEAD_RIGHT) for name in ("Paid", "Held", "Void", "Unbilled", "Amount")]
    cells = [heads, *(_line(line, currency) for line in lines)]
    numbers = [16 * mm, 14 * mm, 14 * mm, 16 * mm, 28 * mm]
    texts = _WIDTH - sum(numbers) - 20 * mm
    return Table(cells, colWidths=[texts * 0.6, texts * 0.4, 20 * mm, *numbers], repeatRows=1, style=_RULES)


def _line(line: LineOut, currency: str) -> list[Paragraph]:
    episode = f"{marked(line.episode)}<br/>{marked(line.show)}"
    what = "Listens" if line.campaign_id is None else f"Ad impressions<br/>{marked(line.campaign)}"
    month = f"{line.month}<br/>came late" if line.is_late else line.month
    numbers = [_number(number) for number in (line.quantity, line.held, line.void, line.unbilled)]
    texts = [Paragraph(text, _BODY) for text in (episode, what, month)]
    return [*texts, *(Paragraph(text, _RIGHT) for text in [*numbers, marked(money(line.amount_cents, currency))])]


def _number(number: int) -> str:
    return str(format_decimal(number, locale=LOCALE))


def _totals(statement: StatementDetail) -> Table:
    rows = [("Total of the lines", statement.total_cents, _RIGHT)]
    rows += [(_brought(old), old.cents, _RIGHT) for old in statement.brought_forward]
    rows.append(("Comes to", statement.payable_cents, _TOTAL))
    cells = [
        [Paragraph(name, style), Paragraph(marked(money(cents, statement.currency)), style)]
        for name, cents, style in rows
    ]
    return Table(cells, colWidths=[_WIDTH - 40 * mm, 40 * mm], style=_PLAIN)


def _brought(old: BroughtForward) -> str:
    return f"Brought forward from {old.month}"


def _foot(statement: StatementDetail) -> Any:
    def draw(canvas: Any, document: Any) -> None:
        canvas.setFont(fonts.BODY, _SMALL.fontSize)
        canvas.setFillColor(_SMALL.textColor)
        canvas.drawString(_MARGIN, 10 * mm, f"Earshot · statement {statement.id}")
        canvas.drawRightString(A4[0] - _MARGIN, 10 * mm, f"page {document.page}")

    return draw
