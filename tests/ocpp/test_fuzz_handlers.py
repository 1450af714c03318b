"""Each handler of the CSMS' requests and of its answers, with broken payloads of the schemas, while a car charges.

`pytest -m slow tests/ocpp/test_fuzz_handlers.py` is the long run, with other seeds.
"""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types import evse_manager as evse
from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.modules.ocpp.connection import events as connection_events
from chargebyte_fw.modules.ocpp.messages.catalogue import catalogue
from chargebyte_fw.modules.ocpp.messages.schema import decode_request
from chargebyte_fw.modules.ocpp.station import events
from chargebyte_fw.modules.ocpp.variables.standard import communication as comm
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.instances import as_text, valid_payload
from tests.ocpp.stack import E, meter, token
from tests.ocpp.test_fuzz import Bench, text_of
from tests.ocpp.test_message_fuzz import mutated

ENDS_CHARGING = {"Reset", "RemoteStopTransaction", "RequestStopTransaction", "ChangeAvailability", "CancelReservation"}
"""Requests of the CSMS that may end the transaction, or take the station away."""
BROKEN = 0.7
MOST_WAITING = 200


class Charging(Bench):
    """A whole station with a car that charges at EVSE 1."""

    def __init__(self, version: Version, seed: int) -> None:
        super().__init__(version, seed)
        self.pass_s(10.0)
        assert self.queue.registration == "Accepted"
        plugged = evse.SessionStarted(reason=evse.StartSessionReason.EVConnected, meter_value=meter(1000))
        self.event(E.SessionStarted, session_started=plugged)
        self.event(
            E.TransactionStarted,
            transaction_started=evse.TransactionStarted(id_tag=token(), meter_value=meter(1000)),
        )
        self.event(E.ChargingStarted)
        self.pass_s(10.0)

    def event(self, kind: E, **more: Any) -> None:
        at = rfc3339(self.station.utc)
        happened = evse.SessionEvent(uuid="s1", timestamp=at, event=kind, connector_id=1, **more)
        self.feed(events.SessionEventReceived(1, happened))

    def send(self, request: Any) -> None:
        """Have the station send a request."""
        self.station.send(request)
        self.feed(events.PowermeterReceived(1, meter(1100)))

    def back(self) -> None:
        """Connect again after a request that took the station away, or off the network."""
        if not self.is_alive():
            self.variables.set(comm.NETWORK_CONFIGURATION_PRIORITY, ("1",))
            self.feed(connection_events.Start())
            self.pass_s(3600.0)
            assert self.is_alive()

    def commanded(self) -> list[str]:
        """Return the commands to the EVSE that would disturb the car."""
        found = [one for one in self.commands if one.call.interface == "evse_manager"]
        self.commands.clear()
        return [one.call.command for one in found if one.call.command in ("stop_transaction", "enable_disable")]


def requests(version: Version, seed: int, rounds: int) -> None:
    """Send each request of a CSMS so often; each is answered once, and the station goes on."""
    it = Charging(version, seed)
    known = catalogue(version)
    number = 0
    for _ in range(rounds):
        for action in sorted(known.actions_from_csms):
            number += 1
            payload = valid_payload(known.request(action), version, it.random)
            broken = it.random.random() < BROKEN
            text = b'[2,"f%d","%s",%s]' % (
                number,
                action.encode(),
                text_of(mutated(payload, it.random) if broken else payload),
            )
            it.frames.clear()
            attempt = it.machine.connection.attempt
            it.receive(text)
            it.pass_s(31.0)
            stays = it.machine.connection.attempt == attempt
            if stays and not known.is_send(action):
                answers = [frame for frame in it.frames if frame[0] in (3, 4)]
                assert len(answers) == 1 and answers[0][1] in (f"f{number}", "-1"), text[:300]
            assert not it.failed, (text[:500], it.failed)
            if action not in ENDS_CHARGING:
                assert it.commanded() == [], text[:500]
            it.commanded()
            assert len(it.queue) < MOST_WAITING
            it.back()
    assert it.is_alive()


def answers(version: Version, seed: int, rounds: int) -> None:
    """Have the station send each of its requests; whatever the answer has, the queue goes on."""
    it = Charging(version, seed)
    known = catalogue(version)
    for _ in range(rounds):
        for action in sorted(known.actions_from_station):
            if known.is_send(action) or action == "BootNotification":
                continue
            response = valid_payload(known.response(action), version, it.random)
            body = text_of(mutated(response, it.random) if it.random.random() < BROKEN and response else response)

            def reply(frame: list[Any], body: bytes = body) -> list[str]:
                return [f'[3,"{frame[1]}",{body.decode("utf-8", "replace")}]']

            it.answers = {action: reply}
            payload = as_text(valid_payload(known.request(action), version, it.random))
            it.send(decode_request(version, action, payload))
            it.pass_s(31.0)
            it.answers = {}
            assert not it.failed, (action, body[:500], it.failed)
            assert len(it.queue) < MOST_WAITING
        it.pass_s(600.0)
    it.back()
    it.pass_s(3600.0)
    assert it.is_alive() and len(it.queue) == 0


@pytest.mark.parametrize("version", Version)
def test_requests_while_a_car_charges(version: Version) -> None:
    requests(version, 23, 2)


@pytest.mark.parametrize("version", Version)
def test_answers_while_a_car_charges(version: Version) -> None:
    answers(version, 29, 1)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("version", Version)
def test_many_requests_and_answers(version: Version, seed: int) -> None:
    requests(version, 1000 + seed, 20)
    answers(version, 2000 + seed, 10)
