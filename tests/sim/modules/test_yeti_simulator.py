"""YetiSimulator: both ends of one pilot, its meter, its faults."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from chargebyte_fw.contracts.types.ev_board_support import EvCpState
from chargebyte_fw.contracts.types.evse_board_support import PowerOnOff, PowerOnOffReason
from chargebyte_fw.contracts.types.powermeter import TransactionRequestStatus
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.sim.modules import yeti_faults
from chargebyte_fw.sim.modules.yeti_simulator import YetiSimulator
from tests.session.plant import HeardMqtt

ON = PowerOnOff(allow_power_on=True, reason=PowerOnOffReason.FullPowerCharging)
OFF = PowerOnOff(allow_power_on=False, reason=PowerOnOffReason.PowerOff)


class Board:
    """The module, and what it has reported."""

    def __init__(self, assembly: Any) -> None:
        self.assembly = assembly
        self.evse = assembly.provider("board", "board_support")
        self.car = assembly.provider("board", "ev_board_support")
        self.meter = assembly.provider("board", "powermeter")
        self.rcd = assembly.provider("board", "rcd")
        self.events: list[str] = []
        self.evse.event.subscribe(lambda event: self.events.append(event.event.value))

    async def charging(self, duty_percent: float = 16 / 0.6) -> None:
        """Bring a car that draws 20 A, and give it power."""
        await self.evse.pwm_on(duty_percent)
        await self.car.set_ac_max_current(20.0)
        await self.car.set_cp_state(EvCpState.C)
        await self.car.allow_power_on(True)
        await self.evse.allow_power_on(ON)
        await asyncio.sleep(1)


@pytest.fixture
def mqtt(runtime: Runtime) -> HeardMqtt:
    heard = HeardMqtt()
    runtime.mqtt = heard
    return heard


@pytest.fixture
def on_board(run: Any, assemble: Any, mqtt: HeardMqtt) -> Callable[..., None]:
    def begin(what: Callable[[Board], Any], **config: Any) -> None:
        async def main() -> None:
            assembly = assemble(board=(YetiSimulator, {"connector_id": 3, **config}))
            await assembly.start()
            board = Board(assembly)
            await board.evse.enable(True)
            await what(board)
            await assembly.stop()

        run(main())

    return begin


def test_a_car_draws_what_the_pilot_allows(on_board: Any) -> None:
    async def look(board: Board) -> None:
        await board.charging()
        assert board.events[-2:] == ["C", "PowerOn"]
        await asyncio.sleep(3600)
        value = board.meter.powermeter.value
        assert value.power_W.total == pytest.approx(3 * 230 * 16, rel=0.03)
        assert value.energy_Wh_import.total == pytest.approx(3 * 230 * 16, rel=0.01)
        await board.evse.ac_switch_three_phases_while_charging(False)
        await asyncio.sleep(1)
        value = board.meter.powermeter.value
        assert value.current_A.L2 == 0 and pytest.approx(16, rel=0.02) == value.current_A.L1
        await board.evse.allow_power_on(OFF)
        await asyncio.sleep(1)
        assert board.events[-1] == "PowerOff" and board.meter.powermeter.value.power_W.total == 0

    on_board(look)


def test_with_five_percent_the_car_draws_what_it_wants(on_board: Any) -> None:
    async def look(board: Board) -> None:
        await board.charging(5.0)
        assert pytest.approx(20, rel=0.02) == board.meter.powermeter.value.current_A.L1

    on_board(look)


def test_the_meter_begins_at_zero_with_each_car(on_board: Any) -> None:
    async def look(board: Board) -> None:
        await board.charging()
        await asyncio.sleep(600)
        await board.car.set_cp_state(EvCpState.A)
        await asyncio.sleep(1)
        assert board.meter.powermeter.value.energy_Wh_import.total > 1000
        await board.car.set_cp_state(EvCpState.B)
        await asyncio.sleep(1)
        assert board.meter.powermeter.value.energy_Wh_import.total == 0

    on_board(look)


def test_values_of_a_transaction_look_signed(on_board: Any) -> None:
    async def look(board: Board) -> None:
        begun = await board.meter.start_transaction(None)
        over = await board.meter.stop_transaction("1")
        assert begun.status is over.status is TransactionRequestStatus.OK
        assert begun.signed_meter_value is None
        assert over.signed_meter_value.signed_meter_data == "the end"
        assert over.signed_meter_value.public_key == board.meter.public_key_ocmf.value == "TESTPUBLICKEY3"

    on_board(look, dummy_meter_value_send_on_transaction_start=False, dummy_meter_value_blob_stop="the end")


def test_a_disabled_board_keeps_orders_and_shows_minus_12_v(on_board: Any) -> None:
    async def look(board: Board) -> None:
        await board.evse.cp_state_X1()
        await board.evse.enable(False)
        await board.charging()
        assert "PowerOn" not in board.events and board.events[-1] == "F"
        await board.evse.enable(True)
        await asyncio.sleep(0)
        assert board.events[-2:] == ["C", "PowerOn"]

    on_board(look)


def test_a_bridged_diode_opens_the_contactors(on_board: Any) -> None:
    async def look(board: Board) -> None:
        await board.charging()
        await board.car.diode_fail(True)
        await asyncio.sleep(0)
        assert board.events[-1] == "PowerOff"
        assert board.evse.faults.is_active("evse_board_support/DiodeFault")
        await board.car.set_cp_state(EvCpState.A)
        await board.car.diode_fail(False)
        assert not board.evse.faults.active

    on_board(look)


def test_residual_current_trips_until_the_car_is_gone(on_board: Any) -> None:
    async def look(board: Board) -> None:
        await board.charging()
        await board.car.set_rcd_error(5.0)
        assert not board.rcd.faults.active
        await board.car.set_rcd_error(5.1)
        await asyncio.sleep(0)
        assert board.rcd.faults.is_active("ac_rcd/DC") and board.events[-1] == "PowerOff"
        assert not await board.rcd.reset()
        await board.car.set_rcd_error(0.0)
        assert board.rcd.faults.active, "the device stays tripped"
        assert await board.rcd.reset()
        assert not board.rcd.faults.active

    on_board(look)


@pytest.mark.parametrize(
    ("name", "implementation", "type"),
    [
        ("MREC6UnderVoltage", "board_support", "evse_board_support/MREC6UnderVoltage"),
        ("ac_rcd_DC", "rcd", "ac_rcd/DC"),
        ("lock_MREC1ConnectorLockFailure", "connector_lock", "connector_lock/MREC1ConnectorLockFailure"),
        ("powermeter/CommunicationFault", "powermeter", "powermeter/CommunicationFault"),
    ],
)
def test_faults_are_injected(on_board: Any, mqtt: HeardMqtt, name: str, implementation: str, type: str) -> None:
    topic = "everest_external/nodered/3/carsim/error"

    async def look(board: Board) -> None:
        faults = board.assembly.provider("board", implementation).faults
        mqtt.receive(topic, json.dumps({"error_type": name, "raise": "true"}))
        assert faults.is_active(type)
        mqtt.receive(topic, json.dumps({"error_type": name, "raise": "false"}))
        assert not faults.active

    on_board(look)


def test_every_fault_that_can_be_injected_is_declared(on_board: Any) -> None:
    async def look(board: Board) -> None:
        names = [*yeti_faults.BOARD, *(f"ac_rcd_{name}" for name in yeti_faults.RCD)]
        for name in [*names, *(f"lock_{name}" for name in yeti_faults.LOCK), "powermeter/CommunicationFault"]:
            injected = yeti_faults.read(json.dumps({"error_type": name, "raise": True}))
            allowed = board.assembly.provider("board", injected.implementation).faults.allowed
            assert injected.type in allowed and injected.raised

    on_board(look)


@pytest.mark.parametrize(
    "payload", ["", "no", "{}", '{"error_type": 1, "raise": "true"}', '{"error_type": "x", "raise": "true"}']
)
def test_what_is_no_fault_is_named(on_board: Any, mqtt: HeardMqtt, caplog: Any, payload: str) -> None:
    async def look(board: Board) -> None:
        mqtt.receive("everest_external/nodered/3/carsim/error", payload)
        assert "everest_external/nodered/3/carsim/error" in caplog.text

    on_board(look)
