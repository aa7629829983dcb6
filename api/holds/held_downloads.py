"""How many delivered impressions some consumers' days are.

What a download is only the counting of downloads can say, so this asks it: the one place where holds know the worker's
code. It reads, and counts as the worker counted.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from sqlalchemy import Connection

from api.measurement.download_step import Rules, list_excess, load_state, load_versions
from api.measurement.downloads import judged
from api.measurement.impressions_delivered import delivered, parts_of
from api.measurement.incoming import Incoming
from models.bulk import Row
from models.queries import download_folding, impressions
from models.queries.audio_versions import list_versions_by_id


def delivered_of(connection: Connection, keys: Sequence[Row]) -> Counter[tuple[int, int]]:
    """(placement_id, episode_id) -> impressions of windows that began in these rows of `consumer_day`, given by key."""
    rules = Rules.from_texts(download_folding.list_counting_rules(connection))
    state = load_state(connection, list(keys), rules, Incoming.none(), np.zeros(0, np.int64))
    found = judged(
        state, list_excess(connection, state, rules.excess_cap), rules.window, load_versions(connection, state)[0]
    )
    ads = impressions.list_counted(connection, {key[3] for key in keys})
    versions = list_versions_by_id(connection, np.unique(state.entries["version"]).tolist())
    numbers: Counter[tuple[int, int]] = Counter()
    brought = delivered(state, found, parts_of(ads, versions), slice(None), state.about, rows=len(keys))
    for (placement_id, episode_id, _, _), number in brought.items():
        numbers[placement_id, episode_id] += number
    return numbers
