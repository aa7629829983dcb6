"""The rules of the house: which part may touch what (docs/architecture.md), and what the repository must not hold."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from models import metrics

ROOT = Path(__file__).parent.parent
CALLERS = ("accounts", "advertising", "delivery", "measurement", "payouts", "publishing", "sync")
"""The folders of api/, one per caller; they meet in tables and in the log, never in each other's code."""
MAX_LINES = 400
STATEMENT = re.compile(r"^\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE TABLE|WITH) ")
STATEMENT_MAKERS = {"select", "insert", "update", "delete", "text"}
"""Names of SQLAlchemy and SQLModel that begin a statement."""
OWN_SQL = {
    "api/events/sqlite_log.py",  # the log is a store of its own, beside the one in models/
    "api/events/sqlite_file.py",  # as above
    "api/events/salvage.py",  # as above
    "models/bulk.py",  # what queries share: statements over many rows, in either dialect
    "models/migrate.py",  # takes the lock that keeps two migrations apart
}


def sources(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    """Path and syntax tree of every Python file in these folders."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())


def imported(tree: ast.Module) -> Iterator[str]:
    """Every module that a file imports anywhere, and every name it takes from one, dotted."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def importers(folder: str, *forbidden: str) -> list[str]:
    """Files of a folder that import a forbidden module or anything in it."""
    return [
        f"{path} imports {name}"
        for path, tree in sources(folder)
        for name in imported(tree)
        if any(name == module or name.startswith(f"{module}.") for module in forbidden)
    ]


def test_models_know_neither_http_nor_pages() -> None:
    assert importers("models", "api", "dashboard", "seed", "conformance", "fastapi", "starlette", "streamlit") == []


def test_the_dashboard_knows_models_only() -> None:
    assert importers("dashboard", "api", "seed", "conformance") == []


def test_the_api_knows_neither_dashboard_nor_its_clients() -> None:
    paths = {"api/cli.py"}  # commands are where the parts are started
    found = importers("api", "dashboard", "seed", "conformance", "streamlit")
    assert [line for line in found if line.split()[0] not in paths] == []


def test_the_seed_is_a_client() -> None:
    found = importers("seed", "dashboard", "streamlit", "api", "conformance", "sqlalchemy", "sqlmodel")
    assert found == []


def test_the_conformance_suite_is_a_client_of_any_server() -> None:
    assert importers("conformance", "api", "models", "dashboard", "seed", "sqlalchemy", "sqlmodel") == []


@pytest.mark.parametrize("caller", CALLERS)
def test_callers_do_not_import_each_other(caller: str) -> None:
    others = [f"api.{other}" for other in CALLERS if other != caller]
    assert importers(f"api/{caller}", *others) == []


def makes_statements(tree: ast.Module) -> Iterator[int]:
    """Lines that write SQL, as text or with SQLAlchemy's functions."""
    makers = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in {"sqlalchemy", "sqlmodel"}
        for alias in node.names
        if alias.name in STATEMENT_MAKERS
    }
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str) and STATEMENT.match(node.value)
        is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in makers
        if is_text or is_call:
            yield node.lineno


def test_only_queries_and_migrations_write_sql() -> None:
    allowed = ("models/queries/", "models/migrations/")
    found = [
        f"{path}:{line}"
        for path, tree in sources("models", "api", "dashboard", "seed", "conformance")
        if not path.startswith(allowed) and path not in OWN_SQL
        for line in makes_statements(tree)
    ]
    assert found == []


def test_queries_never_commit() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path, tree in sources("models/queries")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
    ]
    assert found == []


def own_files() -> Iterator[Path]:
    """Every Python file of ours."""
    for folder in ("models", "api", "dashboard", "seed", "conformance", "bench", "tests"):
        yield from (ROOT / folder).rglob("*.py")


def test_files_stay_readable() -> None:
    too_long = [path for path in own_files() if len(path.read_text().splitlines()) > MAX_LINES]
    assert [path.relative_to(ROOT).as_posix() for path in too_long] == []


def test_no_file_has_a_name_that_says_nothing_or_shadows_a_module() -> None:
    nothing = {"utils.py", "util.py", "helpers.py", "common.py", "misc.py"}
    shadowing = {f"dashboard/{name}.py" for name in ("models", "api", "types", "queue")} | {"dashboard/pages"}
    found = [path.relative_to(ROOT).as_posix() for path in own_files() if path.name in nothing]
    assert found == []
    assert [name for name in sorted(shadowing) if (ROOT / name).exists()] == []


def test_lock_files_name_no_host() -> None:
    assert not (ROOT / "uv.lock").exists()
    for name in ("requirements.lock", "requirements-dev.lock"):
        lines = (ROOT / name).read_text().splitlines()
        assert [line for line in lines if "://" in line or "index" in line.split("=")[0]] == []
        assert all("--hash=sha256:" in line for line in lines if line.startswith("    "))


def test_every_locked_dependency_has_a_hash() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        lines = (ROOT / name).read_text().splitlines()
        pins = [number for number, line in enumerate(lines) if "==" in line and not line.startswith(" ")]
        assert pins
        assert [lines[number] for number in pins if "--hash=sha256:" not in lines[number + 1]] == []


# -- documents -------------------------------------------------------------------------------------------------------


def documents() -> list[Path]:
    """Every page of documentation."""
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def anchors(page: Path) -> set[str]:
    """What a link to this page may name after `#`, as rendered headings have it."""
    headings = re.findall(r"^#+ +(.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_every_metric_has_its_heading() -> None:
    assert {metric.slug for metric in metrics.ALL} <= anchors(ROOT / "docs" / "metrics.md")


def test_a_metrics_source_leads_to_a_heading() -> None:
    for metric in metrics.ALL:
        for page, anchor in re.findall(r"(docs/[\w.\-]+)#([\w\-]+)", metric.source):
            assert anchor in anchors(ROOT / page), metric.slug


@pytest.mark.parametrize("page", documents(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_between_documents_lead_somewhere(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        to = (page.parent / path).resolve() if path else page
        if not to.exists() or (anchor and anchor not in anchors(to)):
            broken.append(target)
    assert broken == []


def test_code_refers_to_pages_that_exist() -> None:
    pages = [f"/{page.relative_to(ROOT).as_posix()}" for page in [*documents(), *(ROOT / "bench").glob("*.md")]]
    broken = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in own_files()
        if path.name != Path(__file__).name
        for name in re.findall(r"[\w\-./]+\.md\b", path.read_text())
        if not any(page.endswith(f"/{name}") for page in pages)
    ]
    assert broken == []


def test_every_setting_is_documented() -> None:
    readme = (ROOT / "README.md").read_text()
    files = [ROOT / folder / "settings.py" for folder in ("api", "dashboard", "models")]
    names = {name for file in files for name in re.findall(r"^    (\w+): .+= ", file.read_text(), re.MULTILINE)}
    assert {"home", "port", "api_url"} <= names
    assert sorted(name for name in names if f"`EARSHOT_{name.upper()}`" not in readme) == []
