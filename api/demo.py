"""The demo of a fresh installation: three accounts, and a catalogue with listeners made by `earshot seed`."""

import os
import subprocess
from pathlib import Path

import msgspec
from sqlmodel import Session

from api.accounts import service
from api.settings import Settings
from api.supervision import with_own_commands
from models.engine import make_engine, read_only
from models.queries import accounts, catalogue
from models.tables import Role

ACCOUNTS_FILE = "demo-accounts.json"
"""In `home`, readable by its owner only: role -> email, password, api_key, so that a later start can show them."""
UNFINISHED_MARK = "seed.unfinished"
"""In `home` while a seed runs, and ever after when it was interrupted."""
EMAILS = {role: f"{role}@example.com" for role in (Role.CREATOR, Role.ADVERTISER, Role.ADMIN)}
NAMES = {Role.CREATOR: "Demo Creator", Role.ADVERTISER: "Demo Advertiser", Role.ADMIN: "Demo Admin"}


class Account(msgspec.Struct, frozen=True):
    """What signs a demo account in."""

    email: str
    password: str
    api_key: str


class Demo:
    """The demo data of one installation, as it is now."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._accounts_file = settings.home / ACCOUNTS_FILE
        self._unfinished_mark = settings.home / UNFINISHED_MARK
        self.seed_log = settings.home / "seed.log"
        self.accounts = self._read_accounts()
        self.is_store_empty = self._is_store_empty()

    @property
    def is_half_made(self) -> bool:
        """A seed was begun and never finished."""
        return self._unfinished_mark.exists() and not self.is_store_empty

    def make_accounts(self) -> None:
        """Make the three accounts. One that somebody else made under the same address is left alone."""
        engine = make_engine(self._settings.resolved_store_url())
        try:
            with Session(engine) as session:
                made = {role: self._make_account(session, role, email) for role, email in EMAILS.items()}
                self.accounts = {role: account for role, account in made.items() if account}
                # Before the commit: a password that is not on file would be lost; one too many hurts nobody.
                write_private(self._accounts_file, msgspec.json.format(msgspec.json.encode(self.accounts)))
                session.commit()
        finally:
            engine.dispose()

    def _make_account(self, session: Session, role: Role, email: str) -> Account | None:
        if accounts.get_user_by_email(session, email) is not None:
            return self.accounts.get(role)
        made = service.add_user(session, email, role, NAMES[role])
        return Account(made.email, made.password, made.api_key)

    def start_seed(self, api_url: str) -> "subprocess.Popen[bytes]":
        """Start sending the demo listeners' events; its output goes to `seed_log`."""
        self._unfinished_mark.touch()
        with self.seed_log.open("wb") as log:
            return subprocess.Popen(
                ["earshot", "seed", "--size", "small", "--seed", "1"],  # noqa: S607 - found by with_own_commands
                env={**with_own_commands(os.environ), "EARSHOT_API_URL": api_url},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def finish(self) -> None:
        """Note that the demo data is whole."""
        self._unfinished_mark.unlink()
        self.is_store_empty = False

    def _is_store_empty(self) -> bool:
        engine = make_engine(self._settings.resolved_store_url())
        try:
            with Session(read_only(engine)) as session:
                return not catalogue.has_shows(session)
        finally:
            engine.dispose()

    def _read_accounts(self) -> dict[Role, Account]:
        try:
            return msgspec.json.decode(self._accounts_file.read_bytes(), type=dict[Role, Account])
        except (FileNotFoundError, msgspec.DecodeError):
            return {}


def write_private(path: Path, content: bytes) -> None:
    """Replace a file at once with one that only its owner can read."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
