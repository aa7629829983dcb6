"""What becomes of holds: late arrivals, decisions, erased devices, and the numbers that payouts read."""

from datetime import UTC, datetime, timedelta

from sqlmodel import Session

from api.events.records import Erase, pack
from api.holds.lookout import Lookout
from models.tables import Episode, Show
from tests.api.holds.conftest import Scene
from tests.api.holds.downloads import fetch_as
from tests.api.measurement.house import wrong
from tests.device import Phone
from tests.factories import make_episode
from tests.placed import make_campaign, place

RULE = "over_24_hours"


def binge(scene: Scene, tale: Episode, start: int = 0, phone: Phone | None = None) -> Phone:
    """A device that claims to have listened for 25 hours."""
    phone = phone or scene.phone()
    for second in range(start, start + 100, 10):
        scene.hear(phone, tale, (second, second + 10), wall_ms=9_000_000)
    scene.count()
    return phone


def second_tale(scene: Scene, tale: Episode) -> Episode:
    """Another episode of the same show."""
    with Session(scene.house.engine) as session:
        return make_episode(session, session.get(Show, tale.show_id), published_at=tale.published_at)


def test_late_playbacks_join_an_open_hold(scene: Scene, tale: Episode) -> None:
    phone = binge(scene, tale)
    scene.scan()
    scene.hear(phone, second_tale(scene, tale), (0, 40))
    scene.count()
    assert scene.scan().playbacks == 1
    assert len(scene.holds()) == 1
    assert scene.held() == {("open", RULE): 2}


def test_late_playbacks_of_a_void_hold_are_void(scene: Scene, tale: Episode) -> None:
    phone = binge(scene, tale)
    scene.scan()
    scene.decide("void")
    assert scene.held() == {("void", RULE): 1}
    scene.hear(phone, second_tale(scene, tale), (0, 40))
    scene.count()
    scene.scan()
    assert len(scene.holds()) == 1
    assert scene.held() == {("void", RULE): 2}


def test_a_released_playback_is_not_flagged_again_and_a_later_one_is(scene: Scene, tale: Episode) -> None:
    phone = binge(scene, tale)
    scene.scan()
    scene.decide("released")
    assert scene.held() == {}
    assert scene.scan().new_holds == 0
    scene.hear(phone, second_tale(scene, tale), (0, 40))
    scene.count()
    assert scene.scan().new_holds == 1
    assert [hold.state for hold in scene.holds()] == ["released", "open"]
    assert scene.holds()[1].subject == f"{scene.holds()[0].subject}/2"
    assert scene.held() == {("open", RULE): 1}
    assert scene.scan().new_holds == 0


def test_a_later_decision_takes_the_place_of_an_earlier_one(scene: Scene, tale: Episode) -> None:
    binge(scene, tale)
    scene.scan()
    for state in ("void", "released", "void"):
        scene.decide(state)
    assert scene.held() == {("void", RULE): 1}
    assert scene.house.rows("SELECT state FROM hold_decision ORDER BY id") == [("void",), ("released",), ("void",)]
    assert scene.house.rows("SELECT action FROM audit_entry ORDER BY id") == [
        ("hold.voided",),
        ("hold.released",),
        ("hold.voided",),
    ]


def test_a_gap_ends_by_itself_when_the_stretch_arrives(scene: Scene, tale: Episode) -> None:
    phone = scene.phone()
    phone.write(tale.uuid, "pause", 0, 60_000, scene.house.now_ms - 5000)
    scene.hear(phone, tale, (60, 120))
    scene.count()
    scene.scan()
    assert scene.held() == {("open", "log_gap"): 1}
    scene.house.send(phone, 1, 1)
    scene.count()
    assert scene.scan().ended == 1
    assert scene.holds() == []
    assert scene.held() == {}
    assert scene.house.rows("SELECT action FROM audit_entry") == [("hold.ended",)]


def test_a_released_gap_is_not_told_again_until_there_is_another(scene: Scene, tale: Episode) -> None:
    phone = scene.phone()
    for _ in range(3):
        phone.write(tale.uuid, "pause", 0, 60_000, scene.house.now_ms - 5000)
    scene.house.send(phone, 2, 2)
    scene.count()
    scene.scan()
    scene.decide("released")
    scene.hear(phone, second_tale(scene, tale), (0, 60), day=-1)  # seq 4: seq 3 is missing, too
    scene.count()
    scene.scan(-1, 0)
    assert [hold.state for hold in scene.holds()] == ["released", "open"]
    scene.decide("released", 1)
    scene.hear(phone, second_tale(scene, tale), (0, 60))
    scene.count()
    assert scene.scan(-1, 0).new_holds == 0


def test_a_forked_log_that_was_released_stays_so_on_other_days_until_it_forks_again(
    scene: Scene, tale: Episode
) -> None:
    phone = scene.phone()
    scene.hear(phone, tale, (0, 45), day=-1)
    clone = Phone(phone.device_id)
    scene.hear(clone, tale, (100, 200), day=-1)
    scene.count()
    scene.scan(-1)
    scene.decide("released")
    scene.hear(phone, tale, (45, 100))
    scene.count()
    assert scene.scan(-1, 0).new_holds == 0
    scene.house.day(1)
    other = Phone(phone.device_id)
    other.write(tale.uuid, "pause", 300_000, 400_000, scene.house.now_ms - 1000)
    scene.house.send(other, 1, 1)
    scene.count()
    assert scene.scan(1).new_holds == 1


