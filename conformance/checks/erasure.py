"""Deleting a device."""

from conformance.device import Device, make_body, make_event
from conformance.outcomes import Requirement, Skipped, expect
from conformance.trial import Trial

CLAUSE = "Delete a device"


def _own(trial: Trial) -> None:
    _delete(trial.device())


def _delete(device: Device) -> None:
    answer = device.server.ask("DELETE", f"/v1/devices/{device.device_id}", token=device.token)
    if answer.status in {404, 405, 501}:
        raise Skipped(f"the server deletes no devices: {answer.status}")
    expect(answer.status == 202, f"deleting the device gave {answer}")
    later = device.post(make_body(device, [make_event(1, at_ms=device.now_ms)]))
    expect(later.status in {202, 401}, f"a batch after that was answered with {later}")


def _anothers(trial: Trial) -> None:
    device, other = trial.device(), trial.device()
    path = f"/v1/devices/{device.device_id}"
    for token in (other.token, ""):
        answer = trial.server.ask("DELETE", path, token=token)
        expect(400 <= answer.status < 500, f"somebody else deleted the device: {answer}")
    device.send(make_body(device, [make_event(1, at_ms=device.now_ms)]))
    _delete(device)


REQUIREMENTS = [
    Requirement("erasure/own", CLAUSE, "DELETE with the device's own token is 202, a later batch 202 or 401", _own),
    Requirement("erasure/others", CLAUSE, "Nobody else can delete a device", _anothers),
]
