"""What the documentation claims, tried."""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session

from tests.conftest import Processes
from tests.factories import make_episode

ROOT = Path(__file__).parent.parent
PROTOCOL = (ROOT / "docs" / "sync-protocol.md").read_text()


def block(language: str, beginning: str) -> str:
    """The fenced block of the sync protocol's page that begins like this."""
    blocks = re.findall(rf"```{language}\n(.*?)\n```", PROTOCOL, re.DOTALL)
    return next(text for text in blocks if text.startswith(beginning))


def test_the_worked_example_hashes_to_the_id_beside_it() -> None:
    text = block("text", "earshot/1\n").encode()
    vector = json.loads((ROOT / "tests" / "vectors" / "sync_chain.json").read_text())
    event_id = hashlib.sha256(text).hexdigest()
    assert event_id == vector["batches"][0]["ids"][0]
    assert f"These {len(text)} bytes hash to `{event_id}`" in PROTOCOL


def test_the_batch_shown_is_the_first_of_the_vectors() -> None:
    vector = json.loads((ROOT / "tests" / "vectors" / "sync_chain.json").read_text())
    assert json.loads(block("json", '{"sent_at_ms"')) == vector["batches"][0]["body"]


def test_the_client_shown_gets_its_listen_counted(processes: Processes, engine: Engine, tmp_path: Path) -> None:
    with Session(engine) as session:
        episode = make_episode(session).uuid
    url, _ = processes.serve()
    processes.start("worker")
    client = tmp_path / "client.py"
    client.write_text(block("python", "import hashlib"))
    done = subprocess.run([sys.executable, client, url, str(episode)], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert f"It prints `{done.stdout.strip()}`" in PROTOCOL
