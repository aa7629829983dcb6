"""The table."""

from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from conformance.suite import CLAUSES, Report

STYLES = {"passed": "green", "failed": "bold red", "skipped": "yellow"}
WORDS = {"passed": "pass", "failed": "FAIL", "skipped": "skipped"}


def print_report(console: Console, report: Report) -> None:
    """All requirements by clause, then the sum."""
    console.print(_table(report))
    sums = ", ".join(f"{report.count(result)} {result}" for result in STYLES)
    if not report.is_complete:
        console.print(f"Stopped before the end: {sums}.", highlight=False)
    elif report.is_conformant:
        console.print(f"{report.url} meets sync protocol v1: {sums}.", highlight=False, style="green")
    else:
        console.print(f"{report.url} does not meet sync protocol v1: {sums}.", highlight=False, style="bold red")


def _table(report: Report) -> Table:
    # Two columns, so that forty characters of terminal are enough.
    table = Table(title=f"Sync protocol v1 at {report.url}", title_justify="left", show_header=False)
    table.add_column("Result", no_wrap=True)
    table.add_column("Requirement", overflow="fold")
    by_clause = sorted(report.outcomes, key=lambda outcome: CLAUSES.index(outcome.requirement.clause))
    for clause, outcomes in groupby(by_clause, key=lambda outcome: outcome.requirement.clause):
        table.add_row("", Text(clause, style="bold"))
        told = ""
        for outcome in outcomes:
            # One reason skips many; it is read once.
            seen = "" if outcome.result == "skipped" and outcome.seen == told else outcome.seen
            told = outcome.seen
            style = STYLES[outcome.result]
            table.add_row(Text(WORDS[outcome.result], style=style), _line(outcome.requirement.title, seen, style))
        table.add_section()
    return table


def _line(title: str, seen: str, style: str) -> Text:
    text = Text(title)
    if seen:
        text.append(f"\n{seen}", style=style)
    return text
