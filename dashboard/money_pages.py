"""The pages about money: what an admin may open, and what a creator may."""

import streamlit as st

from dashboard.app_pages import ads, earnings, hold, holds, ledger, statement, statements, terms, trail
from models.tables import User


def for_admin(user: User) -> list[st.Page]:
    """Statements with their evidence, holds, rate plans, the ledger and the audit trail."""

    def draw_statements() -> None:
        statements.render(user, one_statement, all_holds)

    def draw_statement() -> None:
        statement.render(user, all_statements)

    def draw_holds() -> None:
        holds.render(user, one_hold)

    def draw_hold() -> None:
        hold.render(user, all_holds)

    def draw_rates() -> None:
        terms.render_for_admin(user)

    all_statements = st.Page(draw_statements, title="Statements", icon=":material/receipt_long:", url_path="statements")
    one_statement = st.Page(draw_statement, title="Statement", url_path="statement", visibility="hidden")
    all_holds = st.Page(draw_holds, title="Holds", icon=":material/pan_tool:", url_path="holds")
    one_hold = st.Page(draw_hold, title="Hold", url_path="hold", visibility="hidden")
    return [
        all_statements,
        one_statement,
        all_holds,
        one_hold,
        st.Page(draw_rates, title="Rate plans", icon=":material/sell:", url_path="rates"),
        st.Page(ledger.render, title="Ledger", icon=":material/account_balance:", url_path="ledger"),
        st.Page(trail.render, title="Audit trail", icon=":material/history:", url_path="trail"),
    ]


def for_creator(user: User) -> list[st.Page]:
    """Her statements and what is pending, what is held, her terms, and the ads in her shows."""

    def draw_earnings() -> None:
        earnings.render(user, one_statement, own_terms, held)

    def draw_statement() -> None:
        statement.render(user, own_earnings)

    def draw_held() -> None:
        holds.render_for_creator(user)

    def draw_terms() -> None:
        terms.render(user)

    def draw_ads() -> None:
        ads.render(user)

    own_earnings = st.Page(draw_earnings, title="Earnings", icon=":material/payments:", url_path="earnings")
    one_statement = st.Page(draw_statement, title="Statement", url_path="statement", visibility="hidden")
    held = st.Page(draw_held, title="Held back", icon=":material/pan_tool:", url_path="held")
    own_terms = st.Page(draw_terms, title="Terms and account", icon=":material/sell:", url_path="terms")
    return [
        own_earnings,
        one_statement,
        st.Page(draw_ads, title="Ads in your shows", icon=":material/campaign:", url_path="ads"),
        held,
        own_terms,
    ]
