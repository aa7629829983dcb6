"""One statement's own page: for admins with its evidence and what to do with it, for its creator what it pays."""

import streamlit as st

from dashboard import (
    calls,
    evidence_cards,
    evidence_data,
    formats,
    ledger_cards,
    money,
    statement_data,
    statement_forms,
)
from dashboard.statement_data import Detail, month
from models.payouts import StatementState
from models.tables import Role, User

VERDICTS = {"agrees": st.success, "differs": st.error, "unproved": st.warning}


def render(user: User, all_statements: st.Page | None) -> None:
    """The page of the statement that the address names with `?statement=`, if this user may see it."""
    is_admin = user.role == Role.ADMIN
    found = statement_data.detail(user, st.query_params.get("statement", ""))
    if st.button("All statements", icon=":material/arrow_back:", type="tertiary") and all_statements is not None:
        st.switch_page(all_statements)
    if found is None:
        st.title("No such statement")
        st.write("It is not among your statements." if not is_admin else "There is none with this address.")
        return
    row = found.statement
    st.title(f"Statement of {month(row.month)}")
    whose = f"{formats.plain(found.creator.name or found.creator.email)} · " if is_admin else ""
    st.markdown(f"{money.badge(row.state)} {whose}{money.currency_name(row.currency)}")
    evidence_cards.totals(found)
    evidence_cards.explain_carrying(found)
    if is_admin:
        _for_admin(found, user)
    else:
        _for_creator(found)


def _for_admin(found: Detail, user: User) -> None:
    evidence = evidence_data.evidence(found)
    left, right = st.columns([3, 2], gap="small")
    with left:
        evidence_cards.draw_checklist(found, evidence)
    with right, st.container(border=True, key="card-decide", height="stretch"):
        st.subheader("Decide")
        statement_forms.decide(found, user)
    evidence_cards.lines(found, is_admin=True)
    evidence_cards.per_day(found)
    left, right = st.columns(2, gap="small")
    with left:
        evidence_cards.kept_back(evidence)
    with right:
        evidence_cards.hits(evidence)
    ledger_cards.of_statement(found)
    evidence_cards.pinned(found)
    _verify(found)
    _files(found)


def _for_creator(found: Detail) -> None:
    row = found.statement
    if row.state in (StatementState.HELD, StatementState.VOID):
        st.warning(f"{money.BADGES[row.state][1]}: {formats.plain(row.reason)}")
    elif row.state == StatementState.PAID and row.paid_at is not None:
        st.success(f"Paid on {formats.day(row.paid_at.date())}: {formats.plain(row.paid_reference)}")
    elif row.state == StatementState.DRAFT:
        st.info("A draft: somebody looks at it before it is approved, and paid.")
    evidence_cards.lines(found, is_admin=False)
    evidence_cards.per_day(found)
    evidence_cards.pinned(found)
    _files(found)


def _files(found: Detail) -> None:
    row = found.statement
    name = f"statement-{row.month:%Y-%m}-{row.currency}-{str(row.uuid)[:8]}"
    with st.container(border=True, key="card-files"):
        st.subheader("To keep")
        left, right = st.columns(2, gap="small")
        left.download_button(
            "Statement as PDF", calls.file(f"/v1/statements/{row.uuid}/pdf"), f"{name}.pdf", "application/pdf",
            icon=":material/picture_as_pdf:", on_click="ignore",
        )  # fmt: skip
        right.download_button(
            "All that it was worked out from", calls.file(f"/v1/statements/{row.uuid}/export"), f"{name}.ndjson.gz",
            "application/gzip", icon=":material/folder_zip:", on_click="ignore",
        )  # fmt: skip
        st.caption(
            "The second file has every playback behind the statement, without devices. The script "
            "docs/verify_statement.py works the statement out again from it, on any computer."
        )


def _verify(found: Detail) -> None:
    with st.container(border=True, key="card-verify"):
        st.subheader("Work it out again")
        st.caption("From the log and the archive, line by line. It changes nothing, and may take a minute.")
        if not st.button("Verify", icon=":material/fact_check:"):
            return
        path = f"/v1/statements/{found.statement.uuid}/verify"
        with st.spinner("Reading log and archive ..."):
            answer = calls.ask("POST", path, timeout=calls.FILE_SECONDS)
        if not answer.is_ok:
            st.error(answer.problem, icon=":material/error:")
            return
        verdict = str(answer.body["verdict"])
        VERDICTS.get(verdict, st.warning)(f"Verdict: {verdict}.")
        for check in answer.body["checks"]:
            st.markdown(f"**{check['name'].capitalize()}** {check['outcome']}: {formats.plain(check['detail'])}")
