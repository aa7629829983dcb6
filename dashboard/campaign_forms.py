"""Forms that make advertisers and campaigns and change them. What is wrong, the API says."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import streamlit as st

from dashboard import clock, money, submissions
from models.advertising import CONFIRM_PERCENTS, Advertiser, Billing, Campaign
from models.privacy_cells import LEAST

NEW = "new-campaign"
ADVERTISER = "new-advertiser"
MEMBER = "new-member"
DAYS = 30
"""How long a campaign is, unless somebody says otherwise."""

BILLINGS = {
    Billing.CONFIRMED: "Confirmed: a device heard the ad",
    Billing.DELIVERED: "Delivered: the ad's bytes were downloaded",
}


def confirming(percent: int) -> str:
    """How much of the ad has to be heard, in words."""
    return "any second of it" if percent == 0 else "all of it" if percent == 100 else f"{percent} % of it"


def new_campaign(advertisers: Sequence[Advertiser]) -> None:
    """An empty form; `advertisers` must not be empty."""
    submissions.tell(NEW)
    drawn = submissions.nonce(NEW)
    with st.form(f"form-{NEW}-{drawn}", border=False, enter_to_submit=False):
        names = {str(advertiser.uuid): advertiser.name for advertiser in advertisers}
        left, right = st.columns(2)
        left.text_input("Name", key=submissions.field(NEW, "name"), max_chars=255)
        right.selectbox("Advertiser", list(names), format_func=names.get, key=submissions.field(NEW, "advertiser"))
        _price(drawn)
        _span(clock.today(), clock.today() + timedelta(days=DAYS - 1), NEW)
        _billing()
        _caps(NEW)
        st.form_submit_button("Make the campaign", type="primary", on_click=_make, args=(drawn,))


def change(campaign: Campaign) -> None:
    """What may change while a campaign runs."""
    form = f"change-{campaign.uuid}"
    submissions.tell(form)
    drawn = submissions.nonce(form)
    with st.form(f"form-{form}-{drawn}", border=False, enter_to_submit=False):
        left, right = st.columns(2)
        left.text_input("Name", campaign.name, key=submissions.field(form, "name"), max_chars=255)
        right.text_input(
            f"Budget, {campaign.currency}",
            f"{money.major(campaign.budget_cents, campaign.currency):,}",
            key=submissions.field(form, "budget"),
        )
        _span(campaign.from_day, campaign.to_day, form)
        _caps(form, campaign.impression_cap, campaign.daily_cap)
        st.form_submit_button("Save the changes", on_click=_change, args=(form, drawn, campaign))


def new_advertiser() -> None:
    """For admins: a company, to which accounts are added."""
    submissions.tell(ADVERTISER)
    drawn = submissions.nonce(ADVERTISER)
    with st.form(f"form-{ADVERTISER}-{drawn}", border=False, enter_to_submit=False):
        st.text_input("Name of the company", key=submissions.field(ADVERTISER, "name"), max_chars=255)
        st.form_submit_button("Add the advertiser", on_click=_make_advertiser, args=(drawn,))


def new_member(advertisers: Sequence[Advertiser]) -> None:
    """For admins: who sees and changes an advertiser's campaigns."""
    submissions.tell(MEMBER)
    drawn = submissions.nonce(MEMBER)
    names = {str(advertiser.uuid): advertiser.name for advertiser in advertisers}
    with st.form(f"form-{MEMBER}-{drawn}", border=False, enter_to_submit=False):
        left, right = st.columns(2)
        left.selectbox("Advertiser", list(names), format_func=names.get, key=submissions.field(MEMBER, "advertiser"))
        right.text_input("E-mail address of an advertiser's account", key=submissions.field(MEMBER, "email"))
        st.form_submit_button("Let this account in", on_click=_add_member, args=(drawn,))


def _price(drawn: str) -> None:
    currency, price, budget = st.columns(3)
    currency.selectbox(
        "Currency", money.CURRENCIES, format_func=money.currency_name, key=submissions.field(NEW, "currency")
    )
    price.text_input("Price for 1,000 impressions", placeholder="12.50", key=submissions.field(NEW, "price"))
    budget.text_input("Budget", placeholder="5,000", key=submissions.field(NEW, "budget"))


