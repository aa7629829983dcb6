"""What to tell about each cause for which a hit is no download, and about the window. Pure."""

from dataclasses import dataclass

from models.downloads import DOWNLOAD


@dataclass(frozen=True, slots=True)
class OutcomeText:
    """What became of a hit, in plain words."""

    title: str
    meaning: str


OUTCOMES = {
    DOWNLOAD: OutcomeText("Download", "Counted."),
    "not_get": OutcomeText("Not a fetch", "The app asked about the file, with HEAD for example, and not for it."),
    "redirected": OutcomeText(
        "Sent on to the CDN", "The bytes come from there, and so does the download: its log counts."
    ),
    "status": OutcomeText(
        "No delivery", "The answer was not 200 or 206: the app had the file already, or asked wrongly."
    ),
    "not_audio": OutcomeText("Not audio", "Something else was sent, an error page for example."),
    "bot": OutcomeText("Bot", "The user agent is a crawler's or a tool's."),
    "datacenter": OutcomeText("Data centre", "The address is on the operator's list of data centres."),
    "watch": OutcomeText("Watch", "An Apple Watch fetching again what its phone has fetched."),
    "probe": OutcomeText("Probe", "The app asked for the first two bytes only, to see what the server can do."),
    "referrer": OutcomeText("Preloaded", "A page known to load audio that nobody asked to hear."),
    "excess": OutcomeText("Excess", "The address asked for more in a day than a household or a company would."),
    "short": OutcomeText("Too short", "All that was sent in the window is less than the header and a minute of audio."),
    "duplicate": OutcomeText("Repetition", "The download is counted already: apps fetch a file in many pieces."),
}
"""In the order in which the rules are asked, the download first."""

WINDOWS = {
    "calendar": "the calendar day, UTC",
    "first_touch": "24 hours from the first request",
    "last_touch": "24 hours from the last request",
}
DEVICES = {"tv": "TV", "": "Unknown"}


def text_of(outcome: str) -> OutcomeText:
    """The words for an outcome; its own name for one that has none yet."""
    plain = outcome.replace("_", " ").capitalize()
    return OUTCOMES.get(outcome) or OutcomeText(plain, "This page has no words for it.")


def device_name(value: str) -> str:
    """`Phone` for `phone`."""
    return DEVICES.get(value) or value.replace("_", " ").capitalize()


def window_name(window: str) -> str:
    """Within what several requests are one download."""
    return WINDOWS.get(window, window)
