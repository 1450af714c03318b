"""Integrators' topics of recorded sessions: API, Node-RED panel and session log have what the reference had.

Where this product deviates on purpose, `docs/integrators.md` has it in a table, and a constant here names it.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from chargebyte_fw.modules.api.api import API
from chargebyte_fw.modules.system.error_history import ErrorHistory
from tests.evse.test_recordings import replay
from tests.evse.world import Assemble, Run

CAPTURES = Path(__file__).parents[1] / "captures/integrators"
NAMES = ["ac_basic", "ac_rcd", "dc"]
LOG = "everest_api/evse/var/hlc_log"
SESSION_INFO = "everest_api/evse/var/session_info"
LIMITS = "everest_api/evse/var/limits"
EV_INFO = "everest_api/evse/var/ev_info"
NODERED = "everest_external/nodered/1"
TELEMETRY = {
    "evse_temperature_C": 25.0,
    "fan_rpm": 1500.0,
    "supply_voltage_12V": 12.01,
    "supply_voltage_minus_12V": -11.8,
    "relais_on": False,
}
Message = tuple[float, str, Any]


class Recorder:
    """External MQTT: every message with its time, payloads out of JSON where they are JSON."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def publish(self, topic: str, payload: str, *, retain: bool = False) -> None:
        assert not retain, "nothing of the reference's is retained"
        self.messages.append((asyncio.get_running_loop().time(), topic, _payload(payload)))

    def subscribe(self, topic: str, callback: Callable[[str, str], None]) -> Callable[[], None]:
        return lambda: None