def test_a_crowd_stays_known_when_its_network_is_forgotten(scene: Scene, tale: Episode) -> None:
    at = datetime.fromtimestamp(scene.house.now_ms / 1000, UTC) - timedelta(days=25)
    crowd = [scene.phone(network=5, registered=at) for _ in range(51)]
    for number, phone in enumerate(crowd):
        scene.house.day(-20)
        scene.house.hit(tale.uuid)
        scene.hear(phone, tale, (number, number + 100), day=-20)
    scene.count()
    scene.scan(-20)
    assert scene.rules() == ["crowd_from_network"]
    scene.house.day(10)
    scene.look()
    assert scene.house.rows("SELECT count(*) FROM device WHERE network IS NOT NULL") == [(0,)]
    scene.hear(crowd[0], tale, (0, 100), day=2)
    scene.count()
    scene.scan(2)
    assert len(scene.holds()) == 2
    assert scene.flagged() == {phone.bytes for phone in crowd}


def test_what_two_rules_flag_is_held_once_and_void_where_one_of_them_is(scene: Scene, tale: Episode) -> None:
    phone = binge(scene, tale)
    clone = Phone(phone.device_id)
    scene.hear(clone, tale, (300, 400))
    scene.count()
    scene.scan()
    assert set(scene.rules()) == {"forked_log", RULE}
    assert scene.held() == {("open", "forked_log"): 1}
    scene.decide("void", scene.rules().index(RULE))
    assert scene.held() == {("void", RULE): 1}
    scene.decide("released", scene.rules().index("forked_log"))
    assert scene.held() == {("void", RULE): 1}


def test_the_lookout_looks_at_days_that_changed(scene: Scene, tale: Episode) -> None:
    lookout = Lookout()
    binge(scene, tale)
    assert lookout.look(scene.house.engine).new_holds == 1
    scene.house.change("DELETE FROM held_playback")
    assert lookout.look(scene.house.engine).playbacks == 0, "nothing changed, so nothing is looked at"
    binge(scene, tale, 200)
    assert lookout.look(scene.house.engine).playbacks == 2


# -- erased devices ------------------------------------------------------------------------------------------------


def erase(scene: Scene, phone: Phone) -> None:
    """The device asks to be forgotten, and is."""
    scene.house.append(phone.bytes, pack(Erase(phone.bytes)))
    scene.count()
    scene.house.housekeeper.erase()


def test_erasing_a_device_frees_no_money_and_ties_nothing_together(scene: Scene, tale: Episode) -> None:
    phone = binge(scene, tale)
    scene.hear(phone, second_tale(scene, tale), (0, 40))
    scene.count()
    scene.scan()
    scene.decide("void")
    before = scene.house.totals()
    erase(scene, phone)
    scene.scan()
    assert scene.held() == {("void", RULE): 2}
    held = scene.house.rows("SELECT device, hold_id FROM held_playback")
    assert len({bytes(device) for device, _ in held}) == len({hold for _, hold in held}) == 2
    assert phone.bytes not in scene.flagged()
    assert scene.house.rows("SELECT count(*) FROM held_playback p JOIN playback q ON q.device = p.device") == [(2,)]
    assert all("9000" not in hold.evidence and "90000" not in hold.evidence for hold in scene.holds())
    assert scene.house.totals() == before
    assert wrong(scene.house.recount()) == {}


def test_a_crowd_keeps_its_erased_members(scene: Scene, tale: Episode) -> None:
    at = datetime.fromtimestamp(scene.house.now_ms / 1000, UTC)
    crowd = [scene.phone(network=5, registered=at) for _ in range(51)]
    for number, phone in enumerate(crowd):
        scene.house.hit(tale.uuid)
        scene.hear(phone, tale, (number, number + 100))
    scene.count()
    scene.scan()
    erase(scene, crowd[3])
    assert scene.scan().playbacks == 0
    assert len(scene.holds()) == 1
    assert scene.held() == {("open", "crowd_from_network"): 51}


# -- impressions ---------------------------------------------------------------------------------------------------


def place_ad(scene: Scene, tale: Episode) -> None:
    """An ad from second 60 to second 90."""
    campaign = make_campaign(scene.house.engine, scene.today - 30, scene.today + 30)
    place(scene.house.engine, campaign, tale, (60, 90))


def test_impressions_are_held_with_the_playbacks_and_downloads_that_made_them(scene: Scene, tale: Episode) -> None:
    place_ad(scene, tale)
    phone = scene.phone()
    for start in (60, 62, 64, 66):
        scene.hear(phone, tale, (start, start + 20), wall_ms=30_000_000)
    fetch_as(scene, tale, 30, agents=26)
    fetch_as(scene, tale, 31, agents=5)
    scene.count()
    scene.scan()
    assert set(scene.rules()) == {RULE, "many_agents_one_address"}
    assert scene.held("listens") == {}, "26 s are no listen"
    assert scene.held("confirmed") == {("open", RULE): 1}
    assert scene.held("delivered") == {("open", "many_agents_one_address"): 26}
    assert scene.house.rows("SELECT confirmed, delivered FROM placement_day") == [(1, 31)]


def test_what_is_held_follows_when_the_counts_change(scene: Scene, tale: Episode) -> None:
    phone = scene.phone()
    scene.hear(phone, tale, (60, 80), wall_ms=90_000_000)
    scene.count()
    scene.scan()
    assert scene.held() == {}
    place_ad(scene, tale)
    scene.count()
    scene.scan()
    assert scene.held("confirmed") == {("open", RULE): 1}