def _span(first: date, last: date, form: str) -> None:
    left, right = st.columns(2)
    left.date_input("First day (UTC)", first, key=submissions.field(form, "from_day"), format="YYYY-MM-DD")
    right.date_input("Last day (UTC)", last, key=submissions.field(form, "to_day"), format="YYYY-MM-DD")


def _billing() -> None:
    left, right = st.columns(2)
    left.radio(
        "Impressions that are paid for", list(BILLINGS), format_func=BILLINGS.get,
        key=submissions.field(NEW, "billing"),
    )  # fmt: skip
    right.selectbox(
        "An impression is confirmed when a device heard", CONFIRM_PERCENTS, index=CONFIRM_PERCENTS.index(50),
        format_func=confirming, key=submissions.field(NEW, "percent"),
    )  # fmt: skip


def _caps(form: str, impressions: int | None = None, daily: int | None = None) -> None:
    left, right = st.columns(2)
    left.number_input(
        "Impressions at most (optional)", LEAST, value=impressions, step=LEAST, key=submissions.field(form, "cap")
    )
    right.number_input(
        "Impressions a day at most (optional)", LEAST, value=daily, step=LEAST, key=submissions.field(form, "daily")
    )


def _make(drawn: str) -> None:
    said = _reader(NEW, drawn)
    currency = said("currency")
    amounts = _amounts(NEW, drawn, currency, ("price", "budget"))
    if amounts is None:
        return
    body = {
        "advertiser_id": said("advertiser"),
        "name": said("name"),
        "currency": currency,
        "price_cents": amounts["price"],
        "budget_cents": amounts["budget"],
        "billing": said("billing"),
        "confirm_percent": said("percent"),
        **_shared(NEW, drawn),
    }
    done = f"{said('name')} is there. Open it to say in which episodes it stands."
    submissions.send(NEW, drawn, "POST", "/v1/campaigns", body, done)


def _change(form: str, drawn: str, campaign: Campaign) -> None:
    amounts = _amounts(form, drawn, campaign.currency, ("budget",))
    if amounts is None:
        return
    wanted = {
        "name": submissions.value(form, drawn, "name"), "budget_cents": amounts["budget"], **_shared(form, drawn)
    }  # fmt: skip
    is_now = {name: str(getattr(campaign, name)) for name in wanted}
    # Only what was changed: what others changed meanwhile stays.
    body = {name: value for name, value in wanted.items() if str(value) != is_now[name]}
    if not body:
        submissions.refuse(form, "Nothing was changed.")
        return
    submissions.send(form, drawn, "PATCH", f"/v1/campaigns/{campaign.uuid}", body, "The changes are saved.")


def _make_advertiser(drawn: str) -> None:
    name = submissions.value(ADVERTISER, drawn, "name")
    submissions.send(ADVERTISER, drawn, "POST", "/v1/advertisers", {"name": name}, f"{name} is there.")


def _add_member(drawn: str) -> None:
    said = _reader(MEMBER, drawn)
    email = (said("email") or "").strip()
    if not email or "/" in email:
        submissions.refuse(MEMBER, "Write the e-mail address of the account.")
        return
    path = f"/v1/advertisers/{said('advertiser')}/members/{email}"
    submissions.send(MEMBER, drawn, "PUT", path, None, f"{email} sees these campaigns now.")


def _reader(form: str, drawn: str) -> Any:
    return lambda name: submissions.value(form, drawn, name)


def _shared(form: str, drawn: str) -> dict[str, Any]:
    said = _reader(form, drawn)
    return {
        "from_day": str(said("from_day")),
        "to_day": str(said("to_day")),
        "impression_cap": said("cap"),
        "daily_cap": said("daily"),
    }


def _amounts(form: str, drawn: str, currency: str, names: tuple[str, ...]) -> dict[str, int] | None:
    found: dict[str, int] = {}
    for name in names:
        cents = money.try_parse_cents(submissions.value(form, drawn, name) or "", currency)
        if cents is None:
            example = money.said(123450, currency)
            submissions.refuse(form, f"Write the {name} as an amount of {currency}, {example} for example.")
            return None
        found[name] = cents
    return found
