"""What to tell an admin about each cause for which events are set aside."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CauseText:
    """A cause in plain words."""

    title: str
    meaning: str
    advice: str
    can_replay: bool = False
    """Whether the cause can go away, so that the same events would count."""


CAUSES = {
    "unknown_episode": CauseText(
        "Unknown episode",
        "The event names an episode that is not in the catalogue, or one that has no recording yet.",
        "Add or import the episode and its recording, then replay. Apps that sync over gpodder also tell of podcasts "
        "that are not hosted here; those stay.",
        can_replay=True,
    ),
    "before_publication": CauseText(
        "Before publication",
        "Heard more than 24 hours before the episode was published, or while it is a draft.",
        "Where the date of publication is wrong, correct it, then replay. Otherwise somebody listened to a draft.",
        can_replay=True,
    ),
    "clock_ahead": CauseText(
        "Clock ahead",
        "The device dated the event more than 10 minutes after it was received: its clock is wrong.",
        "Nothing to do for a few. Many from one version of an app: it does not use the server's time.",
    ),
    "too_late": CauseText(
        "Too late",
        "The event was more than 90 days old when it came in: its day is closed for good.",
        "Nothing to do. The device was offline, or switched off, for months.",
    ),
    "faster_than_possible": CauseText(
        "Faster than possible",
        "More audio than four times the time that passed on the device's own clock.",
        "Look at the devices in the samples: a player that reports wrongly, or somebody making listens up.",
    ),
    "undecodable": CauseText(
        "Undecodable",
        "A record of the event log that could not be read, or a value that no column holds.",
        "After an upgrade, check that API and worker are of the same version. Otherwise report it, with a sample.",
    ),
    "erased": CauseText(
        "From an erased device",
        "Sent by a device after it asked to be forgotten. Told in numbers only; nothing of it is kept.",
        "Nothing to do.",
    ),
}


def text_of(cause: str) -> CauseText:
    """The words for a cause; its own name for one that has none yet."""
    plain = cause.replace("_", " ").capitalize()
    return CAUSES.get(cause) or CauseText(plain, "Set aside for a cause that this page has no words for.", "")
