"""The country of an address, from a database in MaxMind's MMDB format."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import maxminddb

from api.addresses import clean_country
from api.hits.networks import Address, ListError, text_of


class Countries:
    """An MMDB file, opened once."""

    def __init__(self, path: Path) -> None:
        """Raises ListError when the file is none that can be read."""
        try:
            self._reader = _open_copy(path)
        except (OSError, maxminddb.InvalidDatabaseError) as error:
            raise ListError(f"{path} cannot be read as an MMDB file: {error}") from error

    def find(self, address: Address) -> str:
        """ISO 3166 alpha-2; empty when the database does not know."""
        try:
            return country_in(self._reader.get(text_of(address)))
        except (ValueError, maxminddb.InvalidDatabaseError):
            return ""


def country_in(record: Any) -> str:
    """The country in a record: `country.iso_code` (MaxMind, DB-IP), `country_code`, or `country` (IPinfo)."""
    if not isinstance(record, dict):
        return ""
    country = record.get("country")
    if isinstance(country, dict):
        country = country.get("iso_code")
    for told in (record.get("country_code"), country):
        if isinstance(told, str) and (code := clean_country(told)):
            return code
    return ""


def _open_copy(path: Path) -> maxminddb.Reader:
    """The database, mapped into memory from a copy that nobody else can reach.

    A mapped file that another program shortens, as copying a new version over it does, ends the process that reads it.
    """
    with path.open("rb") as source, tempfile.NamedTemporaryFile(prefix="earshot-", suffix=".mmdb") as copy:
        shutil.copyfileobj(source, copy)
        copy.flush()
        return maxminddb.open_database(copy.name)
