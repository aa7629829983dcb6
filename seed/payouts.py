"""The demo's money: what its creator is paid and where to, and statements of the months that are over."""

import asyncio
import json
import subprocess
import sys
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import httpx2

from seed.calls import SeedError, ask

PLAN = {"currency": "EUR", "listen_price_cents": 2200, "ad_share_bp": 7000, "minimum_cents": 2500}
SECOND_PRICE_CENTS = 2600
"""Of every other show."""
PLANS_FROM_DAYS = 90
"""Before today: all that the demo's listeners heard is paid for."""
BANK_ACCOUNT = {"name": "Demo Creator", "iban": "DE89 3704 0044 0532 0130 00"}
"""The IBAN of textbooks; no such account exists."""
MONTHS = 2
"""That are closed, the last ones that are over."""


async def agree(
    http: httpx2.AsyncClient, api_key: str, accounts: dict[str, Any], shows: list[dict[str, Any]], today: date
) -> None:
    """Give each show a rate plan and the creator a bank account."""
    from_day = str(today - timedelta(days=PLANS_FROM_DAYS))
    for number, show in enumerate(shows):
        price = SECOND_PRICE_CENTS if number % 2 else PLAN["listen_price_cents"]
        plan = {**PLAN, "listen_price_cents": price, "from_day": from_day}
        await _write(http, accounts["admin"]["api_key"], "POST", f"/v1/shows/{show['id']}/rate-plans", plan)
    await _write(http, api_key, "PUT", "/v1/payee", BANK_ACCOUNT)


async def _write(http: httpx2.AsyncClient, key: str, method: str, path: str, body: dict[str, Any]) -> None:
    await ask(http, method, path, key=key, json=body, headers={"Idempotency-Key": str(uuid4())})


def months_over(today: date) -> list[str]:
    """The months to close, the oldest first, as YYYY-MM."""
    found: list[str] = []
    first = today.replace(day=1)
    for _ in range(MONTHS):
        first = (first - timedelta(days=1)).replace(day=1)
        found.append(f"{first:%Y-%m}")
    return found[::-1]


async def close(months: list[str]) -> int:
    """Draft the statements of these months; how many there are.

    By the command line and as nobody in particular: whoever drafts may not approve, and the demo has one admin.
    """
    made = 0
    for month in months:
        made += await asyncio.to_thread(_close, month)
    return made


def _close(month: str) -> int:
    command = [sys.executable, "-m", "api", "payouts", "close", month, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - all of it is constant
    if done.returncode != 0:
        raise SeedError(f"{month} could not be closed; `earshot payouts close` said: {done.stderr or done.stdout}")
    return int(json.loads(done.stdout)["made"])
