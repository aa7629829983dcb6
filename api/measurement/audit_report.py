"""The self-audit as a page to file and to sign, and as JSON."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from api.measurement.audit import DUE_DAYS, Audit
from api.measurement.audit_anomalies import HISTORY_DAYS, MAX_SCORE
from models.downloads import DOWNLOAD

MOST_ROWS = 50
"""Of one table; the rest is told as a number, and is in the JSON."""
NAMES = {
    "agents": "User agents",
    "datacenters": "Data centres",
    "inclusions": "Inclusion list",
    "geo": "Countries",
}


def to_json(audit: Audit) -> dict[str, Any]:
    """Everything, in plain values; days and instants as ISO 8601, hashes of addresses in hex."""
    value = asdict(audit)
    value["period"] = {"from": audit.period.first, "to": audit.period.last}
    sums = {"hits": audit.hits, "downloads": audit.downloads, "unknown_downloads": audit.unknown_downloads}
    for name in ("outcomes", "addresses", "apps", "new_apps", "imports"):
        value[name] = [row._asdict() for row in getattr(audit, name)]
    for row in value["addresses"]:
        row["address"] = _hash(row["address"])
    for row, check in zip(value["checks"], audit.checks, strict=True):
        row["is_right"] = check.is_right
    return value | sums


def to_markdown(audit: Audit) -> str:
    """The report."""
    parts = (_head, _rules, _outcomes, _anomalies, _addresses, _inclusions, _apps, _sources, _sign)
    return "\n".join(line for part in parts for line in (*part(audit), ""))


def _head(audit: Audit) -> Iterator[str]:
    yield f"# Self-audit of download counting, {audit.period.first} to {audit.period.last}"
    yield ""
    yield (
        f"Made by Earshot on {audit.made_at:%Y-%m-%d %H:%M} UTC from its store, after IAB Podcast Technical "
        "Measurement Guidelines v2.3, 5.5.6. All days are UTC. How Earshot counts is in its docs/counting.md."
    )


def _rules(audit: Audit) -> Iterator[str]:
    cap = f"{audit.excess_cap:,} user agents times episodes per address and day" if audit.excess_cap else "none"
    yield "## Rules in force"
    yield ""
    yield f"- Measurement window: `{audit.window}`"
    yield f"- Excess cap: {cap}"
    for name, where in audit.lists.items():
        own = "Earshot's own table" if name == "agents" else "no list"
        yield f"- {NAMES[name]}: {_cell(where) or own}"
    for name, value in audit.pending.items():
        yield f"- **The settings ask for `{name}` = `{value}`**, which takes effect with `earshot recount --apply`."


def _outcomes(audit: Audit) -> Iterator[str]:
    yield "## Hits by outcome"
    yield ""
    if not audit.hits:
        yield "No hits in this period."
        return
    rows = [(o.outcome, f"{o.hits:,}", _share(o.hits, audit.hits), f"{o.sent_bytes:,}") for o in audit.outcomes]
    total = ("**all hits**", f"**{audit.hits:,}**", "100.0 %", f"{sum(row.sent_bytes for row in audit.outcomes):,}")
    yield from _table(("outcome", "hits", "share", "bytes sent"), [*rows, total])
    yield ""
    yield f"`{DOWNLOAD}` counts; every other outcome is the cause why a hit does not."
    yield ""
    for check in audit.checks:
        wrong = f"**differ by {check.found - check.expected:+,}: run `earshot recount`**"
        yield f"- {check.name}: {check.found:,}, {'the same' if check.is_right else wrong}"


def _anomalies(audit: Audit) -> Iterator[str]:
    yield "## Days that stand out"
    yield ""
    yield (
        f"A show's downloads of a day against the {HISTORY_DAYS} days before it, by the modified z-score of Iglewicz "
        f"and Hoaglin (median and median absolute deviation); beyond {MAX_SCORE} in either direction. A day that "
        "follows a release is expected to stand out; the others want an explanation."
    )
    yield ""
    if not audit.anomalies:
        yield "None."
        return
    rows = [
        (
            str(found.day),
            _cell(found.show),
            f"{found.downloads:,}",
            f"{found.usual:,.0f}",
            f"{found.score:+.1f}",
            "yes" if found.is_release else "**no**",
        )
        for found in sorted(audit.anomalies, key=lambda anomaly: anomaly.is_release)
    ]
    yield from _table(("day", "show", "downloads", "usual", "score", "after a release"), rows)


def _addresses(audit: Audit) -> Iterator[str]:
    yield "## Addresses at or over the cap"
    yield ""
    if not audit.excess_cap:
        yield "There is no cap, so no address is kept from counting. Set `EARSHOT_EXCESS_CAP`."
        return
    yield (
        "By a keyed hash of the address that changes every 90 days; Earshot keeps no addresses. Nothing of an address "
        "over the cap counts on that day, unless the inclusion list names it."
    )
    yield ""
    if not audit.addresses:
        yield "None."
        return
    rows = [
        (str(row.day), f"`{_hash(row.address)}`", *(f"{number:,}" for number in row[2:]))
        for row in sorted(audit.addresses, key=lambda row: (-row.pairs, row.day))
    ]
    yield from _table(("day", "address", "user agents times episodes", "user agents", "episodes", "downloads"), rows)


def _inclusions(audit: Audit) -> Iterator[str]:
    yield "## Inclusion list"
    yield ""
    if not audit.inclusions:
        yield "Empty."
        return
    rows = [
        (entry.network, str(entry.validated), str(entry.lapses), _state(entry.state), _cell(entry.note))
        for entry in audit.inclusions
    ]
    yield from _table(("network", "looked into", "good until", "state", "note"), rows, most=None)
    yield ""
    yield f"`due`: lapses within {DUE_DAYS} days. `lapsed`: the cap holds for it again from that day on."


def _apps(audit: Audit) -> Iterator[str]:
    yield "## User agents"
    yield ""
    share = _share(audit.unknown_downloads, audit.downloads)
    yield f"Downloads by an unknown app: {audit.unknown_downloads:,} of {audit.downloads:,} ({share})."
    yield ""
    yield "Apps that were new in this period:" if audit.new_apps else "No app was new in this period."
    if audit.new_apps:
        yield ""
        rows = [(_cell(row.app), str(row.first_day), f"{row.downloads:,}") for row in audit.new_apps]
        yield from _table(("app", "first download", "downloads"), rows)


def _sources(audit: Audit) -> Iterator[str]:
    yield "## Imported access logs"
    yield ""
    if not audit.imports:
        yield "None: all hits are from Earshot's own delivery."
        return
    rows = [
        (row.format, "yes" if row.has_ranges else "**no**", f"{row.files:,}", f"{row.lines:,}") for row in audit.imports
    ]
    yield from _table(("format", "tells the Range", "files", "lines"), rows)
    yield ""
    yield f"Since the beginning. Lines that could not be read: {audit.unreadable_lines:,}."


def _sign(audit: Audit) -> Iterator[str]:
    yield "## Findings"
    yield ""
    yield "For the reviewer: what each day and address above turned out to be, and what was changed because of it."
    yield ""
    yield "Reviewed by: ____________________ on: ____________"


# -- how it is written -----------------------------------------------------------------------------------------------


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], most: int | None = MOST_ROWS) -> Iterator[str]:
    yield _row(head)
    yield _row("---" for _ in head)
    yield from (_row(row) for row in rows[:most])
    if most is not None and len(rows) > most:
        yield ""
        yield f"And {len(rows) - most:,} more; `earshot audit --json` has all."


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    """Text of others, so that it stays in its cell."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "0.0 %"


def _hash(address: int) -> str:
    """Sixteen hex digits of a hash that is stored with a sign."""
    return f"{address & (1 << 64) - 1:016x}"


def _state(state: str) -> str:
    return state if state == "valid" else f"**{state}**"
