"""A statement on paper says what the statement says, in the letters of whoever it is for."""

import re
from datetime import date

import pytest
from sqlmodel import Session, select

from api.payouts import fonts, pdf
from api.payouts.schemas import StatementDetail
from models.tables import Episode, Show, User
from tests.api.payouts.conftest import Office

NAMES = [
    "Łukasz Żółć",
    "Ștefan Țepeș",
    "Nguyễn Thị Ánh",
    "Дмитрий Жуков",
    "Ελένη Παππά",
    "山田太郎",
    "김민준",
    "王小明",
    "臺灣播客",
]


def drafted(office: Office, name: str = "Carol", currency: str = "EUR") -> StatementDetail:
    """A statement with a late line, a held one and an ad, of a creator of this name."""
    show = office.show("carol")
    office.plan(show, currency=currency)
    episode = office.episode(show)
    with Session(office.engine) as session:
        session.exec(select(User).where(User.email == "carol@example.com")).one().name = name
        session.exec(select(Show).where(Show.id == show.id)).one().title = f"Show of {name}"
        session.exec(select(Episode).where(Episode.id == episode.id)).one().title = "Cats & <Dogs>"
        session.commit()
    office.listens(episode, date(2026, 9, 3), 5000)
    office.listens(episode, date(2026, 10, 3), 1_234_567)
    office.held(episode, date(2026, 10, 3), 67)
    placement = office.place(office.campaign(currency=currency), episode)
    office.impressions(placement, date(2026, 10, 4), confirmed=300)
    (statement,) = office.close("2026-10")
    return StatementDetail(**office.read("carol", f"/v1/statements/{statement['id']}"))


def written(statement: StatementDetail) -> str:
    """All that the paper says, in its order."""
    fonts.register()

    def texts(part) -> list[str]:
        if hasattr(part, "getPlainText"):
            return [part.getPlainText()]
        return [text for row in getattr(part, "_cellvalues", []) for cell in row for text in texts(cell)]

    return "\n".join(text for part in pdf._story(statement) for text in texts(part))


def test_the_paper_has_every_line_with_its_amount(office: Office) -> None:
    statement = drafted(office)
    text = written(statement)
    assert len(statement.lines) == 3
    for line in statement.lines:
        assert pdf.money(line.amount_cents, "EUR") in text
    assert "€12,345.00" in text
    assert "1,234,500" in text
    assert "67" in text.split("\n")
    assert "Cats & <Dogs>" in text
    assert "came late" in text
    assert "Tea" in text
    assert statement.inputs_hash in text
    assert "A draft: nothing of it is approved" in text
    assert text.endswith(f"Comes to\n{pdf.money(statement.payable_cents, 'EUR')}")


@pytest.mark.parametrize(
    ("cents", "currency", "said"),
    [(1250, "EUR", "€12.50"), (-1250, "EUR", "-€12.50"), (1250, "JPY", "¥1,250"), (123456, "KWD", "KWD\xa0123.456")],
)
def test_amounts_are_in_the_currencys_own_units(cents: int, currency: str, said: str) -> None:
    assert pdf.money(cents, currency) == said


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_written_in_its_own_letters(name: str) -> None:
    fonts.register()
    assert [letter for letter in name if fonts.font_of(letter) is None] == []
    stretches = re.sub(r"<[^>]+>", "", fonts.marked(name))
    assert stretches == name


def test_what_no_font_has_is_told_by_a_question_mark() -> None:
    assert re.sub(r"<[^>]+>", "", fonts.marked("a\N{SNOWMAN WITHOUT SNOW}\ue000 <b>&")).endswith("? &lt;b&gt;&amp;")


def test_creator_and_admins_get_the_document_and_others_do_not(office: Office) -> None:
    statement = drafted(office, " ".join(NAMES))
    path = f"/v1/statements/{statement.id}/pdf"
    for who in ("carol", "ada"):
        answer = office.call(who, "GET", path)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "application/pdf"
        assert f"statement-2026-10-EUR-{str(statement.id)[:8]}.pdf" in answer.headers["Content-Disposition"]
        assert answer.content.startswith(b"%PDF-")
        assert str(statement.id).encode() in answer.content
    assert office.call("dave", "GET", path).status_code == 404


def test_a_statement_of_many_lines_goes_over_pages(office: Office) -> None:
    statement = drafted(office)
    statement.lines *= 60
    assert int(re.search(rb"/Count (\d+)", pdf.render(statement))[1]) > 3
