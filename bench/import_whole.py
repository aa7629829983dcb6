"""One whole import of an access log, from the packed file to committed downloads, on one core.

`python -m bench.import_whole LOG FOLDER` prints one line of JSON; FOLDER is made, with the log's episodes.
"""

import gc
import hashlib
import json
import os
import resource
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pyarrow as pa
from sqlalchemy import Engine
from sqlmodel import Session

from api.delivery.importing.episodes import EpisodeFinder
from api.delivery.importing.formats import Choice
from api.events.opening import open_log
from api.hits.lookup import make_classifier
from api.import_logs import Handles, Importer, Watcher
from api.measurement.worker import ease_gc
from api.settings import Settings
from bench.access_log import AudioFile, make_files
from models.downloads import AudioVersion
from models.engine import make_engine
from models.migrate import migrate
from models.tables import Episode, Role, Show, User


def fill_catalogue(engine: Engine, files: list[AudioFile]) -> None:
    """An episode for every file of the log, at 128 kbit/s."""
    now = datetime.now(UTC)
    with Session(engine) as session:
        owner = User(email="bench@example.com", role=Role.CREATOR, password_hash="!", created_at=now)
        session.add(owner)
        session.flush()
        show = Show(owner_id=owner.id, slug="bench", title="Bench", created_at=now, updated_at=now)
        session.add(show)
        session.flush()
        for file in files:
            uuid = UUID(Path(file.path).stem)
            duration_ms = file.audio_bytes // 16
            about = {"audio_bytes": file.audio_bytes, "bitrate_bps": 128_000, "duration_ms": duration_ms}
            episode = Episode(
                uuid=uuid, show_id=show.id, guid=str(uuid), title="Bench", created_at=now, updated_at=now, **about
            )
            session.add(episode)
            session.flush()
            sha256 = hashlib.sha256(file.path.encode()).hexdigest()
            session.add(AudioVersion(episode_id=episode.id, sha256=sha256, since_at=now, **about))
        session.commit()


def import_log(path: str, folder: Path) -> dict[str, float]:
    """Import; lines, downloads, seconds by clock and by CPU, peak of memory in MB."""
    settings = Settings(home=folder)
    engine = make_engine(settings.resolved_store_url(), durability="NORMAL")
    migrate(engine)
    fill_catalogue(engine, make_files())
    log = open_log(settings.resolved_events_url())
    try:
        handles = Handles(settings, engine, log, make_classifier(settings), "bench")
        importer = Importer(handles, EpisodeFinder(engine), Watcher())
        handles.classifier.agent("Mozilla/5.0")  # what is loaded with the first agent is loaded once
        gc.collect()
        by_clock, by_cpu = time.perf_counter(), time.process_time()
        importer.run(path, Choice())
        by_clock, by_cpu = time.perf_counter() - by_clock, time.process_time() - by_cpu
    finally:
        log.close()
        engine.dispose()
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    report = importer.report
    return {
        "lines": report.lines,
        "downloads": report.downloads,
        "clock_seconds": by_clock,
        "cpu_seconds": by_cpu,
        "peak_mb": peak_mb,
    }


def main() -> None:
    """Import the log named on the command line."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    pa.set_cpu_count(1)
    ease_gc()
    sys.stdout.write(json.dumps(import_log(sys.argv[1], Path(sys.argv[2]))) + "\n")


if __name__ == "__main__":
    main()
