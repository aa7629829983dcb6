"""Forms for rate plans and bank accounts. What is wrong, the API says."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import streamlit as st

from dashboard import clock, money, submissions
from models.payouts import Payee
from models.tables import Show

PLAN = "new-plan"
PAYEE = "payee"


def new_plan(shows: Sequence[Show]) -> None:
    """For admins: what a show's creator is paid from a day on; `shows` must not be empty."""
    submissions.tell(PLAN)
    drawn = submissions.nonce(PLAN)
    with st.form(f"form-{PLAN}-{drawn}", border=False, enter_to_submit=False):
        titles = {str(show.uuid): show.title for show in shows}
        left, right = st.columns(2)
        left.selectbox("Show", list(titles), format_func=titles.get, key=submissions.field(PLAN, "show"))
        right.date_input("First day (UTC)", clock.today(), key=submissions.field(PLAN, "from_day"), format="YYYY-MM-DD")
        currency, price = st.columns(2)
        currency.selectbox(
            "Currency", money.CURRENCIES, format_func=money.currency_name, key=submissions.field(PLAN, "currency")
        )
        price.text_input("Price for 1,000 listens", placeholder="22.00", key=submissions.field(PLAN, "price"))
        share, minimum = st.columns(2)
        share.text_input("Share of ad revenue, %", placeholder="70", key=submissions.field(PLAN, "share"))
        minimum.text_input(
            "Minimum payout", placeholder="25.00", key=submissions.field(PLAN, "minimum"),
            help="What does not come to it is carried over to the next statement. Empty: everything is paid.",
        )  # fmt: skip
        st.form_submit_button("Add the rate plan", type="primary", on_click=_make_plan, args=(drawn, titles))


def _make_plan(drawn: str, titles: dict[str, str]) -> None:
    def said(name: str) -> Any:
        return submissions.value(PLAN, drawn, name)

    currency, uuid = said("currency"), said("show")
    price = money.try_parse_cents(said("price") or "", currency)
    minimum = money.try_parse_cents(said("minimum") or "0", currency)
    share = try_parse_share(said("share") or "")
    if price is None or minimum is None:
        word = "price" if price is None else "minimum"
        submissions.refuse(
            PLAN, f"Write the {word} as an amount of {currency}, {money.said(2200, currency)} for example."
        )
        return
    if share is None:
        submissions.refuse(PLAN, "Write the share of ad revenue in per cent, 70 or 62.5 for example.")
        return
    body = {
        "from_day": str(said("from_day")),
        "currency": currency,
        "listen_price_cents": price,
        "ad_share_bp": share,
        "minimum_cents": minimum,
    }
    done = f"{titles.get(uuid, 'The show')} has a plan from {said('from_day')} on."
    submissions.send(PLAN, drawn, "POST", f"/v1/shows/{uuid}/rate-plans", body, done)


def try_parse_share(text: str) -> int | None:
    """1/10,000 of a share written in per cent, `62.5` for example; None for what is none, or finer than that."""
    try:
        share = Decimal(text.strip().removesuffix("%").strip()) * 100
    except InvalidOperation:
        return None
    is_share = share.is_finite() and 0 <= share <= 10_000 and share == int(share)
    return int(share) if is_share else None


def bank_account(payee: Payee | None) -> None:
    """Where a creator's money goes."""
    submissions.tell(PAYEE)
    drawn = submissions.nonce(PAYEE)
    with st.form(f"form-{PAYEE}-{drawn}", border=False, enter_to_submit=False):
        st.text_input(
            "Name of the account's holder", payee.name if payee else "", key=submissions.field(PAYEE, "name"),
            max_chars=70,
        )  # fmt: skip
        left, right = st.columns([3, 2])
        left.text_input("IBAN", payee.iban if payee else "", key=submissions.field(PAYEE, "iban"), max_chars=60)
        right.text_input(
            "BIC (optional)", payee.bic if payee else "", key=submissions.field(PAYEE, "bic"), max_chars=20
        )
        st.form_submit_button("Save the bank account", type="primary", on_click=_put_payee, args=(drawn,))


def _put_payee(drawn: str) -> None:
    body = {name: (submissions.value(PAYEE, drawn, name) or "").strip() for name in ("name", "iban", "bic")}
    if not body["name"] or not body["iban"]:
        submissions.refuse(PAYEE, "Write the name of the account's holder and the IBAN.")
        return
    submissions.send(PAYEE, drawn, "PUT", "/v1/payee", body, "Saved. The next payment goes to this account.")
