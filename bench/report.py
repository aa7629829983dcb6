"""The results as tables."""

import msgspec
from rich.console import Console
from rich.table import Table

from bench.agents import AgentsRow
from bench.folding import FoldingRow
from bench.history import HistoryRow
from bench.importing import ImportRow
from bench.ingest import IngestRow
from bench.machine import Machine
from bench.path import PathRow
from bench.ratios import Target
from bench.reach import ReachRow


class Report(msgspec.Struct):
    """All of one run; parts that were not asked for are None."""

    machine: Machine
    seconds: float = 0.0
    """How long the bench took."""
    ingest: list[IngestRow] | None = None
    folding: FoldingRow | None = None
    history: list[HistoryRow] | None = None
    path: PathRow | None = None
    agents: AgentsRow | None = None
    importing: ImportRow | None = None
    reach: ReachRow | None = None
    targets: list[Target] = []
    stopped: str = ""
    """Why the bench ended early; what was measured until then stands."""


def show(report: Report, console: Console) -> None:
    """Print it."""
    machine = report.machine
    console.print(
        f"\n{machine.measured_at}, {machine.cores} cores, Python {machine.python}, load average before "
        f"{machine.load_average:.1f}, {machine.syncs_per_second:,.0f} syncs/s on this disk"
    )
    if report.ingest:
        console.print(_ingest(report.ingest))
    if report.folding:
        console.print(_folding(report.folding))
    if report.history:
        console.print(_history(report.history))
    if report.path:
        console.print(_path(report.path))
    if report.agents:
        console.print(_agents(report.agents))
    if report.importing:
        console.print(_importing(report.importing))
    if report.reach:
        console.print(_reach(report.reach))
    if report.targets:
        console.print(_targets(report.targets))
    console.print(f"{report.seconds:.0f} s in all. bench/README.md says what each number means.")


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column(columns[0])
    for column in columns[1:]:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _ingest(rows: list[IngestRow]) -> Table:
    table = _table(
        "Durable sync over HTTP (median of the runs)",
        "", "batch", "conns", "events/s", "lowest", "highest", "p50 ms", "p99 ms", "CPU µs/event", "load CPU", "failed",
    )  # fmt: skip
    for row in sorted(rows, key=lambda row: (row.subject == "naive", row.batch_size, row.connections)):
        rates = [run.events_per_second for run in row.runs]
        table.add_row(
            row.subject,
            str(row.batch_size),
            str(row.connections),
            f"{row.events_per_second:,.0f}",
            f"{min(rates):,.0f}",
            f"{max(rates):,.0f}",
            f"{row.p50_ms:,.1f}",
            f"{row.p99_ms:,.1f}",
            f"{row.server_cpu_us:,.1f}",
            f"{row.load_cpu_share:.0%}",
            " ".join(f"{count} x {status}" for status, count in row.failures.items()) or "-",
            end_section=row.connections == 64,
        )
    return table


def _folding(row: FoldingRow) -> Table:
    rates = [run.events / run.seconds for run in row.runs]
    table = _table("Folding a log that is there (20 events a batch)", "", "events/s", "lowest", "highest")
    table.add_row("worker, by the clock", *_rates(row.events_per_second, rates))
    per_cpu = [run.events / run.cpu_seconds for run in row.runs]
    table.add_row("worker, by CPU time", *_rates(row.events_per_cpu_second, per_cpu))
    naive = [run.events_per_second for run in row.naive_runs]
    table.add_row("naive whole path", *_rates(row.naive_events_per_second, naive), end_section=True)
    total = sum(row.parts.values())
    for part, seconds in sorted(row.parts.items(), key=lambda item: -item[1]):
        table.add_row(f"  of the worker's time: {part}", f"{seconds / total:.0%}", "", "")
    return table