def _payload(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def recorded(name: str) -> list[Message]:
    lines = (CAPTURES / f"{name}.jsonl").read_text("utf-8").split("\n")
    return [tuple(json.loads(line)) for line in lines if line]


@pytest.fixture(scope="module")
def sessions() -> dict[str, list[Message]]:
    """What this product published in each session, filled as needed: a session is played once."""
    return {}


@pytest.fixture
def ours(assemble: Assemble, run: Run, runtime: Any, sessions: dict[str, list[Message]]) -> Callable[[str], Any]:
    def play(name: str) -> list[Message]:
        if name not in sessions:
            runtime.mqtt = recorder = Recorder()
            end_s = recorded(name)[-1][0]
            times = [2.0 + 0.5 * n for n in range(int(end_s * 2))]
            more: list[list[Any]] = [[at, "var", "bsp", "telemetry", TELEMETRY] for at in times]
            for at, topic, line in recorded(name):
                if topic == LOG and line["msg"].startswith("V2G "):
                    more.append([at, "var", "hlc", "v2g_messages", {"id": line["msg"].removeprefix("V2G ")}])

            async def main() -> None:
                history = {"error_history": {"database_path": "/errors.db"}}
                connections = {"evse_manager": "evse.evse", "error_history": "history.error_history"}
                beside = {"history": (ErrorHistory, {}, {}, history), "api": (API, {}, connections)}
                await replay(assemble, name, more=more, **beside)

            run(main())
            sessions[name] = recorder.messages
        return sessions[name]

    return play


def of(messages: Iterable[Message], topic: str) -> list[Any]:
    return [payload for _, name, payload in messages if name == topic]


def changes(values: Iterable[Any]) -> list[Any]:
    """Leave out what repeats the value before."""
    seen: list[Any] = []
    for value in values:
        if not seen or seen[-1] != value:
            seen.append(value)
    return seen


def shape(value: Any) -> Any:
    """Reduce a payload to its keys and kinds of values; numbers are one kind."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return type(value).__name__
    return [shape(inner) for inner in value[:1]] if isinstance(value, list) else "number"


# Topics and shapes.


@pytest.mark.parametrize("name", NAMES)
def test_the_topics_are_the_references(ours: Any, name: str) -> None:
    """The meter that is played here has no export and no phase sequence, which are topics of their own."""
    of_the_meter = {f"{NODERED}/powermeter/{leaf}" for leaf in ("phaseSeqError", "totalExportKWattHr")}
    assert {topic for _, topic, _ in ours(name)} == {topic for _, topic, _ in recorded(name)} - of_the_meter


@pytest.mark.parametrize("name", NAMES)
def test_the_payloads_have_the_references_keys_and_types(ours: Any, name: str) -> None:
    for topic in {topic for _, topic, _ in recorded(name)} - {EV_INFO, LOG}:
        known = [shape(payload) for payload in of(recorded(name), topic)]
        for payload in of(ours(name), topic):
            if topic.endswith(("/powermeter", "/powermeter_json")):
                # What the meter measures decides which optional fields there are.
                assert set(payload) <= set().union(*known), topic
            elif topic.endswith("/limits"):
                assert shape(payload) == known[-1], topic
            else:
                assert shape(payload) in known, (topic, payload)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_known_of_the_ev_comes_in_the_references_words(ours: Any, name: str) -> None:
    keys = {key for payload in of(recorded(name), EV_INFO) for key in payload}
    assert {key for payload in of(ours(name), EV_INFO) for key in payload} <= keys
    assert of(ours(name), EV_INFO)[0] == of(recorded(name), EV_INFO)[0] == {}
    assert of(ours(name), EV_INFO)[-1] == {}
    if name == "dc":
        assert changes(of(ours(name), EV_INFO))[-2] == changes(of(recorded(name), EV_INFO))[-2]


# Values in their order.


@pytest.mark.parametrize("name", NAMES)
def test_the_panels_states_are_the_references(ours: Any, name: str) -> None:
    for topic in (f"{NODERED}/state/state_string", f"{NODERED}/state/state"):
        assert of(ours(name), topic) == of(recorded(name), topic)


def states(messages: Iterable[Message]) -> list[Any]:
    """States of a session without those that may last less than the second between two publications."""
    seen: list[Any] = []
    for info in of(messages, SESSION_INFO):
        state = (info["state"], info["permanent_fault"], info["active_enable_disable_source"]["state"])
        short = state[0] in ("AuthRequired", "FinishedEV") or (state[0] == "Preparing" and state in seen)
        if not short:
            seen.append(state)
    return changes(seen)


@pytest.mark.parametrize("name", NAMES)
def test_the_session_as_an_integrator_sees_it_is_the_references(ours: Any, name: str) -> None:
    seen, expected = states(ours(name)), states(recorded(name))
    assert seen[: len(expected)] == expected and [state for state, *_ in seen[len(expected) :]] == ["Unplugged"]


@pytest.mark.parametrize("name", NAMES)
def test_the_end_of_a_transaction_is_published_at_once_with_its_energy(ours: Any, name: str) -> None:
    finished = [info for info in of(ours(name), SESSION_INFO) if info["state"] == "Finished"]
    (expected,) = [info for info in of(recorded(name), SESSION_INFO) if info["state"] == "Finished"]
    assert finished[0]["charged_energy_wh"] == expected["charged_energy_wh"] > 0
    assert finished[0]["charging_duration_s"] == pytest.approx(expected["charging_duration_s"], abs=1)
    ends_s = [at for at, topic, line in ours(name) if topic == LOG and line["msg"].startswith("Transaction Finished")]
    told_s = [at for at, topic, info in ours(name) if topic == SESSION_INFO and info["state"] == "Finished"]
    assert told_s[0] == pytest.approx(ends_s[0], abs=0.01)


@pytest.mark.parametrize("name", NAMES)
def test_protocols_and_capabilities_are_the_references(ours: Any, name: str) -> None:
    for leaf in ("selected_protocol", "hardware_capabilities"):
        topic = f"everest_api/evse/var/{leaf}"
        seen, expected = changes(of(ours(name), topic)), changes(of(recorded(name), topic))
        known = [value for value in expected if value]
        assert [value for value in seen if value][: len(known)] == known


@pytest.mark.parametrize("name", NAMES)
def test_limits_name_the_module_and_both_interfaces_agree(ours: Any, name: str) -> None:
    seen = of(ours(name), LIMITS)
    expected = of(recorded(name), LIMITS)
    assert {limits["uuid"] for limits in seen} == {"evse"} == {limits["uuid"] for limits in expected[1:]}
    assert {limits["max_current"] for limits in seen} == {limits["max_current"] for limits in expected}
    assert set(of(ours(name), f"{NODERED}/state/max_current")) == {0.0, 32.0}


# Rhythm.


PERIODIC = ("datetime", "session_info", "selected_protocol", "hardware_capabilities", "limits", "ev_info")


def interval_s(messages: list[Message], topic: str) -> float:
    times = sorted({round(at, 2) for at, name, _ in messages if name == topic})
    return median(later - earlier for earlier, later in pairwise(times))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_periodic_comes_every_second(ours: Any, name: str) -> None:
    messages = ours(name)
    topics = [f"everest_api/evse/var/{leaf}" for leaf in PERIODIC]
    topics += [
        "everest_api/connectors",
        "everest_api/ocpp/var/connection_status",
        "everest_api/errors/var/active_errors",
    ]
    topics += [f"{NODERED}/state/max_current"] + ([f"{NODERED}/state/max_watt"] if name == "dc" else [])
    for topic in topics:
        assert interval_s(messages, topic) == pytest.approx(1.0, abs=0.05), topic


# The session's log.

ADDED = re.compile(r"SLAC MAC |Error |the EV did not stop|cable check|authorized, but|Set PWM F$")
"""Lines of this product beside the reference's: faults, warnings, the EV's address, the F pulse of a fault."""
LEFT_OUT = re.compile(r"Charger state: (.*)->\1$|Set PWM Off$")
"""The reference logs a state that is entered again and a pilot that is set again; here nothing changes then."""


def log_of(messages: Iterable[Message]) -> list[tuple[str, str, bool, str]]:
    lines = []
    for line in of(messages, LOG):
        text = re.sub(r"requested was [\d.]+V/[\d.]+A", "requested was -", line["msg"])
        text = re.sub(r"^Change HLC Limits: .*", "Change HLC Limits: -", text)
        text = re.sub(r"\([\d.]+ kWh\)", "-", text)
        lines.append((line["origin"], line["target"], line["iso15118"], text))
    return lines


@pytest.mark.parametrize("name", NAMES)
def test_every_line_of_the_log_is_the_references_or_known_as_ours(ours: Any, name: str) -> None:
    lines = [line for each in NAMES for line in log_of(recorded(each))]
    known = {re.sub(r"\d+\.\d\dV/\d+\.\d\dA", "-", text) for *_, text in lines}
    for origin, target, iso15118, text in log_of(ours(name)):
        assert {"EVSE": "CAR", "CAR": "EVSE", "SYS": ""}[origin] == target
        found = re.sub(r"\d+\.\d\dV/\d+\.\d\dA", "-", text) in known or ADDED.match(text) or LEFT_OUT.match(text)
        assert found, text
        assert iso15118 is text.startswith(("V2G ", "SLAC ", "D-LINK", "Start cable", "DC HLC", "Change HLC"))


@pytest.mark.parametrize("name", NAMES)
def test_the_story_of_the_log_is_the_references(ours: Any, name: str) -> None:
    story = ("Session", "Transaction", "Charger state", "Event", "Stop in", "EIM", "AC mode", "DC mode", "Start")

    def seen(messages: Iterable[Message]) -> list[Any]:
        lines = [line for line in log_of(messages) if line[3].startswith(story) and not LEFT_OUT.match(line[3])]
        return changes(lines)

    assert seen(ours(name)) == seen(recorded(name))


def test_v2g_messages_are_named_as_in_the_reference(ours: Any) -> None:
    def seen(messages: Iterable[Message]) -> list[Any]:
        return [line for line in log_of(messages) if line[3].startswith("V2G ")]

    assert seen(ours("dc")) == seen(recorded("dc")) != []
