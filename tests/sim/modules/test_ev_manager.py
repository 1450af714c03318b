"""EvManager: scripts of EVerest's commands against the contracts of board, modem and V2G stack."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chargebyte_fw.contracts.interfaces.ev_board_support import EvBoardSupport
from chargebyte_fw.contracts.interfaces.ev_slac import EvSlac
from chargebyte_fw.contracts.interfaces.iso15118_ev import Iso15118Ev
from chargebyte_fw.contracts.types.board_support_common import (
    BspEvent,
    BspEventEvent,
    BspMeasurement,
    ProximityPilot,
    ProximityPilotAmpacity,
)
from chargebyte_fw.contracts.types.iso15118 import AcTargetPower, EnergyTransferMode, PaymentOption
from chargebyte_fw.contracts.types.slac import State
from chargebyte_fw.kernel.contract import Contract
from chargebyte_fw.kernel.module import Module, provides
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.modules.system.persistent_store import PersistentStore
from chargebyte_fw.sim.modules.ev_manager import EvManager
from tests.session.plant import HeardMqtt

TOPIC = "everest_external/nodered/1/carsim/cmd/"


def noted(contract: type[Contract]) -> type[Any]:
    """Return an implementation that notes its commands with the module."""

    def command(name: str) -> Any:
        async def note(self: Any, *args: Any) -> bool:
            self.module.calls.append((name, *args))
            return True

        return note

    return type(contract.__name__, (contract,), {name: command(name) for name in contract.commands})


class Hardware(Module):
    """The car's board, modem and V2G stack."""

    board: Any = provides(noted(EvBoardSupport))
    slac: Any = provides(noted(EvSlac))
    ev: Any = provides(noted(Iso15118Ev))

    async def init(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def duty(self, percent: float) -> None:
        cable = ProximityPilot(ampacity=ProximityPilotAmpacity.A_32)
        self.board.bsp_measurement.publish(BspMeasurement(proximity_pilot=cable, cp_pwm_duty_cycle=percent))

    def event(self, event: BspEventEvent) -> None:
        self.board.bsp_event.publish(BspEvent(event=event))

    def states(self) -> list[str]:
        return [call[1].value for call in self.calls if call[0] == "set_cp_state"]

    def last(self, command: str) -> Any:
        return next(call[1:] for call in reversed(self.calls) if call[0] == command)


class Bench:
    """EvManager on a bench."""

    def __init__(self, assembly: Any, mqtt: HeardMqtt) -> None:
        self.assembly = assembly
        self.mqtt = mqtt
        self.car: EvManager = assembly.modules["car"]
        self.hardware: Hardware = assembly.modules["hardware"]

    @property
    def soc(self) -> float:
        info: Any = self.car.ev_manager.ev_info.value
        return float(info.soc)

    def execute(self, script: str) -> None:
        self.mqtt.receive(TOPIC + "execute_charging_session", script)

    def modify(self, script: str) -> None:
        self.mqtt.receive(TOPIC + "modify_charging_session", script)


@pytest.fixture
def on_bench(run: Any, assemble: Any, runtime: Runtime) -> Any:
    def begin(what: Any, **config: Any) -> None:
        async def main() -> None:
            runtime.mqtt = HeardMqtt()
            assembly = assemble(
                hardware=(Hardware,),
                store=(PersistentStore, {"sqlite_db_file_path": "/store.db"}),
                car=(
                    EvManager,
                    {"connector_id": 1, "auto_enable": True, **config},
                    {
                        "ev_board_support": "hardware.board",
                        "slac": "hardware.slac",
                        "ev": "hardware.ev",
                        "kvs": "store.main",
                    },
                ),
            )
            await assembly.start()
            await asyncio.sleep(0.1)
            await what(Bench(assembly, runtime.mqtt))
            assert not assembly.modules["car"].failed.done()
            await assembly.stop()

        run(main())

    return begin


def test_the_car_comes_with_its_current_and_phases(on_bench: Any) -> None:
    async def look(bench: Bench) -> None:
        assert [call for call in bench.hardware.calls if call[0] != "update_soc"] == [
            ("enable", True),
            ("allow_power_on", False),
            ("set_ac_max_current", 20.0),
            ("set_three_phases", False),
        ]
        assert bench.car.main.enabled.value is True
        bench.mqtt.receive(TOPIC + "enable", "true")
        bench.mqtt.receive(TOPIC + "enable", "no")
        await asyncio.sleep(0.1)
        assert bench.car.main.enabled.value is False
        assert bench.hardware.calls[-1] == ("enable", False)
        bench.execute("sleep 1")
        assert not bench.car.runner.running

    on_bench(look, max_current=20.0, three_phases=False)


def test_a_session_of_ac_without_v2g(on_bench: Any) -> None:
    async def look(bench: Bench) -> None:
        hardware = bench.hardware
        bench.execute("sleep 1;iec_wait_pwr_ready;sleep 1;draw_power_regulated 16,3;sleep 30;unplug;")
        await asyncio.sleep(2)
        assert hardware.states() == ["B"]
        hardware.duty(50.0)
        await asyncio.sleep(2)
        assert hardware.states() == ["B", "C"]
        assert hardware.last("set_ac_max_current") == (16.0,)
        assert hardware.last("allow_power_on") == (True,)
        hardware.duty(100.0)
        await asyncio.sleep(1)
        assert hardware.states() == ["B", "C", "B"] and hardware.last("allow_power_on") == (False,)
        hardware.duty(50.0)
        await asyncio.sleep(40)
        assert hardware.states()[-1] == "A" and hardware.last("allow_power_on") == (False,)
        assert "start_charging" not in [call[0] for call in hardware.calls]
        assert bench.soc > 30.0

    on_bench(look)


def test_a_session_of_dc(on_bench: Any) -> None:
    async def look(bench: Bench) -> None:
        hardware = bench.hardware
        hardware.duty(5.0)
        bench.execute(
            "iso_wait_slac_matched;iso_start_v2g_session DC contract 3600 5000;iso_wait_pwr_ready;iso_dc_power_on;"
            "iso_wait_for_stop 60;iso_wait_v2g_session_stopped;unplug"
        )
        await asyncio.sleep(1)
        assert hardware.last("trigger_matching") == ()
        hardware.slac.state.publish(State.MATCHED)
        await asyncio.sleep(1)
        assert hardware.last("set_dc_params")[0].target_voltage == 400
        mode, payment, departure_s, energy_kWh = hardware.last("start_charging")
        assert (mode, departure_s, energy_kWh) == (EnergyTransferMode.DC_extended, 3600, 5)
        assert payment.payment_option is PaymentOption.Contract and payment.enforce_payment_option is True
        hardware.ev.ev_power_ready.publish(True)
        await asyncio.sleep(1)
        assert hardware.states() == ["B", "C"]
        hardware.ev.dc_power_on.publish(None)
        await asyncio.sleep(1)
        assert hardware.last("allow_power_on") == (True,) and hardware.last("set_ac_max_current") == (0.0,)
        await asyncio.sleep(60)
        assert hardware.last("stop_charging") == ()
        assert hardware.last("update_soc")[0] == pytest.approx(30 + 400 * 20 / 60 / 600, abs=0.03)
        hardware.ev.ev_power_ready.publish(False)
        hardware.ev.v2g_session_finished.publish(None)
        await asyncio.sleep(1)
        assert hardware.states() == ["B", "C", "B", "A"]
        assert hardware.last("reset") == ()

    on_bench(look, dc_target_voltage=400, dc_target_current=20, force_payment_option=True)


def test_the_charger_limits_the_current_by_v2g(on_bench: Any) -> None:
    async def look(bench: Bench) -> None:
        hardware = bench.hardware
        hardware.duty(5.0)
        bench.execute("iso_start_v2g_session AC;iso_wait_pwr_ready;iso_draw_power_regulated 16,3;sleep 100;unplug")
        await asyncio.sleep(1)
        assert hardware.last("start_charging")[2:] == (7200, 1.5), "as configured"
        hardware.ev.ev_power_ready.publish(True)
        hardware.ev.ac_evse_max_current.publish(10.0)
        await asyncio.sleep(1)
        assert hardware.last("set_ac_max_current") == (10.0,)
        hardware.ev.ac_evse_max_current.publish(0.0)
        await asyncio.sleep(1)
        assert hardware.last("set_ac_max_current") == (0.0,)
        hardware.ev.ac_evse_target_power.publish(AcTargetPower(target_active_power=3 * 230 * 8))
        await asyncio.sleep(1)
        assert hardware.last("set_ac_max_current") == (8.0,)

    on_bench(look, departure_time=7200, e_amount=1500)


def test_a_pause_by_the_charger_goes_on_by_itself(on_bench: Any) -> None:
    async def look(bench: Bench) -> None:
        hardware = bench.hardware
        hardware.duty(5.0)
        bench.execute("iso_start_v2g_session DC;iso_wait_for_stop 600;unplug")
        await asyncio.sleep(1)
        hardware.ev.pause_from_charger.publish(None)
        hardware.ev.v2g_session_finished.publish(None)
        await asyncio.sleep(4)
        assert [call[0] for call in hardware.calls].count("start_charging") == 2
        assert bench.car.runner.running

    on_bench(look)


@pytest.mark.parametrize(
    ("script", "reason"),
    [("fly", "Command not found: fly"), ("sleep", "Invalid number of arguments"), ("sleep x", "is not a number")],
)
def test_a_bad_script_is_named_and_not_begun(on_bench: Any, caplog: Any, script: str, reason: str) -> None:
    async def look(bench: Bench) -> None:
        bench.execute(script)
        assert reason in caplog.text and not bench.car.runner.running

    on_bench(look)


def test_a_running_script_is_not_replaced_by_execute_but_by_modify(on_bench: Any, caplog: Any) -> None:
    async def look(bench: Bench) -> None:
        bench.execute("iec_wait_pwr_ready;unplug")
        bench.execute("unplug")
        assert "a script is running" in caplog.text and bench.car.runner.running
        bench.modify("UNPLUG")
        await asyncio.sleep(0.1)
        assert not bench.car.runner.running and bench.hardware.states() == ["B", "A"]

    on_bench(look)


def test_a_pulled_plug_ends_the_script(on_bench: Any) -> None:
    async def look(bench: Bench) -> None:
        bench.hardware.event(BspEventEvent.Disconnected)
        await asyncio.sleep(0.1)
        bench.execute("iec_wait_pwr_ready;sleep 1000;unplug")
        await asyncio.sleep(0.1)
        bench.hardware.event(BspEventEvent.Disconnected)
        await asyncio.sleep(0.1)
        assert not bench.car.runner.running

    on_bench(look)


def test_a_person_plugs_in(on_bench: Any) -> None:
    async def look(bench: Bench) -> None:
        bench.hardware.duty(5.0)
        assert bench.hardware.states() == [] and bench.car.runner.running
        bench.hardware.event(BspEventEvent.B)
        await asyncio.sleep(1)
        assert bench.hardware.states() == []
        bench.hardware.event(BspEventEvent.A)
        await asyncio.sleep(1)
        assert bench.hardware.states() == ["B"]

    script = "wait_for_real_plugin;iso_wait_pwm_is_running;sleep 5;unplug"
    on_bench(look, auto_exec=True, auto_exec_commands=script)


def test_scripts_of_the_start_run_again_and_again(on_bench: Any) -> None:
    async def look(bench: Bench) -> None:
        bench.hardware.duty(50.0)
        await asyncio.sleep(10)
        assert bench.hardware.states().count("A") >= 3

    on_bench(look, auto_exec=True, auto_exec_infinite=True, auto_exec_commands="iec_wait_pwr_ready;sleep 2;unplug")


def test_the_plug_outlives_a_new_start(on_bench: Any) -> None:
    async def plug_in(bench: Bench) -> None:
        bench.hardware.duty(50.0)
        bench.execute("iec_wait_pwr_ready;sleep 1000")
        await asyncio.sleep(1)

    async def plugged(bench: Bench) -> None:
        assert bench.hardware.states() == ["B"]
        bench.modify("unplug")
        await asyncio.sleep(1)

    async def unplugged(bench: Bench) -> None:
        assert bench.hardware.states() == []

    for what in (plug_in, plugged, unplugged):
        on_bench(what, keep_cross_boot_plugin_state=True)


def test_faults_of_the_car_are_shown_to_its_board(on_bench: Any) -> None:
    async def look(bench: Bench) -> None:
        bench.hardware.duty(50.0)
        bench.execute("iec_wait_pwr_ready;diode_fail;rcd_current 10.3;error_e;set_soc 120;sleep 1;unplug")
        await asyncio.sleep(3)
        assert ("diode_fail", True) in bench.hardware.calls and ("set_rcd_error", 10.3) in bench.hardware.calls
        assert bench.hardware.states() == ["B", "E", "A"]
        assert bench.soc == 100.0

    on_bench(look)


def test_the_match_begins_with_the_plug_and_anew_with_the_pwm(on_bench: Any) -> None:
    """A charger of AC without 5 % has no PWM before the authorization, which a contract needs the match for."""

    async def look(bench: Bench) -> None:
        def matches() -> int:
            return [call[0] for call in bench.hardware.calls].count("trigger_matching")

        bench.hardware.duty(100.0)
        bench.execute("iso_wait_slac_matched;sleep 1;unplug")
        await asyncio.sleep(1)
        assert bench.hardware.states()[-1] == "B" and matches() == 1
        bench.hardware.duty(5.0)
        await asyncio.sleep(1)
        assert matches() == 2, "the charger may not have been ready for the first one"
        bench.hardware.duty(16.0)
        await asyncio.sleep(1)
        assert matches() == 2

    on_bench(look)