def _history(rows: list[HistoryRow]) -> Table:
    table = _table(
        "The same traffic folded with much and with little history (20 events a batch)",
        "events known", "playbacks", "devices", "store MB", "B/playback", "the row", "events/s", "lowest", "highest",
        "by CPU",
    )  # fmt: skip
    table.columns[0].no_wrap = True
    for row in rows:
        size = row.size
        own = "-" if size.playback_bytes is None else f"{size.playback_bytes / size.playbacks:,.0f}"
        table.add_row(
            f"{size.known_events:,}",
            f"{size.playbacks:,}",
            f"{size.devices:,}",
            f"{size.file_bytes / 1e6:,.1f}",
            f"{size.file_bytes / size.playbacks:,.0f}",
            own,
            *_rates(row.events_per_second, [run.events / run.seconds for run in row.runs]),
            f"{row.events_per_cpu_second:,.0f}",
        )
    return table


def _path(row: PathRow) -> Table:
    table = _table("From POST to rollup (20 events a batch)", "", "p50 ms", "p99 ms", "events/s", "lowest", "highest")
    table.add_row("earshot", *_latencies(row.p50_ms, row.p99_ms), *_rates(row.events_per_second, row.runs))
    naive = _rates(row.naive_events_per_second, [run.events_per_second for run in row.naive_runs])
    table.add_row("naive", *_latencies(row.naive_p50_ms, row.naive_p99_ms), *naive)
    return table


def _agents(row: AgentsRow) -> Table:
    table = _table("What is found out about a hit (CPU time for one)", "", "among", "µs")
    for name, cold_us in row.cold_us.items():
        table.add_row(f"new user agent, {name} list", f"{row.patterns[name]:,} patterns", f"{cold_us:,.2f}")
    table.add_row("known user agent", f"{row.distinct:,}", f"{row.cached_us:,.2f}")
    table.add_row("address", f"{row.networks:,} networks", f"{row.address_us:,.2f}")
    table.add_row("reading a line of that list", "", f"{row.networks_read_us:,.2f}")
    return table


def _importing(row: ImportRow) -> Table:
    title = f"Reading an access log (gzip, {row.lines:,} lines, by CPU time)"
    table = _table(title, "", "lines/s", "lowest", "highest")
    table.add_row("to columns", *_rates(row.read_per_second, row.read_runs))
    table.add_row("to committed downloads", *_rates(row.whole_per_second, row.whole_runs))
    table.add_row("the same, by clock", f"{row.whole_by_clock:,.0f}", "", "")
    table.add_row("naive, to downloads", *_rates(row.naive_per_second, row.naive_runs))
    table.add_row("peak of memory, MB", f"{row.peak_mb:,.0f}", "", "")
    return table


def _reach(row: ReachRow) -> Table:
    table = _table(
        f"Reach over {row.days} days and {row.shows} shows, {row.devices_a_day:,} devices a show and day "
        f"({row.store_mb:,.0f} MB, filled in {row.fill_seconds:.0f} s)",
        *("", "median ms", "highest", "by CPU"),
    )
    for answer in row.answers:
        table.add_row(answer.what, f"{answer.median_ms:,.0f}", f"{answer.highest_ms:,.0f}", f"{answer.cpu_ms:,.0f}")
    return table


def _targets(targets: list[Target]) -> Table:
    table = _table("Targets", "", "measured", "target", "", "by CPU time")
    for target in targets:
        verdict = "[green]met[/]" if target.is_met else "[red]missed[/]"
        digits = 0 if target.unit != "x" else 1 if target.target >= 10 else 2
        measured, aim, by_cpu = (
            f"{value:,.{digits}f} {target.unit}" for value in (target.measured, target.target, target.by_cpu_time)
        )
        table.add_row(target.what, measured, aim, verdict, by_cpu)
    return table


def _rates(median: float, rates: list[float]) -> tuple[str, str, str]:
    return f"{median:,.0f}", f"{min(rates):,.0f}", f"{max(rates):,.0f}"


def _latencies(p50_ms: float, p99_ms: float) -> tuple[str, str]:
    return f"{p50_ms:,.1f}", f"{p99_ms:,.1f}"
