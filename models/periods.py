"""Spans of whole UTC days, as pages and the API ask for them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Period:
    """UTC days from `first` to `last`, both included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.first > self.last:
            raise ValueError(f"a period from {self.first} to {self.last} ends before it begins")

    @property
    def days(self) -> int:
        """How many days it has, at least 1."""
        return (self.last - self.first).days + 1

    def before(self) -> "Period":
        """The period of the same length that ends the day before this one begins."""
        return ending(self.first - timedelta(days=1), self.days)

    def each_day(self) -> Iterator[date]:
        """Its days, in order."""
        for number in range(self.days):
            yield self.first + timedelta(days=number)


def ending(last: date, days: int) -> Period:
    """The period of `days` days whose last one is `last`."""
    return Period(last - timedelta(days=days - 1), last)
