"""The tests' own PostgreSQL: every test gets a migrated store that no other test has seen."""

from sqlmodel import Session

from models.engine import make_engine
from models.migrate import is_current
from models.queries import catalogue
from tests.factories import make_show
from tests.postgres import PostgresServer


def test_a_lent_database_is_migrated_fresh_and_gone_afterwards(postgres_server: PostgresServer) -> None:
    for _ in range(2):
        with postgres_server.lend_database() as url:
            engine = make_engine(url)
            left_open = engine.connect()  # as by a test that failed: it must not keep the database alive
            with Session(engine) as session:
                assert is_current(engine)
                assert not catalogue.has_shows(session)
                make_show(session)
        left_open.invalidate()
        engine.dispose()
    query = "SELECT datname FROM pg_database WHERE datname = %s"
    assert postgres_server.connection.execute(query, [engine.url.database]).fetchall() == []


def test_the_server_is_the_version_that_the_documentation_names(postgres_server: PostgresServer) -> None:
    assert postgres_server.connection.info.server_version // 10_000 == 18
