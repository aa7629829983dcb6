"""Engines for the store."""

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError


def test_an_error_of_the_store_does_not_show_the_values_of_the_statement(engine: Engine) -> None:
    with engine.connect() as connection, pytest.raises(DBAPIError) as failed:
        connection.execute(text("SELECT :value FROM nowhere"), {"value": "adalovelace"})
    assert "nowhere" in str(failed.value)
    assert "adalovelace" not in str(failed.value)
