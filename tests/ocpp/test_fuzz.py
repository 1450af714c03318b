"""A CSMS that sends anything: each request is answered once, the station goes on, and nothing is raised."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from chargebyte_fw.contracts.types.evse_manager import Connector, Evse
from chargebyte_fw.kernel.effects import Call
from chargebyte_fw.modules.ocpp.charge_point import ChargePoint, FrameReceived, Written
from chargebyte_fw.modules.ocpp.connection import events as connection_events
from chargebyte_fw.modules.ocpp.connection.effects import CloseSocket, OpenSocket
from chargebyte_fw.modules.ocpp.connection.machine import connection
from chargebyte_fw.modules.ocpp.connection.settings import ConnectionSettings, Credentials
from chargebyte_fw.modules.ocpp.dispatcher import Dispatcher
from chargebyte_fw.modules.ocpp.messages.catalogue import catalogue
from chargebyte_fw.modules.ocpp.queue.effects import KeepTransactionId, Persist, Remove
from chargebyte_fw.modules.ocpp.queue.settings import Settings
from chargebyte_fw.modules.ocpp.rpc.endpoint import Transmit
from chargebyte_fw.modules.ocpp.station import Station, effects, events
from chargebyte_fw.modules.ocpp.station.layout import Layout
from chargebyte_fw.modules.ocpp.variables import Variables
from chargebyte_fw.modules.ocpp.variables.registry import declared
from chargebyte_fw.modules.ocpp.variables.standard import communication as comm
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.csms import Csms
from tests.ocpp.instances import as_text, valid_payload
from tests.ocpp.test_message_fuzz import mutated

NOON = 1_700_006_400.0
MOST_EFFECTS = 500


def text_of(payload: Any) -> bytes:
    """A payload as text; one that is too deep for a writer is still one that can be sent."""
    try:
        return as_text(payload)
    except RecursionError:
        return b'{"a":' * 3000 + b"1" + b"}" * 3000


class Bench:
    """A whole station without a loop: the test is its clock, disk, socket and CSMS."""

    def __init__(self, version: Version, seed: int) -> None:
        if version.is_2:
            from chargebyte_fw.modules.ocpp.blocks_v2 import BLOCKS
        else:
            from chargebyte_fw.modules.ocpp.blocks_v16 import BLOCKS
        self.random = Random(seed)
        self.version = version
        self.now = 0.0
        self.csms = Csms(version.value.removeprefix("ocpp"))
        variables = Variables(declared(connectors={1: 1, 2: 1}, legacy_keys=not version.is_2))
        variables.set(comm.NETWORK_URL.at(slot=1), "ws://csms")
        variables.set(comm.NETWORK_IDENTITY.at(slot=1), "cp001")
        variables.set(comm.NETWORK_BASIC_AUTH_PASSWORD.at(slot=1), "password of 24 letters..")
        variables.set(comm.NETWORK_SECURITY_PROFILE.at(slot=1), 1)
        self.variables = variables
        layout = Layout([Evse(id=number, connectors=[Connector(id=1)]) for number in (1, 2)])
        new_id = lambda: f"cp-{self.random.getrandbits(64):x}"  # noqa: E731
        self.station = Station(version, list(BLOCKS), new_id, variables, layout)
        dispatcher = Dispatcher(version, Settings(), new_id)
        self.queue = dispatcher.queue
        link = connection(ConnectionSettings(profiles={}, versions=(version,)), None, 0, Random(1))
        self.machine = ChargePoint(link, dispatcher, self.station)
        self.frames: list[Any] = []
        self.failed: list[Exception] = []
        self.commands: list[effects.Command] = []
        self.answers: dict[str, Any] = {}
        """What the CSMS answers to an action, in place of the usual; a function of the frame returns frames."""
        for event in (
            events.WallClockSet(NOON),
            events.Loaded({}),
            events.Started(),
            connection_events.CredentialsChanged(Credentials(True, True)),
            connection_events.Start(),
        ):
            self.feed(event)

    def feed(self, event: Any) -> None:
        self._act(self.machine.feed(event, self.now))

    def pass_s(self, seconds: float) -> None:
        end = self.now + seconds
        for _ in range(10_000):
            at_s = self.machine.deadline
            if at_s is None or at_s > end:
                break
            self.now = max(self.now, at_s)
            self._act(self.machine.wake(self.now))
        else:
            raise AssertionError("a busy loop")
        self.now = end

    def _act(self, found: list[Any]) -> None:
        waiting = list(found)
        for _ in range(MOST_EFFECTS):
            if not waiting:
                return
            effect = waiting.pop(0)
            for event in self._answer(effect):
                waiting += self.machine.feed(event, self.now)
        raise AssertionError(f"it does not settle: {waiting[:5]}")

    def _answer(self, effect: Any) -> list[Any]:
        attempt = self.machine.connection.attempt
        match effect:
            case OpenSocket():
                return [connection_events.Opened(effect.attempt, self.version.value)]
            case CloseSocket():
                return []
            case Persist(ticket=ticket) | Remove(ticket=ticket) | KeepTransactionId(ticket=ticket):
                return [Written(ticket)]
            case effects.Command(command_id, Call()):
                self.commands.append(effect)
                return [events.CommandFailed(command_id, "nothing is there")]
            case effects.RowFailed(error):
                self.failed.append(error)
            case Transmit(text):
                frame = json.loads(text)
                self.frames.append(frame)
                if frame[0] == 2:
                    return [FrameReceived(attempt, one) for one in self._reply(frame)]
        return []

    def _reply(self, frame: list[Any]) -> list[str]:
        if frame[2] in self.answers:
            return list(self.answers[frame[2]](frame))
        return [json.dumps([3, frame[1], self.csms.usual(frame[2], frame[3])])]

    def receive(self, text: str | bytes) -> None:
        self.feed(FrameReceived(self.machine.connection.attempt, text))

    def answers_to(self, message_id: str) -> list[Any]:
        return [frame for frame in self.frames if frame[0] in (3, 4) and frame[1] == message_id]

    def is_alive(self) -> bool:
        """Whether a correct request has its answer, on the connection of now."""
        probe = f"probe-{self.random.getrandbits(32)}"
        action = "GetVariables" if self.version.is_2 else "GetConfiguration"
        variable = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
        payload = {"getVariableData": [variable]} if self.version.is_2 else {"key": ["HeartbeatInterval"]}
        self.receive(json.dumps([2, probe, action, payload]))
        self.pass_s(1.0)
        return [frame[0] for frame in self.answers_to(probe)] == [3]


@pytest.mark.parametrize("version", Version)
def test_every_request_is_answered_once_whatever_is_in_it(version: Version) -> None:
    it = Bench(version, 7)
    it.pass_s(10.0)
    assert it.queue.registration == "Accepted"
    known = catalogue(version)
    # Not the two that take the station away, or off the network: those have tests of their own.
    actions = sorted(known.actions_from_csms - {"Reset", "SetNetworkProfile"})
    number = 0
    for _ in range(5):
        for action in actions:
            number += 1
            payload = valid_payload(known.request(action), version, it.random)
            if it.random.random() < 0.7:
                payload = mutated(payload, it.random)
            text = b'[2,"f%d","%s",%s]' % (number, action.encode(), text_of(payload))
            it.frames.clear()
            attempt = it.machine.connection.attempt
            it.receive(text)
            it.pass_s(31.0)
            if it.machine.connection.attempt == attempt and not known.is_send(action):
                ids = {frame[1] for frame in it.frames if frame[0] in (3, 4)}
                assert len([frame for frame in it.frames if frame[0] in (3, 4)]) == 1, text[:300]
                assert ids <= {f"f{number}", "-1"}, text[:300]
            assert not it.failed, (text[:500], it.failed)
    assert it.is_alive()
    assert len(it.queue) < 200


@pytest.mark.parametrize("version", Version)
def test_a_csms_that_answers_as_it_likes(version: Version) -> None:
    it = Bench(version, 11)
    it.pass_s(10.0)
    random = it.random

    def odd(frame: list[Any]) -> list[str]:
        _, message_id, action, payload = frame
        good = json.dumps([3, message_id, it.csms.usual(action, payload)])
        broken = text_of(mutated({"a": {"b": [1]}, **it.csms.usual(action, payload)}, random)).decode(
            "utf-8", "replace"
        )
        return random.choice(
            [
                [],
                [good],
                [good, good],
                [json.dumps([3, "other", {}]), good],
                [f'[3,"{message_id}",{broken}]'],
                [f'[3,"{message_id}"]'],
                [f'[4,"{message_id}"]'],
                [f'[4,"{message_id}","InternalError","x","not an object"]'],
                [f'[5,"{message_id}","FormatViolation","x",{{}}]'],
                [good[: len(good) // 2]],
                ["[" * 10_000],
                [json.dumps([2, f"in-{message_id}", "Heartbeat", {}]), good],
                [json.dumps([2, f"in-{message_id}", "TriggerMessage", {"requestedMessage": "Heartbeat"}])],
            ]
        )

    for action in ("Heartbeat", "StatusNotification", "SecurityEventNotification", "Authorize", "DataTransfer"):
        it.answers[action] = odd
    trigger = {"requestedMessage": "Heartbeat"}
    for number in range(25):
        it.receive(json.dumps([2, f"t{number}", "TriggerMessage", trigger]))
        it.pass_s(random.choice([0.0, 1.0, 200.0]))
    it.answers.clear()
    it.pass_s(3000.0)
    assert not it.failed
    assert it.is_alive() and len(it.queue) == 0
    it.frames.clear()
    it.receive(json.dumps([2, "last", "TriggerMessage", trigger]))
    it.pass_s(5.0)
    assert [frame[2] for frame in it.frames if frame[0] == 2] == ["Heartbeat"]


@pytest.mark.parametrize("version", Version)
def test_a_registration_that_flips(version: Version) -> None:
    it = Bench(version, 13)
    statuses = iter(["Pending", "Rejected", "Pending", "Accepted"] * 3)

    def boot(frame: list[Any]) -> list[str]:
        status = next(statuses, "Accepted")
        now = it.csms.usual("Heartbeat", {})["currentTime"]
        return [json.dumps([3, frame[1], {"currentTime": now, "interval": 10, "status": status}])]

    it.answers["BootNotification"] = boot
    it.feed(connection_events.Stop("x"))
    it.feed(connection_events.Start())
    for number in range(20):
        message = {"requestedMessage": "BootNotification"}
        it.receive(json.dumps([2, f"t{number}", "TriggerMessage", message]))
        it.pass_s(15.0)
    it.pass_s(100.0)
    assert not it.failed and it.queue.registration == "Accepted" and it.is_alive()


def test_a_flood_of_frames_that_are_none(caplog: pytest.LogCaptureFixture) -> None:
    it = Bench(Version.V201, 17)
    it.pass_s(10.0)
    for number in range(2000):
        odd: list[str | bytes] = ["[2,", "null", '[2,"a"]', "[" * 1000, f'[2,"{number}","X",{{}}]', b"\xff\xfe"]
        it.receive(it.random.choice(odd))
    it.pass_s(1000.0)
    assert it.is_alive()
    assert len(it.queue) == 0
