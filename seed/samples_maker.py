"""Writes the samples: `python -m seed.samples_maker [FOLDER]`. They are the same each time."""

import gzip
import sys
from pathlib import Path

from seed.samples_show import make_episodes, make_feed
from seed.samples_traffic import make_log

SAMPLES = Path(__file__).parent / "samples"
FEED = "feed.xml"
LOG = "access.log.gz"


def write_samples(folder: Path) -> None:
    """Both files, in a folder that is made when it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    episodes = make_episodes()
    (folder / FEED).write_text(make_feed(episodes), encoding="utf-8")
    # Without name and time of the packing, so that the same log is the same file.
    (folder / LOG).write_bytes(gzip.compress(make_log(episodes).encode(), compresslevel=9, mtime=0))


if __name__ == "__main__":
    write_samples(Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES)
