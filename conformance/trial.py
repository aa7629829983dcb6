"""What all checks share while one server is tried."""

from dataclasses import dataclass, field
from functools import cached_property

from conformance.catalogue import Catalogue
from conformance.device import Device, register
from conformance.server import Answer, Server

RECEIPT_PREFIX = "GET /v1/sync/"


@dataclass
class Trial:
    """The server, and what its operator lends us."""

    server: Server
    api_key: str = ""
    """A creator's, where the server has the publishing API; empty without."""
    made: list[Catalogue] = field(default_factory=list)
    """To be taken away at the end."""

    def device(self) -> Device:
        """A new device: each check has its own, so that none sees another's chain."""
        return register(self.server)

    @cached_property
    def catalogue(self) -> Catalogue:
        """A show of our own on the server. Raises Skipped when nobody lent a key."""
        catalogue = Catalogue.make(self.server, self.api_key)
        self.made.append(catalogue)
        return catalogue

    def batch_answers(self) -> list[Answer]:
        """Every answer to a batch so far."""
        return [answer for answer in self.server.answers if answer.request == "POST /v1/sync"]

    def refusals(self) -> list[Answer]:
        """Every refusal by the sync protocol so far."""
        return [
            answer
            for answer in self.server.answers
            if answer.status >= 400
            and (answer.request in {"POST /v1/sync", "POST /v1/devices"} or answer.request.startswith(RECEIPT_PREFIX))
        ]
