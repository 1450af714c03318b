"""The drivers of a real bench, against an instrument on a real socket; `test_labgrid.py` has what needs labgrid."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.kernel.errors import PeerError, Unavailable
from chargebyte_fw.kernel.faults import Fault, FaultState, Origin, Severity
from chargebyte_fw.manager.wire import envelope
from chargebyte_fw.sim.pilot import CarState, Drive
from hil import rig
from hil.drivers import Stage
from hil.drivers.bench import BenchPilot, BenchPlcLink, BenchProximity, InletBox, drive_of, letter_of
from hil.drivers.labgrid_rig import Labgrid
from hil.drivers.mqtt import MqttCharger
from hil.drivers.scpi import Scpi, ScpiMeter
from hil.recorder import Recorder
from hil.rig import Part
from tests.hil.bench import shipped


def stage() -> Stage:
    return Stage(Recorder(), shipped("iso2-session"), Path(__file__).parents[2])


async def until(true: Any, limit_s: float = 3.0) -> None:
    async with asyncio.timeout(limit_s):
        while not true():
            await asyncio.sleep(0.005)


class Instrument:
    """An instrument on a TCP port: answers each question from a table, in order."""

    def __init__(self, **readings: str) -> None:
        self.readings = readings
        self.heard: list[str] = []

    async def __aenter__(self) -> Instrument:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *failure: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := (await reader.readline()).decode().strip():
            self.heard.append(line)
            if line.endswith("?"):
                writer.write(self.readings[line.rstrip("?")].encode() + b"\n")
        writer.close()

    def resource(self, *setup: str) -> Scpi:
        questions = {name: f"{name}?" for name in self.readings}
        options = Scpi.Options(host="127.0.0.1", port=self.port, setup=list(setup), questions=questions)
        return Scpi("scope", options, {})


class Relays:
    """Stands where labgrid does: keeps what each output was set to."""

    def __init__(self) -> None:
        self.outputs: dict[str, bool] = {}

    async def set(self, output: str, on: bool) -> None:
        self.outputs[output] = on


def test_a_meter_is_asked_again_and_again_and_set_up_once() -> None:
    async def main() -> None:
        async with Instrument(V="391.25", A="24.5") as load:
            scpi, on = load.resource("INPut ON"), stage()
            meter = ScpiMeter("Meter", ScpiMeter.Options(period_s=0.01), {"instrument": scpi})
            await scpi.activate(on)
            await meter.activate(on)
            await until(lambda: on.recorder.now["current_A"] == 24.5)
            load.readings["A"] = "0.01"
            await until(lambda: on.recorder.now["current_A"] == 0.01)
            assert meter.read() == (391.25, 0.01) and load.heard.count("INPut ON") == 1
            await meter.deactivate()
            await scpi.deactivate()

    asyncio.run(main())


def test_what_an_instrument_does_wrong_is_named() -> None:
    async def main() -> None:
        async with Instrument(V="overload", gone="") as load:
            scpi = load.resource()
            await scpi.activate(stage())
            with pytest.raises(PeerError, match="overload"):
                await scpi.ask("V")
            with pytest.raises(Unavailable, match="no question for duty_percent"):
                await scpi.ask("duty_percent")
            await scpi.deactivate()
        with pytest.raises(Unavailable, match=r"scope at 127.0.0.1"):
            await load.resource().activate(stage())

    asyncio.run(main())


@pytest.mark.parametrize(
    ("high_V", "low_V", "drive", "letter"),
    [
        (12.0, 12.0, Drive.PLUS, "A"),
        (9.0, 9.0, Drive.PLUS, "B"),
        (9.0, -12.0, Drive.PWM, "B"),
        (6.0, -12.0, Drive.PWM, "C"),
        (3.0, -12.0, Drive.PWM, "D"),
        (-12.0, -12.0, Drive.MINUS, "F"),
        (0.0, 0.0, Drive.OFF, "E"),
    ],
)
def test_the_line_is_read_from_its_peaks(high_V: float, low_V: float, drive: Drive, letter: str) -> None:
    """IEC 61851-1 table A.4."""
    assert drive_of(high_V, low_V, 5.0)[0] is drive
    assert letter_of(drive, high_V) == letter


WIRED = ("plugged", "wants_power", "ventilation", "diode", "short", "pp_32", "pp_invalid")


def test_the_inlet_box_turns_what_the_car_shows_into_relays_and_the_scope_into_what_it_sees() -> None:
    async def main() -> None:
        async with Instrument(high_V="12", low_V="12", duty_percent="0", contactors="0") as scope:
            scpi, relays, on = scope.resource(), Relays(), stage()
            options = InletBox.Options(outputs={name: f"out {name}" for name in WIRED})
            box = InletBox("inlet", options, {"labgrid": relays, "scope": scpi})
            await scpi.activate(on)
            await box.activate(on)
            assert relays.outputs == {f"out {name}": False for name in WIRED}
            await until(lambda: on.recorder.now["cp"] == "A" and box.pilot.drive is Drive.PLUS)

            box.pilot.car_state = CarState.C
            await until(lambda: relays.outputs["out plugged"] and relays.outputs["out wants_power"])
            scope.readings |= {"high_V": "6.1", "low_V": "-12.0", "duty_percent": "5.02", "contactors": "4.9"}
            await until(lambda: on.recorder.now["contactors"] == "closed" and on.recorder.now["cp"] == "C")
            assert box.pilot.duty_percent == pytest.approx(5.02) and box.pilot.contactors_closed

            pilot = BenchPilot("Pilot", None, {"inlet": box})
            await pilot.activate(on)
            await pilot.short(True)
            await until(lambda: relays.outputs["out short"])
            await pilot.rest()
            await until(lambda: not relays.outputs["out short"])
            proximity = BenchProximity("Proximity", None, {"inlet": box})
            await proximity.activate(on)
            await proximity.code("32")
            await until(lambda: relays.outputs["out pp_32"])
            with pytest.raises(Unavailable, match="pp_13 is not wired"):
                await proximity.code("13")

            await box.deactivate()
            assert not any(relays.outputs.values()), "a bench that is let go is left safe"
            await scpi.deactivate()

    asyncio.run(main())


def test_a_scope_that_dies_fails_the_box() -> None:
    async def main() -> None:
        async with Instrument(high_V="12", low_V="nonsense", duty_percent="0", contactors="0") as scope:
            scpi, on = scope.resource(), stage()
            box = InletBox("inlet", InletBox.Options(), {"labgrid": Relays(), "scope": scpi})
            await scpi.activate(on)
            await box.activate(on)
            await until(lambda: box.failure is not None)
            assert "nonsense" in str(box.failure)
            await box.deactivate()
            await scpi.deactivate()

    asyncio.run(main())


def test_a_power_line_is_open_or_closed() -> None:
    async def main() -> None:
        relays = Relays()
        link = BenchPlcLink("PlcLink", BenchPlcLink.Options(cut="plc"), {"inlet": None, "labgrid": relays})
        await link.activate(stage())
        await link.lose(1.0)
        assert relays.outputs == {"plc": True}
        with pytest.raises(Unavailable, match="only none or all"):
            await link.lose(0.1)
        await link.rest()
        assert relays.outputs == {"plc": False}

    asyncio.run(main())


class Client:
    """The broker's end: keeps subscriptions, says things."""

    def __init__(self) -> None:
        self.takers: dict[str, Any] = {}
        self.said: list[tuple[str, bytes]] = []
        self.on_up: list[Any] = []

    def subscribe(self, topic: str, take: Any) -> Any:
        self.takers[topic] = take
        return lambda: self.takers.pop(topic)

    def publish(self, topic: str, payload: bytes) -> None:
        self.said.append((topic, payload))


