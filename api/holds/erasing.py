"""What holds keep of a device that is erased: no more than that a playback of nobody's is not to be paid."""

import json
from collections.abc import Sequence

from sqlalchemy import Connection

from api.holds.finding import ERASED, name_device
from models.bulk import Row
from models.queries import erased_holds, holds

EVIDENCE = json.dumps({"measured": {}, "parameters": {}, "note": "the device was erased"}, sort_keys=True)
"""What was measured of one device goes with it."""


def follow_device(connection: Connection, device: bytes, old: Sequence[Row], new: Sequence[Row]) -> None:
    """Let flags follow from a device's playbacks to those that take their places, which are rows of `PLAYBACK` in the
    same order: so that erasing frees no money.

    A hold of the device alone would still tie what was heard on one day together; each stand-in gets one of its own.
    """
    holds.lock_holds(connection)
    stand_ins = {(row[0], row[2]): bytes(made[1]) for row, made in zip(old, new, strict=True)}
    for (day, episode_id), stand_in in stand_ins.items():
        for held in erased_holds.list_held(connection, day, episode_id, device):
            hold_id = held.hold_id
            if held.is_of_device:
                hold_id = erased_holds.copy_hold(connection, held.hold_id, f"{ERASED}{stand_in.hex()}", EVIDENCE)
            erased_holds.move_playback(connection, held, device, stand_in, hold_id)
    erased_holds.forget_evidence(connection, name_device(device), EVIDENCE)
