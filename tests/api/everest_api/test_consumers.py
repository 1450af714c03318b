"""API modules that show clients of MQTT what modules publish, and take their requests."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chargebyte_fw.contracts.interfaces.auth import Auth
from chargebyte_fw.contracts.interfaces.dc_external_derate import DcExternalDerate
from chargebyte_fw.contracts.interfaces.error_history import ErrorHistory
from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.interfaces.external_energy_limits import ExternalEnergyLimits
from chargebyte_fw.contracts.interfaces.ocpp import Ocpp
from chargebyte_fw.contracts.interfaces.ocpp_data_transfer import OcppDataTransfer
from chargebyte_fw.contracts.interfaces.uk_random_delay import UkRandomDelay
from chargebyte_fw.contracts.types import ocpp
from chargebyte_fw.contracts.types.authorization import WithdrawAuthorizationResult
from chargebyte_fw.contracts.types.evse_manager import SessionEvent, SessionEventEnum
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.module import Module, provides
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.modules.api.everest_api.auth_consumer_api import auth_consumer_API
from chargebyte_fw.modules.api.everest_api.dc_external_derate_consumer_api import dc_external_derate_consumer_API
from chargebyte_fw.modules.api.everest_api.error_history_consumer_api import error_history_consumer_API
from chargebyte_fw.modules.api.everest_api.evse_manager_consumer_api import evse_manager_consumer_API
from chargebyte_fw.modules.api.everest_api.external_energy_limits_consumer_api import (
    external_energy_limits_consumer_API,
)
from chargebyte_fw.modules.api.everest_api.ocpp_consumer_api import ocpp_consumer_API
from tests.api.everest_api.broker import Broker

QUIET = {"cfg_communication_check_to_s": 0, "cfg_heartbeat_interval_ms": 0}
ANSWERS: dict[str, Any] = {
    "pause_charging": True,
    "force_unlock": False,
    "enable_disable": True,
    "withdraw_authorization": WithdrawAuthorizationResult.Accepted,
    "get_errors": [],
    "get_variables": [],
    "data_transfer": ocpp.DataTransferResponse(status=ocpp.DataTransferStatus.Accepted),
}


def noted(contract: Any) -> type[Any]:
    def command(name: str) -> Any:
        async def note(self: Any, *args: Any) -> Any:
            self.module.calls.append((name, *args))
            if name == "resume_charging":
                raise CommandError("NotReady", "not now")
            return ANSWERS.get(name)

        return note

    return type(contract.__name__, (contract,), {name: command(name) for name in contract.commands})


class Station(Module):
    """What the APIs are connected to."""

    evse: Any = provides(noted(EvseManager))
    delay: Any = provides(noted(UkRandomDelay))
    auth: Any = provides(noted(Auth))
    limits: Any = provides(noted(ExternalEnergyLimits))
    derate: Any = provides(noted(DcExternalDerate))
    errors: Any = provides(noted(ErrorHistory))
    ocpp: Any = provides(noted(Ocpp))
    transfer: Any = provides(noted(OcppDataTransfer))

    async def init(self) -> None:
        self.calls: list[tuple[Any, ...]] = []


@pytest.fixture
def broker(runtime: Runtime) -> Broker:
    runtime.mqtt = found = Broker()
    return found


@pytest.fixture
def on(run: Any, assemble: Any) -> Any:
    def begin(module: Any, ends: dict[str, str], what: Any, **config: Any) -> None:
        async def main() -> None:
            ends_at = {name: f"station.{end}" for name, end in ends.items()}
            assembly = assemble(station=(Station,), api=(module, {**QUIET, **config}, ends_at))
            await assembly.start()
            await what(assembly.modules["station"])
            assert not assembly.modules["api"].failed.done()
            await assembly.stop()

        run(main())

    return begin


def event(kind: SessionEventEnum, at: str) -> SessionEvent:
    return SessionEvent(uuid="1", timestamp=at, event=kind)


async def asked(broker: Broker, topic: str, payload: Any = None) -> Any:
    """Send a request; returns its reply, None without one."""
    broker.published.clear()
    broker.client(topic, {"headers": {"replyTo": "reply"}, "payload": payload})
    await asyncio.sleep(0.1)
    return broker.last("reply") if "reply" in broker.topics() else None


def test_an_evse_is_followed_and_operated(on: Any, broker: Broker) -> None:
    prefix = "everest_api/1/evse_manager_consumer/api/"

    async def look(station: Any) -> None:
        station.evse.evse_id.publish("DE*PNX*E12345*1")
        station.evse.session_event.publish(event(SessionEventEnum.SessionStarted, "2026-01-01T00:00:00Z"))
        await asyncio.sleep(12)
        assert broker.last(prefix + "e2m/evse_id") == "DE*PNX*E12345*1"
        assert broker.last(prefix + "e2m/session_event")["event"] == "SessionStarted"
        info = broker.last(prefix + "e2m/session_info")
        assert info["state"] == "Preparing" and info["session_duration_s"] in (11, 12)
        assert info["session_start_time"] == "2026-01-01T00:00:00Z" and "transaction_start_time" not in info
        assert await asked(broker, prefix + "m2e/evse_id/get") == "DE*PNX*E12345*1"
        assert await asked(broker, prefix + "m2e/ev_info/get") is None
        assert await asked(broker, prefix + "m2e/pause_charging") is True
        assert await asked(broker, prefix + "m2e/force_unlock", 1) is False
        source = {"enable_source": "MobileApp", "enable_state": "Enable", "enable_priority": 42}
        assert await asked(broker, prefix + "m2e/enable_disable", {"connector_id": 1, "source": source}) is True
        assert await asked(broker, prefix + "m2e/resume_charging") is None, "it failed"
        assert await asked(broker, prefix + "m2e/force_unlock", "one") is None
        broker.client(prefix + "m2e/random_delay_set_duration_s", 60)
        for payload in ("", "null", "on"):
            broker.client(prefix + "m2e/random_delay_enable", payload)
        await asyncio.sleep(0.1)
        assert station.calls[-4:] == [("set_duration_s", 60), *[("enable",)] * 3]
        assert ("force_unlock", 1) in station.calls

    on(evse_manager_consumer_API, {"evse_manager": "evse", "random_delay": "delay"}, look)


def test_nothing_is_kept_for_those_that_ask_where_that_is_off(on: Any, broker: Broker) -> None:
    async def look(station: Any) -> None:
        station.evse.evse_id.publish("X")
        await asyncio.sleep(1)
        assert await asked(broker, "everest_api/1/evse_manager_consumer/api/m2e/evse_id/get") is None

    on(evse_manager_consumer_API, {"evse_manager": "evse"}, look, latch_variable_values=False)


def test_limits_of_energy_and_of_the_dc_output(on: Any, broker: Broker) -> None:
    async def limits(station: Any) -> None:
        schedule = [{"timestamp": "2026-01-01T00:00:00Z", "limits_to_root": {}, "limits_to_leaves": {}}]
        value = {"schedule_import": schedule, "schedule_export": [], "schedule_setpoints": []}
        broker.client("everest_api/1/external_energy_limits_consumer/api/m2e/set_external_limits", value)
        await asyncio.sleep(0.1)
        ((name, taken),) = station.calls
        assert name == "set_external_limits" and len(taken.schedule_import) == 1

    async def derating(station: Any) -> None:
        prefix = "everest_api/1/dc_external_derate_consumer/api/"
        station.derate.plug_temperature_C.publish(42.5)
        broker.client(prefix + "m2e/set_external_derating", {"max_export_current_A": 20})
        await asyncio.sleep(0.1)
        assert station.calls[0][1].max_export_current_A == 20.0
        assert broker.last(prefix + "e2m/plug_temperature_C") == 42.5

    on(external_energy_limits_consumer_API, {"energy_node": "limits"}, limits)
    on(dc_external_derate_consumer_API, {"derate": "derate"}, derating)


def test_tokens_and_faults(on: Any, broker: Broker) -> None:
    async def tokens(station: Any) -> None:
        topic = "everest_api/1/auth_consumer/api/m2e/withdraw_authorization"
        assert await asked(broker, topic, {"evse_id": 1}) == "Accepted"
        assert station.calls[0][1].evse_id == 1

    async def faults(station: Any) -> None:
        prefix = "everest_api/1/error_history_consumer/api/"
        assert await asked(broker, prefix + "m2e/active_errors") == {"errors": []}
        assert station.calls[0][1].state_filter == "Active"
        assert await asked(broker, prefix + "m2e/get_errors", {"type_filter": "x/Y"}) == {"errors": []}
        station.evse.faults.raise_fault("evse_manager/Inoperative", "broken")
        assert broker.last(prefix + "e2m/error_raised")["type"] == "evse_manager/Inoperative"
        station.evse.faults.clear("evse_manager/Inoperative")
        assert broker.last(prefix + "e2m/error_cleared")["state"] == "ClearedByModule"

    on(auth_consumer_API, {"auth": "auth"}, tokens)
    on(error_history_consumer_API, {"error_history": "errors"}, faults)


def test_taking_part_in_ocpp(on: Any, broker: Broker) -> None:
    prefix = "everest_api/1/ocpp_consumer/api/"

    async def look(station: Any) -> None:
        sent = {"vendor_id": "pionix.com", "data": "x"}
        assert (await asked(broker, prefix + "m2e/data_transfer_outgoing", sent))["status"] == "Accepted"
        wanted = {"component_variable": {"component": {"name": "C"}, "variable": {"name": "V"}}}
        assert await asked(broker, prefix + "m2e/get_variables", {"items": [wanted]}) == {"items": []}
        broker.client(prefix + "m2e/monitor_variables", {"items": [wanted["component_variable"]]})
        broker.client(prefix + "m2e/security_event", {"type": "Tamper"})
        await asyncio.sleep(0.1)
        assert [call[0] for call in station.calls][-2:] == ["monitor_variables", "security_event_"]
        station.ocpp.connection_status.publish(ocpp.ConnectionStatus(connected=True))
        await asyncio.sleep(0.1)
        assert broker.last(prefix + "e2m/is_connected") is True
        assert broker.last(prefix + "e2m/connection_status")["connected"] is True

    on(ocpp_consumer_API, {"ocpp": "ocpp", "data_transfer": "transfer"}, look)


@pytest.mark.parametrize(("number", "truth"), [(1.0, True), (0.0, False), (None, None)])
def test_a_schedule_has_the_truth_value_of_ocpp(on: Any, broker: Broker, number: Any, truth: Any) -> None:
    """OCPP 2.1, ChargingSchedulePeriodType: preconditioningRequest is a boolean, EVerest's interface has a number."""

    async def look(station: Any) -> None:
        period = ocpp.ChargingSchedulePeriod(start_period=0, limit=16.0, preconditioning_request=number)
        one = ocpp.ChargingSchedule(evse=1, charging_rate_unit="A", charging_schedule_period=[period])
        station.ocpp.charging_schedules.publish(ocpp.ChargingSchedules(schedules=[one]))
        await asyncio.sleep(0.1)
        prefix = "everest_api/1/ocpp_consumer/api/"
        for found in (
            broker.last(prefix + "e2m/charging_schedules"),
            await asked(broker, prefix + "m2e/charging_schedules/get"),
        ):
            (shown,) = found["schedules"][0]["charging_schedule_period"]
            assert shown.get("preconditioning_request") is truth and shown["limit"] == 16.0

    on(ocpp_consumer_API, {"ocpp": "ocpp", "data_transfer": "transfer"}, look)
