"""The chain from batch to batch."""

from api.measurement.device_log import BatchFacts, DeviceLog, advance, from_row, to_row
from tests.device import GENESIS, Phone

EPISODE = "7d0f3c52-91d4-4f0e-8f0a-2f7c1b1e9a01"
DEVICE = "0b6f6a0e-7c1d-4b57-9a53-6f0f5a6d2e11"


def phone(events: int, session: str = "s") -> Phone:
    """A log of so many events."""
    made = Phone(DEVICE)
    for _ in range(events):
        made.write(EPISODE, "play", at_ms=1_793_000_000_000, session=session)
    return made


def facts(source: Phone, first: int, last: int, new: set[int] | None = None) -> BatchFacts:
    """A batch, all of it new unless told otherwise."""
    batch = source.batch(first, last)
    id_at = {seq: source.ids[seq - 1] for seq in range(first, last + 1)}
    return BatchFacts(first, last, batch["after"], batch["head"], id_at, frozenset(id_at if new is None else new))


def test_a_log_told_in_order_is_intact() -> None:
    log, source = DeviceLog(), phone(6)
    assert [advance(log, facts(source, a, b)) for a, b in [(1, 2), (3, 3), (4, 6)]] == ["intact"] * 3
    assert (log.last_seq, log.last_id, log.missing) == (6, source.ids[5], [])


def test_told_again_in_other_pieces_it_stays_intact() -> None:
    log, source = DeviceLog(), phone(6)
    advance(log, facts(source, 1, 4))
    again = [facts(source, 1, 2, set()), facts(source, 2, 6, {5, 6}), facts(source, 1, 6, set())]
    assert [advance(log, batch) for batch in again] == ["intact"] * 3
    assert not log.is_forked
    assert not log.is_broken


def test_a_missing_stretch_is_a_gap_until_it_comes() -> None:
    log, source = DeviceLog(), phone(9)
    assert advance(log, facts(source, 7, 9)) == "gap"
    assert [stretch[:2] for stretch in log.missing] == [(1, 6)]
    assert advance(log, facts(source, 3, 4)) == "intact"
    assert [stretch[:2] for stretch in log.missing] == [(1, 2), (5, 6)]
    assert from_row(to_row(b"d" * 16, log)) == log
    assert advance(log, facts(source, 1, 2)) == "intact"
    assert advance(log, facts(source, 5, 6)) == "intact"
    assert log.missing == []
    assert not log.is_forked


def test_what_fills_a_gap_must_fit_both_ends() -> None:
    other = phone(9, session="other")
    log, source = DeviceLog(), phone(9)
    advance(log, facts(source, 7, 9))
    assert advance(log, facts(other, 1, 6)) == "fork"


def test_a_clone_that_goes_its_own_way_is_a_fork() -> None:
    log, source = DeviceLog(), phone(4)
    clone = phone(3)
    clone.write(EPISODE, "play", at_ms=1_793_000_000_000, session="clone")
    clone.write(EPISODE, "play", at_ms=1_793_000_000_000, session="clone")
    advance(log, facts(source, 1, 4))
    assert advance(log, facts(clone, 5, 5)) == "fork"
    assert log.is_forked


def test_another_event_for_a_seq_told_before_is_a_fork() -> None:
    log, source = DeviceLog(), phone(4)
    clone = phone(2)
    clone.write(EPISODE, "play", at_ms=1_793_000_000_000, session="clone")
    advance(log, facts(source, 1, 4))
    assert advance(log, facts(clone, 3, 3)) == "fork"


def test_a_head_its_events_do_not_give_is_broken() -> None:
    log, source = DeviceLog(), phone(2)
    batch = facts(source, 1, 2)
    altered = BatchFacts(1, 2, batch.after, "f" * 64, batch.id_at, batch.new_seqs)
    assert advance(log, altered) == "broken"
    assert log.is_broken


def test_a_log_that_starts_after_nothing_is_broken() -> None:
    source = phone(2)
    batch = facts(source, 1, 2)
    assert batch.after == GENESIS
    assert advance(DeviceLog(), BatchFacts(1, 2, "a" * 64, batch.head, batch.id_at, batch.new_seqs)) == "broken"


def test_a_log_full_of_holes_is_broken_and_bounded() -> None:
    log, source = DeviceLog(), phone(400)
    for seq in range(2, 400, 2):
        advance(log, facts(source, seq, seq))
    assert log.is_broken
    assert len(log.missing) <= 100
