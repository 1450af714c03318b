"""GenericPowermeter: values by the file of a meter; what is not read is not published."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.kernel import memory
from chargebyte_fw.kernel.errors import ConfigError
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.modules.meter.generic_powermeter import FAULT, FOLDER, GenericPowermeter
from chargebyte_fw.modules.meter.registers import names, parse_model, read_model
from chargebyte_fw.modules.meter.serial_comm_hub import SerialCommHub
from tests.meter.device import Device, words


@pytest.fixture
def on_bus(run: Any, assemble: Any, runtime: Runtime) -> Any:
    def begin(what: Any, **config: Any) -> None:
        async def main() -> None:
            ours, theirs = memory.wire()
            runtime.wires.plug("serial:/dev/ttyUSB0", ours)
            device = Device(theirs, config.get("powermeter_device_id", 1))
            assembly = assemble(
                hub=(SerialCommHub,),
                meter=(GenericPowermeter, {}, {"serial_comm_hub": "hub.main"}, {"main": config}),
            )
            await assembly.start()
            await what(assembly.provider("meter", "main"), device)
            assert not assembly.modules["meter"].failed.done()
            await assembly.stop()

        run(main())

    return begin


def test_a_meter_with_three_phases(on_bus: Any) -> None:
    async def look(meter: Any, device: Device) -> None:
        device.hold(4, 0, *words(230.0, 231.0, 232.0, 10.0, 11.0, 12.0, 2300.0, 2541.0, 2784.0))
        device.hold(4, 24, *words(1.0, 2.0, 3.0))
        device.hold(4, 52, *words(7625.0))
        device.hold(4, 60, *words(6.0))
        device.hold(4, 70, *words(50.0, 12.5, 0.25))
        await asyncio.sleep(5)
        value = meter.powermeter.value
        assert value.energy_Wh_import.total == 12_500.0 and value.energy_Wh_export.total == 250.0
        assert (value.power_W.total, value.power_W.L3) == (7625.0, 2784.0)
        assert (value.voltage_V.L2, value.voltage_V.DC, value.current_A.L1) == (231.0, None, 10.0)
        assert (value.VAR.total, value.frequency_Hz.L1, value.meter_id) == (6.0, 50.0, "meter")

    on_bus(look, model="Eastron_SDM630-V2", powermeter_device_id=22)


def test_a_register_may_hold_the_exponent(on_bus: Any) -> None:
    async def look(meter: Any, device: Device) -> None:
        device.hold(3, 10_001, 1234)
        device.hold(4, 10_002, 0x10000 - 2)
        await asyncio.sleep(5)
        assert meter.powermeter.value.energy_Wh_import.total == pytest.approx(1234 * 0.001 / 100)
        assert meter.powermeter.value.power_W is None

    on_bus(look)


def test_a_meter_that_falls_silent_is_a_fault_and_its_last_value_old(on_bus: Any, caplog: Any) -> None:
    async def look(meter: Any, device: Device) -> None:
        device.hold(4, 52, *words(100.0))
        device.hold(4, 72, *words(1.0, 0.0))
        heard: list[Any] = []
        meter.powermeter.subscribe(heard.append)
        await asyncio.sleep(5)
        assert heard and not meter.faults.active
        device.number = 9
        count = len(heard)
        await asyncio.sleep(20)
        assert meter.faults.is_active(FAULT) and len(heard) <= count + 1
        assert caplog.text.count("the meter cannot be read") == 1
        device.number = 1
        await asyncio.sleep(5)
        assert not meter.faults.active and len(heard) > count + 1

    on_bus(look, model="Eastron_SDM72DM")


def test_a_value_that_is_no_number_is_not_published(on_bus: Any) -> None:
    async def look(meter: Any, device: Device) -> None:
        device.hold(4, 52, *words(float("nan")))
        device.hold(4, 72, *words(1.0, 0.0))
        await asyncio.sleep(10)
        assert not meter.powermeter.known and meter.faults.is_active(FAULT)

    on_bus(look, model="Eastron_SDM72DM")


def test_every_model_that_comes_with_the_product_can_be_read(tmp_path: Path) -> None:
    assert set(names()) >= {"Eastron_SDM72DM", "Eastron_SDM230", "test_dummy"}
    for name in names():
        assert read_model(name, tmp_path).energy_Wh_import.exists


def test_a_model_of_the_integrator_goes_first(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        "energy_Wh_import: {start_register: 40001, num_registers: 4, type: int64}\n"
        "power_W: {start_register: 0, L1: {start_register: 40010, num_registers: 1, type: int16}}\n"
    )
    model = read_model("mine", tmp_path)
    assert [place for place, _ in model.power_W.values()] == ["L1"]
    assert model.power_W.L1.number([0xFFFF], 0) == -1.0
    assert model.energy_Wh_import.number([0, 0, 1, 0], 0) == 65_536.0


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({}, "energy_Wh_import"),
        ({"energy_Wh_import": {}}, "has no register"),
        ({"energy_Wh_import": {"start_register": 1, "num_registers": 3}}, "3 registers are no value"),
        ({"energy_Wh_import": {"start_register": 1, "num_registers": 1, "type": "float32"}}, "1 registers are no"),
        ({"energy_Wh_import": {"start_register": 1, "num_registers": 1, "function_code_start_reg": 6}}, "function 3"),
        ({"energy_Wh_import": {"start_register": -1}}, "start_register"),
        ({"energy_Wh_import": {"start": 1}}, "start"),
        ([], "array"),
    ],
)
def test_a_file_that_is_no_model_is_named(document: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_model("mine", document)


@pytest.mark.parametrize("name", ["none", "../secret", ""])
def test_an_unknown_model_ends_the_start(run: Any, assemble: Any, name: str) -> None:
    async def main() -> None:
        assembly = assemble(
            hub=(SerialCommHub,),
            meter=(GenericPowermeter, {}, {"serial_comm_hub": "hub.main"}, {"main": {"model": name}}),
        )
        with pytest.raises(ConfigError, match=r"(?s)meter\.main\.model.*\[C211\]"):
            await assembly.start()
        await assembly.stop()

    assert FOLDER.startswith("/usr/share/everest")
    run(main())
