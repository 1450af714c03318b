"""API modules behind which a client of MQTT does the work: orders, requests and replies, values, faults."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from chargebyte_fw.contracts.types.evse_board_support import PowerOnOff, PowerOnOffReason
from chargebyte_fw.contracts.types.iso15118 import EnergyTransferMode
from chargebyte_fw.contracts.types.power_supply_DC import ChargingPhase, Mode
from chargebyte_fw.contracts.types.system import ResetType
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager.discovery import discover
from chargebyte_fw.modules.api.everest_api.auth_token_validator_api import auth_token_validator_API
from chargebyte_fw.modules.api.everest_api.bridge import LOST, NEVER_CHECKED, WAITING_LIMIT
from chargebyte_fw.modules.api.everest_api.evse_board_support_api import evse_board_support_API
from chargebyte_fw.modules.api.everest_api.isolation_monitor_api import isolation_monitor_API
from chargebyte_fw.modules.api.everest_api.over_voltage_monitor_api import over_voltage_monitor_API
from chargebyte_fw.modules.api.everest_api.power_supply_dc_api import power_supply_DC_API
from chargebyte_fw.modules.api.everest_api.powermeter_api import powermeter_API
from chargebyte_fw.modules.api.everest_api.slac_api import slac_API
from chargebyte_fw.modules.api.everest_api.system_api import system_API
from tests.api.everest_api.broker import Broker

QUIET = {"cfg_communication_check_to_s": 0, "cfg_heartbeat_interval_ms": 0}
BSP = "everest_api/1/evse_board_support/board/"


@pytest.fixture
def broker(runtime: Runtime) -> Broker:
    runtime.mqtt = found = Broker()
    return found


@pytest.fixture
def on(run: Any, assemble: Any) -> Any:
    def begin(module: Any, config: dict[str, Any], what: Any, name: str = "board") -> None:
        async def main() -> None:
            assembly = assemble(**{name: (module, config)})
            await assembly.start()
            await what(assembly)
            assert not assembly.modules[name].failed.done()
            await assembly.stop()

        run(main())

    return begin


def test_orders_to_a_board(on: Any, broker: Broker) -> None:
    async def look(assembly: Any) -> None:
        board, lock = assembly.provider("board", "main"), assembly.provider("board", "connector_lock")
        await board.enable(True)
        await board.pwm_on(26.5)
        await board.cp_state_X1()
        await board.allow_power_on(PowerOnOff(allow_power_on=True, reason=PowerOnOffReason.FullPowerCharging))
        await board.ac_switch_three_phases_while_charging(False)
        await board.ac_set_overcurrent_limit_A(16.5)
        await lock.lock()
        assert broker.last(BSP + "e2m/enable") is True and broker.last(BSP + "e2m/pwm_on") == 26.5
        assert broker.last(BSP + "e2m/cp_state_X1") == "" and broker.last(BSP + "e2m/lock") == ""
        assert broker.last(BSP + "e2m/allow_power_on") == {"allow_power_on": True, "reason": "FullPowerCharging"}
        assert broker.last(BSP + "e2m/ac_switch_three_phases_while_charging") == "SinglePhase"
        assert broker.last(BSP + "e2m/ac_overcurrent_limit") == 16.5

    on(evse_board_support_API, QUIET, look)


def test_arguments_by_name_as_a_program_gives_them(on: Any, broker: Broker) -> None:
    async def look(assembly: Any) -> None:
        board, rcd = assembly.provider("board", "main"), assembly.provider("board", "rcd")
        await board.pwm_on(value=26.5)
        await board.ac_switch_three_phases_while_charging(value=True)
        await rcd.self_test()
        assert broker.last(BSP + "e2m/pwm_on") == 26.5 and broker.last(BSP + "e2m/self_test") == ""
        assert broker.last(BSP + "e2m/ac_switch_three_phases_while_charging") == "ThreePhases"
        with pytest.raises(TypeError):
            await board.pwm_on(duty=26.5)

    on(evse_board_support_API, QUIET, look)


def test_a_program_calls_a_computer_by_name(on: Any, broker: Broker) -> None:
    async def look(assembly: Any) -> None:
        computer = assembly.provider("board", "main")
        await computer.reset(scheduled=True, type=ResetType.Soft)
        assert broker.last("everest_api/1/system/board/e2m/reset") == {"type": "Soft", "scheduled": True}
        answered = asyncio.create_task(computer.set_system_time(timestamp="2024-01-01T00:00:00Z"))
        await asyncio.sleep(0.1)
        request = broker.last("everest_api/1/system/board/e2m/set_system_time")
        assert request["payload"] == "2024-01-01T00:00:00Z"
        broker.client(request["headers"]["replyTo"], True)
        assert await answered is True

    on(system_API, QUIET, look)


def test_what_a_board_reports(on: Any, broker: Broker, caplog: Any) -> None:
    async def look(assembly: Any) -> None:
        board, rcd = assembly.provider("board", "main"), assembly.provider("board", "rcd")
        broker.client(BSP + "m2e/event", {"event": "B"})
        broker.client(BSP + "m2e/ac_nr_of_phases", 3)
        broker.client(BSP + "m2e/ac_pp_ampacity", {"ampacity": "A_32"})
        broker.client(BSP + "m2e/rcd_current", 4)
        assert board.event.value.event == "B" and board.ac_nr_of_phases_available.value == 3
        assert board.ac_pp_ampacity.value.ampacity == "A_32" and rcd.rcd_current_mA.value == 4.0
        for topic, value in (("event", {"event": "Z"}), ("ac_nr_of_phases", 4), ("event", "{"), ("rcd_current", "")):
            broker.client(BSP + "m2e/" + topic, value)
        assert caplog.text.count(BSP) == 4 and board.event.value.event == "B"

    on(evse_board_support_API, QUIET, look)


FAULTS_OF_A_BOARD = (
    ("DiodeFault", "main", "evse_board_support/DiodeFault"),
    ("DC", "rcd", "ac_rcd/DC"),
    ("ConnectorLockFailedLock", "connector_lock", "connector_lock/ConnectorLockFailedLock"),
    # Names that the residual current device has as well, whose faults the board's interface declares too.
    ("MREC2GroundFailure", "main", "evse_board_support/MREC2GroundFailure"),
    ("VendorError", "main", "evse_board_support/VendorError"),
    ("VendorWarning", "main", "evse_board_support/VendorWarning"),
    ("ac_rcd/VendorError", "rcd", "ac_rcd/VendorError"),
    ("connector_lock/VendorWarning", "connector_lock", "connector_lock/VendorWarning"),
)
"""Name as a client gives it, implementation, type."""


def test_faults_of_a_board_go_where_they_are_declared(on: Any, broker: Broker, caplog: Any) -> None:
    async def look(assembly: Any) -> None:
        faults = {name: assembly.provider("board", name).faults for name in ("main", "rcd", "connector_lock")}
        for name, where, type in FAULTS_OF_A_BOARD:
            broker.client(BSP + "m2e/raise_error", {"type": name, "sub_type": "x", "message": "why"})
            found = {place: [fault.type for fault in one.active] for place, one in faults.items() if one.active}
            assert found == {where: [type]}
            broker.client(BSP + "m2e/clear_error", {"type": name, "sub_type": "x"})
            assert not any(one.active for one in faults.values())
        broker.client(BSP + "m2e/raise_error", {"type": "Nothing"})
        assert "'Nothing' is no fault of evse_board_support" in caplog.text

    on(evse_board_support_API, QUIET, look)


def test_a_request_has_a_reply_or_its_default_in_time(on: Any, broker: Broker) -> None:
    async def look(assembly: Any) -> None:
        rcd = assembly.provider("board", "rcd")
        answered = asyncio.create_task(rcd.reset())
        await asyncio.sleep(1)
        request = broker.last(BSP + "e2m/reset")
        assert request.keys() == {"headers"}, "a command without an argument has no payload"
        assert request["headers"]["replyTo"].startswith(BSP + "m2e/reply/")
        broker.client(request["headers"]["replyTo"], "maybe")
        broker.client(request["headers"]["replyTo"], True)
        assert await answered is True
        late = asyncio.create_task(rcd.reset())
        begun = asyncio.get_running_loop().time()
        assert await late is False
        assert asyncio.get_running_loop().time() - begun == pytest.approx(7.0)
        broker.client(broker.last(BSP + "e2m/reset")["headers"]["replyTo"], True)

    on(evse_board_support_API, {**QUIET, "cfg_request_reply_to_s": 7}, look)


def test_requests_are_bounded(on: Any, broker: Broker) -> None:
    async def look(assembly: Any) -> None:
        module = assembly.modules["board"]
        waiting = [asyncio.create_task(module.ask("reset", None, bool, False)) for _ in range(WAITING_LIMIT)]
        await asyncio.sleep(0)
        assert await module.ask("reset", None, bool, False) is False
        assert await asyncio.gather(*waiting) == [False] * WAITING_LIMIT

    on(evse_board_support_API, QUIET, look)


def test_a_client_that_does_not_report_itself_is_a_fault(on: Any, broker: Broker) -> None:
    async def look(assembly: Any) -> None:
        faults = assembly.provider("board", "main").faults
        type = "evse_board_support/CommunicationFault"
        assert faults.is_active(type, NEVER_CHECKED)
        for _ in range(10):
            broker.client(BSP + "m2e/communication_check", True)
            await asyncio.sleep(2.9)
            assert not faults.active
        await asyncio.sleep(0.2)
        assert faults.is_active(type, LOST)
        broker.client(BSP + "m2e/communication_check", True)
        assert not faults.active
        broker.client(BSP + "m2e/communication_check", False)
        await asyncio.sleep(60)
        assert not faults.active, "false ends the supervision"
        beats = [json.loads(payload) for topic, payload in broker.published if topic == BSP + "e2m/heartbeat"]
        assert beats[:3] == [0, 1, 2] and len(beats) == pytest.approx(asyncio.get_running_loop().time() / 0.5, abs=30)

    on(evse_board_support_API, {"cfg_communication_check_to_s": 3, "cfg_heartbeat_interval_ms": 500}, look)


def test_a_power_supply_and_its_monitors(run: Any, assemble: Any, broker: Broker) -> None:
    async def main() -> None:
        assembly = assemble(
            ps=(power_supply_DC_API, QUIET), imd=(isolation_monitor_API, QUIET), ovm=(over_voltage_monitor_API, QUIET)
        )
        await assembly.start()
        supply: Any = assembly.provider("ps", "main")
        await supply.setMode(Mode.Off, ChargingPhase.Other)
        await supply.setExportVoltageCurrent(400.0, 20.0)
        prefix = "everest_api/1/power_supply_DC/ps/e2m/"
        assert broker.last(prefix + "mode") == {"mode": "Off", "charging_phase": "Other"}
        assert broker.last(prefix + "export_voltage_current") == {"voltage_V": 400.0, "current_A": 20.0}
        monitor: Any = assembly.provider("imd", "main")
        await monitor.start()
        await monitor.start_self_test(500.0)
        assert broker.last("everest_api/1/isolation_monitor/imd/e2m/start") == {}
        assert broker.last("everest_api/1/isolation_monitor/imd/e2m/start_self_test") == 500.0
        broker.client("everest_api/1/isolation_monitor/imd/m2e/self_test_result", True)
        assert monitor.self_test_result.value is True
        ovm: Any = assembly.provider("ovm", "main")
        await ovm.set_limits(1000.0, 550.0)
        prefix = "everest_api/1/over_voltage_monitor/ovm/"
        assert broker.last(prefix + "e2m/set_limits") == {"emergency_limit_V": 1000.0, "error_limit_V": 550.0}
        broker.client(prefix + "m2e/raise_error", {"type": "MREC5OverVoltage", "severity": "Medium"})
        assert [fault.severity for fault in ovm.faults.active] == ["Medium"]
        await assembly.stop()

    run(main())


def test_defaults_of_a_meter_and_of_a_computer(run: Any, assemble: Any, broker: Broker) -> None:
    async def main() -> None:
        config = {**QUIET, "cfg_request_reply_to_s": 1}
        assembly = assemble(meter=(powermeter_API, config), computer=(system_API, config))
        await assembly.start()
        meter: Any = assembly.provider("meter", "main")
        computer: Any = assembly.provider("computer", "main")
        stopped = asyncio.create_task(meter.stop_transaction("T1"))
        await asyncio.sleep(0.5)
        assert broker.last("everest_api/1/powermeter/meter/e2m/stop_transaction")["payload"] == "T1"
        assert (await stopped).status == "UNEXPECTED_ERROR"
        assert await computer.get_boot_reason() == "Unknown" and await computer.set_system_time("x") is False
        assert (await computer.configure_network(None)).status == "NotSupported"
        await assembly.stop()

    run(main())


def test_a_request_for_the_error_routine_has_no_payload(on: Any, broker: Broker) -> None:
    async def look(assembly: Any) -> None:
        asked: list[Any] = []
        assembly.provider("modem", "main").request_error_routine.subscribe(asked.append)
        for payload in ("", "null", "now"):
            broker.client("everest_api/1/slac/modem/m2e/request_error_routine", payload)
        await asyncio.sleep(0.1)
        assert asked == [None] * 3

    on(slac_API, QUIET, look, name="modem")


def test_a_client_may_use_the_older_name_of_a_mode(on: Any, broker: Broker) -> None:
    async def look(assembly: Any) -> None:
        validator = assembly.provider("station", "main")
        result = {"authorization_status": "Accepted", "tariff_messages": []}
        result["allowed_energy_transfer_modes"] = ["AC_DER", "AC_DER_SAE"]
        update = {"connector_id": 1, "validation_result": result}
        broker.client("everest_api/1/auth_token_validator/station/m2e/validate_result_update", update)
        modes = validator.validate_result_update.value.validation_result.allowed_energy_transfer_modes
        assert modes == [EnergyTransferMode.AC_DER_IEC, EnergyTransferMode.AC_DER_SAE]

    on(auth_token_validator_API, QUIET, look, name="station")


def test_modules_are_found_and_report_once_that_they_are_there(run: Any, assemble: Any, broker: Broker) -> None:
    async def main() -> None:
        assembly = assemble(b=(powermeter_API, {}), a=(powermeter_API, QUIET), imd=(isolation_monitor_API, QUIET))
        await assembly.start()
        assert broker.topics().count("everest_api/ready_beacon") == 1
        broker.client("everest_api/discover", {"headers": {"replyTo": "me"}})
        found = [json.loads(payload)["apis"][0] for topic, payload in broker.published if topic == "me"]
        types = {"a": "powermeter", "b": "powermeter", "imd": "isolation_monitor"}
        assert {one["module_id"]: one["type"] for one in found} == types
        assert len(found) == 3 and all(one["version"] == 1 for one in found)
        assert {"heartbeat_period_ms": 1000, "communication_check_period_s": 5, "request_reply_timeout_s": 550} in [
            one["communication_monitoring"] for one in found
        ]
        broker.client("everest_api/query-modules/isolation_monitor", {"headers": {"replyTo": "you"}})
        (alone,) = broker.last("you")["apis"]
        assert alone["module_id"] == "imd" and "request_reply_timeout_s" not in alone["communication_monitoring"]
        broker.published.clear()
        for reply_to in ("", "a/+/b", "a/#", "x" * 1000):
            broker.client("everest_api/query-modules/powermeter", {"headers": {"replyTo": reply_to}})
        broker.client("everest_api/query-modules/powermeter", "no")
        assert broker.published == []
        await assembly.stop()

    run(main())


def test_every_api_of_everest_but_the_entry_point_is_there() -> None:
    names = [name for name in discover([]).names() if name.endswith("_API")]
    assert len(names) == 21
    for name in names:
        found = discover([]).by_name[name][0].load()
        assert found.__name__ == name and found.__doc__