def test_faults_and_sessions_are_heard_in_everests_own_words() -> None:
    async def main() -> None:
        client, on = Client(), stage()
        broker = type("Broker", (), {"client": client, "options": type("O", (), {"prefix": "everest/"})})
        charger = MqttCharger("Charger", MqttCharger.Options(), {"broker": broker})
        await charger.activate(on)
        fault = Fault(
            "evse_board_support/DiodeFault", "", "", "", Severity.High, Origin("bsp", "evse_board_support"),
            FaultState.Active, "2026-01-01T00:00:00.000Z", "1",
        )  # fmt: skip
        hear = client.takers["everest/modules/+/impl/+/error/#"]
        hear("t", envelope.error(fault))
        assert on.recorder.now["faults"] == {"evse_board_support/DiodeFault"}
        hear("t", envelope.error(fault.cleared()))
        assert on.recorder.now["faults"] == frozenset()
        hear("t", b"nonsense")
        hear("t", envelope.error(fault))
        client.on_up[0]()
        assert on.recorder.now["faults"] == frozenset(), "a board that starts again begins anew"
        session = client.takers["everest/modules/connector/impl/evse/var/session_event"]
        session("t", envelope.variable({"event": "ChargingStarted", "uuid": "1"}))
        assert on.recorder.now["session"] == "ChargingStarted"
        output = client.takers["everest/modules/powersupply_dc/impl/main/var/voltage_current"]
        output("t", envelope.variable({"voltage_V": 390.0, "current_A": 20.0}))
        assert on.recorder.now["supply_V"] == 390.0
        await charger.command("pause_charging", "")
        assert client.said == [("everest_api/connector/cmd/pause_charging", b"")]
        await charger.deactivate()
        assert client.takers == {} and client.on_up == []

    asyncio.run(main())


def part(name: str) -> Part:
    return next(one for one in rig.load(rig.FOLDER / "bench.yaml").resources if one.name == name)


def test_a_bench_without_labgrid_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "labgrid", None)

    async def main() -> None:
        target = Labgrid("target", part("target").options, {})
        with pytest.raises(Unavailable, match=r"pip install 'chargebyte-fw\[rig\]'"):
            await target.activate(stage())

    asyncio.run(main())
