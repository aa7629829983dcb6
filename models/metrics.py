"""Every metric, defined once. Titles, units, tooltips, docs and statements read it from here."""

from dataclasses import dataclass

LISTEN_SECONDS = 30
"""Distinct seconds heard that make a listen. House rule; IAB has no such number."""

COMPLETION_SHARE_PERCENT = 90
"""Share of the recording, in per cent, that must have been heard for a completion. House rule."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One number a page may show."""

    slug: str
    title: str
    unit: str
    definition: str
    source: str
    additive: bool = True
    """False where sums over days mean nothing (reach, shares)."""
    numerator: str = ""
    denominator: str = ""
    """Slugs of the two sums that a share divides; empty for everything else."""
    is_goal: bool = True
    """False where more is neither better nor worse, so that a page does not colour its change."""
    note: str = ""
    """What a page says beside the number, so that nobody takes it for another."""


STARTS = Metric(
    slug="starts",
    title="Starts",
    unit="starts",
    definition="Playbacks in which play was pressed, whether or not anything much was heard.",
    source="house rule, docs/metrics.md#starts",
)
LISTENS = Metric(
    slug="listens",
    title="Listens",
    unit="listens",
    definition=f"One device, one episode, one UTC day, at least {LISTEN_SECONDS} s of distinct audio heard.",
    source="house rule, docs/metrics.md#listens",
    note="A listen is Earshot's own measure of what was heard, not the IAB download.",
)
OFFLINE_LISTENS = Metric(
    slug="offline_listens",
    title="Offline listens",
    unit="listens",
    definition="Listens with any part heard while the device had no connection.",
    source="house rule, docs/metrics.md#offline_listens",
)
COMPLETIONS = Metric(
    slug="completions",
    title="Completions",
    unit="completions",
    definition=f"Playbacks that heard at least {COMPLETION_SHARE_PERCENT} % of the recording's seconds.",
    source="house rule, docs/metrics.md#completions",
)
HEARD_SECONDS = Metric(
    slug="heard_seconds",
    title="Listeners' hours",
    unit="seconds",
    definition="Distinct seconds heard, summed over playbacks. A second heard twice in a playback counts once.",
    source="house rule, docs/metrics.md#heard_seconds",
)
OFFLINE_SHARE = Metric(
    slug="offline_share",
    title="Offline share",
    unit="share",
    definition="Offline listens as a share of all listens.",
    source="house rule, docs/metrics.md#offline_share",
    additive=False,
    is_goal=False,
    numerator="offline_listens",
    denominator="listens",
)
COMPLETION_RATE = Metric(
    slug="completion_rate",
    title="Completion rate",
    unit="share",
    definition="Completions as a share of starts.",
    source="house rule, docs/metrics.md#completion_rate",
    additive=False,
    numerator="completions",
    denominator="starts",
)
COMPLETENESS = Metric(
    slug="completeness",
    title="Completeness",
    unit="share",
    definition="The share of a day's final listens that is expected to have arrived by now. Provisional below 99 %.",
    source="house rule, docs/metrics.md#completeness",
    additive=False,
    is_goal=False,
)
RETENTION = Metric(
    slug="retention",
    title="Retention",
    unit="share",
    definition="Playbacks that heard a second of the recording, as a share of the episode's starts, over all days.",
    source="house rule, docs/metrics.md#retention",
    additive=False,
)
DOWNLOADS = Metric(
    slug="downloads",
    title="Downloads",
    unit="downloads",
    definition="One consumer (address and user agent), one episode, one window, at least the header and a minute of "
    "audio sent; bots, probes and repetitions left out.",
    source="IAB Podcast Technical Measurement Guidelines v2.3; docs/metrics.md#downloads",
    note="A download is the IAB's measure of files that were fetched. It does not say that anybody listened.",
)
UNIQUE_CONSUMERS = Metric(
    slug="unique_consumers",
    title="Unique consumers",
    unit="consumers",
    definition="Different pairs of address and user agent with a download, over the days that are stated. Exact up to "
    "4,096, beyond that an estimate with a range that holds 19 times of 20.",
    source="docs/metrics.md#unique_consumers",
    additive=False,
)
HITS = Metric(
    slug="hits",
    title="Hits",
    unit="hits",
    definition="HTTP requests for audio, of every kind. Each is a download, or has one cause why it is none.",
    source="docs/metrics.md#hits",
    is_goal=False,
)
SENT_BYTES = Metric(
    slug="sent_bytes",
    title="Sent",
    unit="bytes",
    definition="Bytes of audio that were sent, for hits of every kind.",
    source="docs/metrics.md#sent_bytes",
    is_goal=False,
)
IMPRESSION_DELIVERED = Metric(
    slug="impression_delivered",
    title="Delivered impressions",
    unit="impressions",
    definition="Downloads whose requests, within their window, brought every byte of the ad.",
    source="IAB Podcast Technical Measurement Guidelines v2.3; docs/metrics.md#impression_delivered",
    note="A delivered impression says that the ad was fetched, not that anybody heard it.",
)
IMPRESSION_CONFIRMED = Metric(
    slug="impression_confirmed",
    title="Confirmed impressions",
    unit="impressions",
    definition="One placement, one device, one UTC day, with as much of the ad heard as the campaign asks for: half of "
    "its seconds unless it says otherwise.",
    source="house rule, docs/metrics.md#impression_confirmed",
    note="Counted on the day it was heard, and only from players that report what was heard.",
)
IMPRESSION_OFFLINE_SHARE = Metric(
    slug="impression_offline_share",
    title="Heard offline",
    unit="share",
    definition="Confirmed impressions whose playback has a part heard without a connection, as a share of all of them.",
    source="house rule, docs/metrics.md#impression_offline_share",
    additive=False,
    is_goal=False,
    numerator="offline_confirmed",
    denominator="confirmed",
)
IMPRESSION_QUARTILES = Metric(
    slug="impression_quartiles",
    title="How much of the ad was heard",
    unit="impressions",
    definition="Devices, by placement and UTC day, that heard any second of the ad, and 25, 50, 75 and 100 % of its "
    "seconds.",
    source="house rule, docs/metrics.md#impression_quartiles",
    is_goal=False,
)
REACH = Metric(
    slug="reach",
    title="Reach",
    unit="devices",
    definition="Different devices with a listen to a show, or with a confirmed impression of a campaign, in the days "
    "and shows that are stated. Exact while small, beyond that an estimate with a range that holds 19 times of 20.",
    source="docs/metrics.md#reach",
    additive=False,
)
FREQUENCY = Metric(
    slug="frequency",
    title="Frequency",
    unit="devices",
    definition="Devices by how many confirmed impressions of a campaign they had: 1, 2, 3, 4, 5 and more. Exact.",
    source="docs/metrics.md#frequency",
    additive=False,
    is_goal=False,
)

HEARD = (
    STARTS,
    LISTENS,
    OFFLINE_LISTENS,
    COMPLETIONS,
    HEARD_SECONDS,
    OFFLINE_SHARE,
    COMPLETION_RATE,
    RETENTION,
    COMPLETENESS,
)
"""Of playbacks: what devices reported."""
FETCHED = (DOWNLOADS, UNIQUE_CONSUMERS, HITS, SENT_BYTES)
"""Of audio requests: what servers saw."""
REACHED = (REACH, FREQUENCY)
"""Of devices, over days, shows and campaigns."""
ADVERTISED = (IMPRESSION_DELIVERED, IMPRESSION_CONFIRMED, IMPRESSION_OFFLINE_SHARE, IMPRESSION_QUARTILES)
"""Of the ads in recordings."""
ALL = (*HEARD, *FETCHED, *ADVERTISED, *REACHED)
ADDITIVE_SLUGS = tuple(metric.slug for metric in HEARD if metric.additive)
"""The rollup columns of `episode_day`, in table order."""
