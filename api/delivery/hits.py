"""What is remembered of a request for audio: enough to count a download by, not enough to know a person."""

from dataclasses import dataclass

import structlog
from starlette.requests import Request

from api.addresses import country_told, host_of
from api.events.log import EventLog, Record
from api.events.records import Hit, pack
from api.hits.classify import AddressFacts, AgentFacts, Classifier
from api.hits.identity import agent_text, identify
from api.hits.parts import is_probe
from api.hits.traits import Trait
from models.queries.catalogue import Media

MAX_HEADER_CHARACTERS = 1024
"""User agents in the field are shorter; more than this is somebody filling the log."""
DAY_MS = 86_400_000

_logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request for audio, when it came."""

    request: Request
    media: Media
    at_ms: int
    """The windows of downloads go by it; the hit is recorded when the answer has ended, which may be hours later."""
    traits: Trait = Trait.NONE
    """What is known of it beforehand: REDIRECT."""


@dataclass(frozen=True, slots=True)
class HitRecorder:
    """Appends hits to the log; never waits and never fails, since audio must go out whatever the log does."""

    log: EventLog
    secret: str
    classifier: Classifier

    def record(self, arrival: Arrival, status: int, sent_bytes: int) -> None:
        """Append one hit; `sent_bytes` is audio handed to the connection, so a cut download counts what went out."""
        try:
            hit = self._hit(arrival, status, sent_bytes)
            # By address: whether one of them asks for too much can then be told within a partition.
            if not self.log.append_nowait(Record(hit.consumer[:8], pack(hit))):
                _logger.warning("hit dropped: the event log is full", episode=hit.episode)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the log is not the listener's problem
            _logger.error(
                "hit dropped: the event log failed", episode=str(arrival.media.episode), error=type(error).__name__
            )

    def _hit(self, arrival: Arrival, status: int, sent_bytes: int) -> Hit:
        request, media, day = arrival.request, arrival.media, arrival.at_ms // DAY_MS
        user_agent = agent_text(request.headers.get("user-agent", "").encode("latin-1"))
        range_header = _header(request, "range")
        host = host_of(request)
        address, consumer, earlier = identify(self.secret, host, user_agent, day)
        agent, place, referrer = self._classify(host, user_agent, _header(request, "referer"), day)
        probe = Trait.PROBE if is_probe(range_header) else Trait.NONE
        return Hit(
            at_ms=arrival.at_ms,
            episode=str(media.episode),
            consumer=address.to_bytes(8) + consumer.to_bytes(8),
            method=request.method,
            status=status,
            range=range_header,
            sent_bytes=sent_bytes,
            user_agent="",  # what they say is in the traits; the texts themselves are nobody's business
            referrer="",
            audio_sha256=media.sha256,
            country=country_told(request) or place.country,
            traits=int(arrival.traits | agent.traits | place.traits | referrer | probe),
            app=agent.app,
            device_class=agent.device_class,
            earlier=earlier,
        )

    def _classify(self, host: str, user_agent: str, referrer: str, day: int) -> tuple[AgentFacts, AddressFacts, Trait]:
        try:
            classifier = self.classifier
            return classifier.agent(user_agent), classifier.address(host, day), classifier.referrer(referrer)
        except Exception as error:  # noqa: BLE001 - a hit of which nothing is known is better than none
            _logger.error("a hit could not be classified", error=type(error).__name__)
            return AgentFacts("", "", Trait.NONE), AddressFacts("", Trait.NONE), Trait.NONE


def _header(request: Request, name: str) -> str:
    return request.headers.get(name, "")[:MAX_HEADER_CHARACTERS]
