"""What fraud rules look for, in the words of the pages. Pure; the rules themselves are in docs/fraud.md."""

RULES = {
    "over_24_hours": ("Played for over 24 hours", "A device that played for longer than a day has."),
    "forked_log": (
        "Two stories in one log",
        "A device whose log tells two stories: a clone, a restored backup, or a rewrite.",
    ),
    "broken_log": ("Log does not add up", "A device whose log does not give what it claims to give."),
    "log_gap": (
        "Part of a log is missing",
        "A device of whose log a stretch has not arrived. It ends by itself when the stretch arrives.",
    ),
    "crowd_from_network": (
        "Many new devices in one network",
        "Many devices that registered from one network within an hour.",
    ),
    "no_delivery": ("Heard without being fetched", "Far more devices heard an episode than anybody fetched its file."),
    "identical_coverage": (
        "The very same seconds",
        "Many devices that heard the very same seconds of an episode on one day.",
    ),
    "listen_spike": ("Sudden rise of listens", "Far more listens than such a day of the show has had."),
    "download_spike": ("Sudden rise of downloads", "Far more downloads than such a day of the show has had."),
    "many_agents_one_address": (
        "Many apps at one address",
        "Many apps of one address that downloaded one episode on one day.",
    ),
}
STATES = {"open": "Held", "released": "Released", "void": "Refused"}
BADGES = {"open": "orange", "released": "green", "void": "red"}


def title_of(rule: str) -> str:
    """A rule's name for people; its own name for one that has none yet."""
    return RULES[rule][0] if rule in RULES else rule.replace("_", " ").capitalize()


def meaning_of(rule: str) -> str:
    """What a rule looks for, as a sentence."""
    return RULES[rule][1] if rule in RULES else "This page has no words for it yet."


def state_of(state: str) -> str:
    """`Held`, `Released`, `Refused`."""
    return STATES.get(state, state.capitalize())


def badge(state: str) -> str:
    """The state as a Markdown badge."""
    return f":{BADGES.get(state, 'gray')}-badge[{state_of(state)}]"
