"""What became of the bodies that devices sent."""

from datetime import date, timedelta

from sqlmodel import Session, col, select

from models.counting import Receipt

RECEIPT_DAYS = 30
"""How long a receipt can be asked for."""


def list_receipts(session: Session, device: bytes, receipt: bytes, today: date) -> list[Receipt]:
    """The rows of one body, one per day it was delivered on; a key look-up per day kept."""
    days = [today - timedelta(days=n) for n in range(-1, RECEIPT_DAYS + 1)]
    statement = select(Receipt).where(
        col(Receipt.received_day).in_(days), Receipt.device == device, Receipt.receipt == receipt
    )
    return list(session.exec(statement))
