"""DCSupplySimulator and IMDSimulator on the bus: capabilities, commands, and every configuration key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from chargebyte_fw.contracts.types import powermeter
from chargebyte_fw.contracts.types.power_supply_DC import ChargingPhase, Mode
from chargebyte_fw.modules.power.dc_supply_simulator import DCSupplySimulator, SupplyConfig, capabilities_from_config
from chargebyte_fw.modules.power.imd_simulator import IMDSimulator


def supply(assemble: Callable[..., Any], **config: Any) -> Any:
    return assemble(powersupply_dc=(DCSupplySimulator, {}, {}, {"main": config}))


def test_by_default_it_can_do_what_everests_can() -> None:
    told = msgspec.to_builtins(capabilities_from_config(SupplyConfig()))
    assert told == {
        "bidirectional": True,
        "conversion_efficiency_export": 0.9,
        "conversion_efficiency_import": 0.85,
        "current_regulation_tolerance_A": 2.0,
        "peak_current_ripple_A": 2.0,
        **{
            f"{nominal}{end}_{way}_{unit}": value
            for nominal in ("", "nominal_")
            for way in ("export", "import")
            for end, unit, value in [
                ("min", "voltage_V", 200.0),
                ("max", "voltage_V", 900.0),
                ("min", "current_A", 1.0),
                ("max", "current_A", 200.0),
                ("max", "power_W", 150_000.0),
            ]
        },
    }


@pytest.mark.parametrize(
    ("key", "shown_as"),
    [
        ("max_power", ["max_export_power_W", "max_import_power_W"]),
        ("min_voltage", ["min_export_voltage_V", "min_import_voltage_V"]),
        ("max_voltage", ["max_export_voltage_V", "max_import_voltage_V"]),
        ("min_current", ["min_export_current_A", "min_import_current_A"]),
        ("max_current", ["max_export_current_A", "max_import_current_A"]),
        ("nominal_max_export_power", ["nominal_max_export_power_W"]),
        ("nominal_max_import_power", ["nominal_max_import_power_W"]),
        ("nominal_min_voltage", ["nominal_min_export_voltage_V", "nominal_min_import_voltage_V"]),
        ("nominal_max_voltage", ["nominal_max_export_voltage_V", "nominal_max_import_voltage_V"]),
        ("nominal_min_current", ["nominal_min_export_current_A", "nominal_min_import_current_A"]),
        ("nominal_max_current", ["nominal_max_export_current_A", "nominal_max_import_current_A"]),
    ],
)
def test_each_rating_shows_in_the_capabilities(key: str, shown_as: list[str]) -> None:
    before = msgspec.to_builtins(capabilities_from_config(SupplyConfig()))
    after = msgspec.to_builtins(capabilities_from_config(msgspec.structs.replace(SupplyConfig(), **{key: 77.0})))
    assert {name for name in after if after[name] != before[name]} == set(shown_as)
    assert {after[name] for name in shown_as} == {77.0}


def test_a_supply_for_one_direction_says_nothing_about_import() -> None:
    told = msgspec.to_builtins(capabilities_from_config(SupplyConfig(bidirectional=False)))
    assert told["bidirectional"] is False
    assert [name for name in told if "import" in name] == []


@pytest.mark.parametrize(
    ("config", "reached"),
    [
        ({}, (900.0, 150_000.0 / 900.0)),
        ({"max_voltage": 500.0}, (500.0, 200.0)),
        ({"max_current": 32.0}, (900.0, 32.0)),
        ({"max_power": 9_000.0}, (900.0, 10.0)),
    ],
)
def test_the_output_keeps_to_the_configured_ratings(
    run: Any, assemble: Any, config: dict[str, float], reached: tuple[float, float]
) -> None:
    async def main() -> None:
        world = supply(assemble, **config)
        await world.start()
        main_ = world.provider("powersupply_dc", "main")
        await main_.setExportVoltageCurrent(1000.0, 500.0)
        await main_.setMode(Mode.Export, ChargingPhase.Charging)
        await asyncio.sleep(5)
        value = main_.voltage_current.value
        assert (value.voltage_V, value.current_A) == pytest.approx(reached)
        await world.stop()

    run(main())


def test_a_session_from_cable_check_to_off(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world = supply(assemble)
        await world.start()
        main_, meter = world.provider("powersupply_dc", "main"), world.provider("powersupply_dc", "powermeter")
        modes: list[Mode] = []
        main_.mode.subscribe(modes.append)
        await main_.setExportVoltageCurrent(900.0, 2.0)
        await main_.setMode(Mode.Export, ChargingPhase.CableCheck)
        await asyncio.sleep(1)
        assert (main_.voltage_current.value.voltage_V, main_.voltage_current.value.current_A) == (900.0, 0.0)
        await main_.setMode(Mode.Off, ChargingPhase.CableCheck)
        await main_.setExportVoltageCurrent(400.0, 20.0)
        await main_.setMode(Mode.Export, ChargingPhase.Charging)
        await asyncio.sleep(3600)
        reading = meter.powermeter.value
        assert reading.meter_id == "DC_POWERMETER"
        assert reading.energy_Wh_import.total == pytest.approx(8000.0, rel=1e-3)
        assert (reading.power_W.total, reading.voltage_V.DC, reading.current_A.DC) == (8000.0, 400.0, 20.0)
        await main_.setMode(Mode.Off, ChargingPhase.Charging)
        assert main_.voltage_current.value.current_A == 0.0
        await world.stop()
        await asyncio.sleep(0)
        assert modes == [Mode.Off, Mode.Export, Mode.Off, Mode.Export, Mode.Off, Mode.Off]

    run(main())


def test_import_is_refused_by_a_supply_for_one_direction(run: Any, assemble: Any, caplog: Any) -> None:
    async def main() -> None:
        world = supply(assemble, bidirectional=False)
        await world.start()
        await world.provider("powersupply_dc", "main").setMode(Mode.Import, ChargingPhase.Charging)
        assert world.provider("powersupply_dc", "main").mode.value is Mode.Off
        await world.stop()

    run(main())


def test_the_meter_signs_no_transactions(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world = supply(assemble)
        await world.start()
        meter = world.provider("powersupply_dc", "powermeter")
        answer = await meter.stop_transaction("")
        assert answer.status is powermeter.TransactionRequestStatus.NOT_SUPPORTED
        assert answer.error
        await world.stop()

    run(main())


def test_the_monitor_measures_what_it_was_told_at_its_interval(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world = assemble(imd=(IMDSimulator, {}, {}, {"main": {"resistance_F_Ohm": 50_000.0, "interval": 250}}))
        await world.start()
        imd = world.provider("imd", "main")
        heard: list[float] = []
        imd.isolation_measurement.subscribe(lambda value: heard.append(value.resistance_F_Ohm))
        await imd.start()
        await asyncio.sleep(1.1)
        assert heard == [50_000.0] * 5
        await imd.stop()
        await asyncio.sleep(5)
        assert len(heard) == 5
        await world.stop()

    run(main())


@pytest.mark.parametrize("passes", [True, False])
def test_the_monitors_self_test_ends_as_configured(run: Any, assemble: Any, passes: bool) -> None:
    async def main() -> None:
        world = assemble(imd=(IMDSimulator, {}, {}, {"main": {"selftest_success": passes}}))
        await world.start()
        imd = world.provider("imd", "main")
        await imd.start_self_test(900.0)
        async with asyncio.timeout(5):
            assert await imd.self_test_result.wait_for() is passes
        await world.stop()

    run(main())


class Topics:
    """External MQTT in memory: what a test says on a topic is heard at once."""

    def __init__(self) -> None:
        self.callbacks: dict[str, Callable[[str, str], None]] = {}

    def publish(self, topic: str, payload: str, *, retain: bool = False) -> None:
        raise AssertionError("nothing is published here")

    def subscribe(self, topic: str, callback: Callable[[str, str], None]) -> Callable[[], None]:
        self.callbacks[topic] = callback
        return lambda: None


@pytest.mark.parametrize(
    ("payload", "measured_Ohm"),
    [("50000", 50_000.0), ("0", 0.0), ("-1", 900_000.0), ("nan", 900_000.0), ("", 900_000.0), ("many", 900_000.0)],
)
def test_an_integrator_may_change_the_resistance_but_only_to_a_resistance(
    run: Any, assemble: Any, runtime: Any, payload: str, measured_Ohm: float
) -> None:
    async def main() -> None:
        runtime.mqtt = topics = Topics()
        world = assemble(imd=(IMDSimulator,))
        await world.start()
        topics.callbacks["everest_api/imd/cmd/set_resistance"]("everest_api/imd/cmd/set_resistance", payload)
        await world.provider("imd", "main").start()
        assert world.provider("imd", "main").isolation_measurement.value.resistance_F_Ohm == measured_Ohm
        await world.stop()

    run(main())
