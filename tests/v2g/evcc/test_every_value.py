"""Every response with each of its fields left out, at its bounds, of another member, and cut off at any octet.

Whatever a charger answers, nothing raises in the car, and it ends without power.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from chargebyte_fw.modules.v2g import evcc, v2gtp
from chargebyte_fw.modules.v2g.evcc import CarSettings
from chargebyte_fw.modules.v2g.exi import EncodeError, codec
from chargebyte_fw.modules.v2g.messages import din, iso2
from tests.v2g.evcc.station20 import Station, parameter_set
from tests.v2g.exi.variants import variants
from tests.v2g.pair import Pair, ac_facts, dc_facts

Met = dict[str, tuple[Any, float, bytes]]
"""By the name of a response: the car that waits for it, when, and the frame."""
SETS20 = {v2gtp.EXI_ISO20_AC: "iso20_ac", v2gtp.EXI_ISO20_DC: "iso20_dc"}


def copied(car: Any) -> Any:
    """A car of its own, in the same state."""
    return copy.deepcopy(car, {id(module): module for module in (din, iso2)})


def watched(it: Any, car: Callable[[], Any], receive: str) -> Met:
    """Keep the car as it is before each first response of a kind comes."""
    met: Met = {}
    given = getattr(it, receive)

    def take(event: Any) -> None:
        if isinstance(event, evcc.Received):
            met.setdefault(next(iter(car()._waiting.values())), (copied(car()), it.now, event.data))
        given(event)

    setattr(it, receive, take)
    return met


def session(protocol: str, mode: str) -> Met:
    """A session of our car at our charger, from its beginning to its end."""
    facts = ac_facts() if mode.startswith("AC") else dc_facts()
    it = Pair(facts, CarSettings(protocols=(protocol,), energy_transfer_mode=mode))
    met = watched(it, lambda: it.car, "to_car")
    it.charge(1.0)
    it.wish(stop=True)
    it.run(60.0)
    assert it.outcome is not None and it.outcome.outcome == "terminated"
    return met


def session20(mode: str, control: int) -> Met:
    """The same in ISO 15118-20."""
    it = Station(CarSettings(protocols=("ISO15118D20",), energy_transfer_mode=mode))
    it.services = [1 if mode.startswith("AC") else 2]
    voltage = {"EVSENominalVoltage": 230} if mode.startswith("AC") else {}
    it.sets[it.services[0]] = [
        parameter_set(0, Connector=3 if voltage else 2, ControlMode=control, **voltage, MobilityNeedsMode=1, Pricing=0)
    ]
    met = watched(it, lambda: it.car, "feed")
    it.charge(1.0)
    it.wish(stop=True)
    assert it.end()[0] == "terminated"
    return met


SESSIONS: dict[str, Callable[[], Met]] = {
    "din": lambda: session("DIN70121", "DC_extended"),
    "iso2": lambda: session("ISO15118D2", "DC_extended"),
    "iso2-ac": lambda: session("ISO15118D2", "AC_three_phase_core"),
    "iso20-dc": lambda: session20("DC_extended", 1),
    "iso20-dc-dynamic": lambda: session20("DC_extended", 2),
    "iso20-ac": lambda: session20("AC_three_phase_core", 1),
    "iso20-ac-dynamic": lambda: session20("AC_three_phase_core", 2),
}


def schema_set(kind: str, frame: bytes, name: str) -> str:
    if name == "supportedAppProtocolRes":
        return "sap"
    payload_type = int.from_bytes(frame[2:4], "big")
    return SETS20.get(payload_type, "iso20_common") if kind.startswith("iso20") else kind.partition("-")[0]


def ends_without_power(car: Any, now: float, frame: bytes) -> None:
    """Give the car this answer and none after it; it ends by itself, or where it wants to."""
    log = car.feed(evcc.Received(frame), now)
    if car.state.name != "ENDED":
        car.facts.stop = True
        log += car.feed(evcc.FactsChanged(), now)
    for _ in range(60):
        if car.deadline is None:
            break
        now = max(now, car.deadline)
        log += car.wake(now)
    assert car.state.name == "ENDED"
    (stopped,) = [one for one in log if isinstance(one, evcc.SessionStopped)]
    assert stopped.outcome in ("failed", "terminated", "paused")
    powered = [one.on for one in log if isinstance(one, evcc.Power)]
    assert not powered or powered[-1] is False
    assert car.session is None or not car.session.power_on


@pytest.mark.parametrize("kind", SESSIONS)
def test_a_response_with_any_value_or_cut_off_leaves_a_car_without_power(kind: str) -> None:
    met = SESSIONS[kind]()
    assert len(met) >= 9
    for name, (car, now, frame) in met.items():
        chosen = codec(schema_set(kind, frame, name))
        tried = 0
        for place, changed in variants(chosen.decode(frame[8:])):
            try:
                payload = chosen.encode(changed)
            except EncodeError:
                continue
            tried += 1
            try:
                ends_without_power(copied(car), now, frame[:4] + len(payload).to_bytes(4, "big") + payload)
            except BaseException as error:
                error.add_note(f"{name}: {place}")
                raise
        assert tried > 0
        for octets in range(0, len(frame) - 8, 3):
            cut = frame[:4] + octets.to_bytes(4, "big") + frame[8 : 8 + octets]
            ends_without_power(copied(car), now, cut)


@pytest.mark.parametrize("kind", SESSIONS)
def test_a_response_out_of_turn_or_of_another_protocol_ends_a_car_without_power(kind: str) -> None:
    met = SESSIONS[kind]()
    others = SESSIONS["din" if kind != "din" else "iso2"]() | SESSIONS["iso20-dc" if kind != "iso20-dc" else "iso2"]()
    for name, (car, now, _) in met.items():
        for other, (_, _, frame) in [*met.items(), *others.items()]:
            if other != name or frame != met[name][2]:
                ends_without_power(copied(car), now, frame)
