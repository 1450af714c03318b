"""The interfaces `ocpp` and `ocpp_1_6_charge_point` of a station of 1.6, and what it configures in the stack."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chargebyte_fw.contracts.interfaces.ocpp import Ocpp
from chargebyte_fw.contracts.interfaces.ocpp_1_6_charge_point import Ocpp16ChargePoint
from chargebyte_fw.contracts.types import ocpp
from chargebyte_fw.modules.ocpp.station import effects as do
from chargebyte_fw.modules.ocpp.station import events
from chargebyte_fw.modules.ocpp.variables.standard import communication as comm
from chargebyte_fw.modules.ocpp.variables.standard.station import TIME_OFFSET
from tests.ocpp.station16 import Station16

URL, PASSWORD = comm.NETWORK_URL.at(slot=1), comm.NETWORK_BASIC_AUTH_PASSWORD.at(slot=1)
PROFILE = comm.NETWORK_SECURITY_PROFILE.at(slot=1)
OPERATIVE, INOPERATIVE = ocpp.OperationalStatusEnumType.Operative, ocpp.OperationalStatusEnumType.Inoperative


def served(station: Station16, command: Callable[..., Any], *args: Any) -> Any:
    station.other.clear()
    interface: Any = command
    station.feed(events.Served("x", interface.interface, command.__name__, args))
    [reply] = [one for one in station.other if isinstance(one, do.Reply)]
    return reply.result


@pytest.mark.parametrize("interface", [Ocpp, Ocpp16ChargePoint])
def test_stop_and_restart(interface: Any) -> None:
    station = Station16()
    assert served(station, interface.restart) is False
    assert served(station, interface.stop) is True
    assert [one for one in station.other if isinstance(one, do.Disconnect)] != []
    assert served(station, interface.stop) is False
    assert served(station, interface.restart) is True
    assert [one for one in station.other if isinstance(one, do.Connect)] != []


def test_the_connection_is_published_and_after_its_end_which_one_it_was() -> None:
    station = Station16()
    [status] = station.published("connection_status")
    assert (status.connected, status.csms_url, status.identity) == (True, "ws://csms", "cp001")
    station.disconnect()
    assert next(one for one in station.other if getattr(one, "variable", "") == "is_connected").value is False
    [status] = station.published("connection_status")
    assert (status.connected, status.ocpp_version) == (False, "1.6")


def change(station: Station16, *evse: int, status: ocpp.OperationalStatusEnumType = INOPERATIVE) -> tuple[str, str]:
    place = None if not evse else ocpp.EVSE(id=evse[0], connector_id=evse[1] if evse[1:] else None)
    request = ocpp.ChangeAvailabilityRequest(operational_status=status, evse=place)
    result = served(station, Ocpp.change_availability, request)
    return result.status.value, result.status_info.reason_code if result.status_info else ""


def test_availability_changes_as_by_the_csms() -> None:
    station = Station16()
    station.commanded()
    assert change(station, 2, 1) == ("Accepted", "")
    [(name, evse_id, arguments)] = station.commanded()
    # The only connector of an EVSE is the EVSE.
    assert (name, evse_id, arguments[0]) == ("enable_disable", 2, 0)
    assert change(station, 1) == ("Rejected", "InvalidInput"), "1.6 knows connectors, not EVSEs"
    assert change(station, 3, 1) == ("Rejected", "InvalidInput")
    assert change(station, status=OPERATIVE) == ("Accepted", "")
    assert [evse_id for _, evse_id, _ in station.commanded("enable_disable")] == [1, 2]


def test_keys_are_read_set_and_monitored() -> None:
    station = Station16()
    found = served(station, Ocpp16ChargePoint.get_configuration_key, ["HeartbeatInterval", "Nonsense"])
    assert [one.key for one in found.configuration_keys] == ["HeartbeatInterval"] and found.unknown_keys == ["Nonsense"]
    assert len(served(station, Ocpp16ChargePoint.get_configuration_key, []).configuration_keys) > 40
    served(station, Ocpp16ChargePoint.monitor_configuration_keys, ["heartbeatinterval"])
    assert served(station, Ocpp16ChargePoint.set_configuration_key, "HeartbeatInterval", "-1") == "Rejected"
    assert served(station, Ocpp16ChargePoint.set_configuration_key, "HeartbeatInterval", "42") == "Accepted"
    [changed] = station.published("configuration_key")
    assert (changed.key, changed.value, changed.read_only) == ("HeartbeatInterval", "42", False)
    assert served(station, Ocpp16ChargePoint.set_configuration_key, "Nonsense", "1") == "NotSupported"


def test_a_security_event_of_another_module_is_sent() -> None:
    station = Station16()
    station.requests()
    served(station, Ocpp16ChargePoint.security_event_, "TamperDetectionActivated", "lid")
    assert [one.tech_info for one in station.requests("SecurityEventNotification")] == ["lid"]


def test_the_stack_is_configured_at_the_start_and_at_each_change() -> None:
    station = Station16()
    commands = station.commanded("set_connection_timeout", "set_plug_and_charge_configuration")
    assert {name for name, _, _ in commands} == {"set_connection_timeout", "set_plug_and_charge_configuration"}
    assert station.ask("ChangeConfiguration", {"key": "ConnectionTimeOut", "value": "33"}) == {"status": "Accepted"}
    [(_, _, arguments)] = station.commanded("set_connection_timeout")
    assert arguments == (33,)
    assert station.ask("ChangeConfiguration", {"key": "ISO15118PnCEnabled", "value": "false"}) == {"status": "Accepted"}
    commands = station.commanded("set_plug_and_charge_configuration")
    assert [(evse_id, arguments[0].pnc_enabled) for _, evse_id, arguments in commands] == [(1, False), (2, False)]


def test_a_security_profile_that_was_being_tried_when_the_power_was_lost_is_not_used() -> None:
    station = Station16()
    station.variables.set(URL, "ws://csms")
    station.variables.set(PASSWORD, "12345678")
    station.variables.set(PROFILE, 1)
    assert station.ask("ChangeConfiguration", {"key": "SecurityProfile", "value": "2"}) == {"status": "Accepted"}
    assert station.variables.get(PROFILE) == 2
    again = station.restart(connects=False)
    assert again.variables.get(PROFILE) == 1
    assert again.restart(connects=False).variables.get(PROFILE) == 1


def test_the_next_offset_of_local_time_takes_over_at_its_date() -> None:
    station = Station16(TimeOffset="+01:00")
    wanted = {"TimeOffsetNextTransition": "+02:00", "NextTimeOffsetTransitionDateTime": "2023-11-15T01:00:00Z"}
    for key, value in wanted.items():
        assert station.ask("ChangeConfiguration", {"key": key, "value": value}) == {"status": "Accepted"}

    def offset() -> str:
        [one] = station.ask("GetConfiguration", {"key": ["TimeOffset"]})["configurationKey"]
        return str(one["value"])

    station.pass_s(3599)
    assert offset() == "+01:00"
    station.pass_s(2)
    assert offset() == "+02:00"
    again = station.restart()
    again.pass_s(7200)
    assert again.variables.get(TIME_OFFSET) == "+02:00"
