"""The self-audit of download counting that IAB PTM v2.3, 5.5.6 asks for twice a year: facts for a person to judge."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from sqlmodel import Session

from api.hits.inclusions import VALID_DAYS, Inclusion, read_inclusions
from api.measurement.audit_anomalies import HISTORY_DAYS, Anomaly, find
from api.settings import Settings
from models.downloads import DOWNLOAD
from models.periods import Period
from models.queries import audit as queries

HALF_YEAR_DAYS = 183
DUE_DAYS = 14
"""An inclusion is told as due so many days before it lapses."""


@dataclass(frozen=True, slots=True)
class Check:
    """Two numbers that have to be one."""

    name: str
    expected: int
    found: int

    @property
    def is_right(self) -> bool:
        """Whether they are."""
        return self.expected == self.found


@dataclass(frozen=True, slots=True)
class ListedNetwork:
    """A network on the inclusion list."""

    network: str
    validated: date
    lapses: date
    """The last day that this look speaks for."""
    state: str
    """`valid`, `due` or `lapsed`."""
    note: str


@dataclass(frozen=True)
class Audit:
    """Everything the report says."""

    period: Period
    made_at: datetime
    window: str
    excess_cap: int
    pending: dict[str, str] = field(default_factory=dict)
    """Rules that the settings ask for and the rollups were not made with yet."""
    lists: dict[str, str] = field(default_factory=dict)
    """Setting -> file or folder of its list; empty when there is none."""
    outcomes: Sequence[queries.OutcomeSum] = ()
    checks: Sequence[Check] = ()
    anomalies: Sequence[Anomaly] = ()
    addresses: Sequence[queries.BusyAddress] = ()
    inclusions: Sequence[ListedNetwork] = ()
    apps: Sequence[queries.AppSum] = ()
    new_apps: Sequence[queries.NewApp] = ()
    imports: Sequence[queries.ImportSum] = ()
    unreadable_lines: int = 0

    @property
    def hits(self) -> int:
        """All requests for audio of the period."""
        return sum(outcome.hits for outcome in self.outcomes)

    @property
    def downloads(self) -> int:
        """Those that counted."""
        return sum(outcome.hits for outcome in self.outcomes if outcome.outcome == DOWNLOAD)

    @property
    def unknown_downloads(self) -> int:
        """Those whose app is unknown."""
        return sum(app.downloads for app in self.apps if not app.app)


def default_period(today: date) -> Period:
    """The half year that ended yesterday."""
    return Period(today - timedelta(days=HALF_YEAR_DAYS), today - timedelta(days=1))


def make_audit(session: Session, settings: Settings, period: Period, now: datetime) -> Audit:
    """Read it all. Raises ListError when the inclusion list cannot be read."""
    wanted = {"download_window": settings.download_window, "excess_cap": str(settings.excess_cap)}
    rules = wanted | queries.list_rules(session)
    cap = int(rules["excess_cap"])
    outcomes = queries.list_outcomes(session, period)
    return Audit(
        period=period,
        made_at=now,
        window=rules["download_window"],
        excess_cap=cap,
        pending={name: value for name, value in wanted.items() if rules[name] != value},
        lists={name: getattr(settings, name) for name in ("agents", "datacenters", "inclusions", "geo")},
        outcomes=outcomes,
        checks=_checks(session, period, outcomes),
        anomalies=_anomalies(session, period, now.date()),
        addresses=queries.list_busy_addresses(session, period, cap) if cap else (),
        inclusions=_inclusions(settings.inclusions, now.date()),
        apps=queries.list_apps(session, period),
        new_apps=queries.list_new_apps(session, period),
        imports=queries.list_imports(session),
        unreadable_lines=queries.sum_unreadable(session),
    )


def _checks(session: Session, period: Period, outcomes: Sequence[queries.OutcomeSum]) -> list[Check]:
    """Every rollup has the same downloads."""
    downloads = sum(outcome.hits for outcome in outcomes if outcome.outcome == DOWNLOAD)
    splits = queries.sum_by_split(session, period)
    kinds = {"app": "apps", "device": "device classes", "country": "countries"}
    return [
        Check("Downloads by hour", downloads, queries.sum_by_hour(session, period)),
        *(Check(f"Downloads by {name}", downloads, splits.get(kind, 0)) for kind, name in kinds.items()),
    ]


def _anomalies(session: Session, period: Period, today: date) -> list[Anomaly]:
    """Of whole days: today would look like a drop."""
    last = min(period.last, today - timedelta(days=1))
    if last < period.first:
        return []
    reach = Period(period.first - timedelta(days=HISTORY_DAYS), last)
    released = queries.list_publication_days(session)
    return find(queries.list_show_days(session, reach), released, Period(period.first, last))


def _inclusions(file: str, today: date) -> list[ListedNetwork]:
    entries = read_inclusions(Path(file)).entries if file else ()
    return sorted((_listed(entry, today) for entry in entries), key=lambda entry: (entry.lapses, entry.network))


def _listed(entry: Inclusion, today: date) -> ListedNetwork:
    lapses = entry.validated + timedelta(days=VALID_DAYS)
    state = "valid" if today < lapses - timedelta(days=DUE_DAYS) else "due" if today <= lapses else "lapsed"
    make = IPv4Network if entry.network.version == 4 else IPv6Network
    network = make((entry.network.number, entry.network.length))
    return ListedNetwork(str(network), entry.validated, lapses, state, entry.note)
