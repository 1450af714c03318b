"""Dynamic profiles and priority charging of OCPP 2.1 (K21, K22, K28)."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.modules.ocpp.smart_charging.dynamic_v2 import DynamicProfiles
from chargebyte_fw.modules.ocpp.smart_charging.priority_v2 import PriorityCharging
from chargebyte_fw.modules.ocpp.smart_charging.v2 import SmartCharging2
from chargebyte_fw.modules.ocpp.station import effects as do
from chargebyte_fw.modules.ocpp.station import events
from chargebyte_fw.modules.ocpp.variables.standard import iso15118
from chargebyte_fw.modules.ocpp.variables.standard import smart_charging as declared
from tests.ocpp.smart_charging.profiles_v2 import profile, put
from tests.ocpp.smart_charging.talk import SESSION, SmartTalk, rfc


def talk(**rest: Any) -> SmartTalk:
    variables = {
        iso15118.V2X_AVAILABLE.at(1): True,
        iso15118.V2X_ENABLED.at(1): True,
        iso15118.SUPPORTED_OPERATION_MODES.at(1): ("CentralSetpoint",),
        **rest.pop("variables", {}),
    }
    return SmartTalk(SmartCharging2, DynamicProfiles, PriorityCharging, variables=variables, **rest)


def dynamic(*limits: Any, **rest: Any) -> Any:
    return profile("TxProfile", *limits, chargingProfileKind="Dynamic", **rest)


def update(it: SmartTalk, profile_id: int = 1, **values: Any) -> str:
    answer = it.ask("UpdateDynamicSchedule", {"chargingProfileId": profile_id, "scheduleUpdate": values})
    reason: str = answer.get("statusInfo", {}).get("reasonCode", answer["status"])
    return reason


@pytest.mark.ocpp("K28.FR.06", "K28.FR.11")
def test_limit_is_pushed() -> None:
    it = talk()
    it.begin()
    assert put(it, 1, dynamic(16)) == "Accepted"
    assert it.current_A(1) == 16.0
    assert update(it, limit=10) == "Accepted"
    assert it.current_A(1) == 10.0 and it.composite(1) == [(0, 10.0)]
    assert update(it, profile_id=9, limit=10) == "InvalidProfileId"
    assert put(it, 2, profile("TxDefaultProfile", 8, id=2)) == "Accepted"
    assert update(it, profile_id=2, limit=10) == "InvalidProfileId"


@pytest.mark.ocpp("Q04")
def test_setpoint_is_pushed_and_limits_stay() -> None:
    it = talk()
    it.begin()
    one = {"operationMode": "CentralSetpoint", "setpoint": 3, "limit": 16, "dischargeLimit": -16}
    assert put(it, 1, dynamic(one)) == "Accepted"
    assert update(it, setpoint=-9) == "Accepted"
    (entry,) = it.limits(1).schedule_setpoints
    assert entry.setpoint is not None and entry.setpoint.ac_current_A == -9.0
    assert it.current_A(1) == 16.0
    assert update(it, setpoint=-20) == "InvalidSchedule"
    assert update(it, limit=-1) == "InvalidSchedule"
    (entry,) = it.limits(1).schedule_setpoints
    assert entry.setpoint is not None and entry.setpoint.ac_current_A == -9.0


def test_rapid_updates_converge_to_the_last_one() -> None:
    """Also while the commands for the stack are under way."""
    it = talk()
    it.begin()
    put(it, 1, dynamic(16))
    it.hold_commands = True
    count = len(it.commands)
    for limit in range(6, 30):
        assert update(it, limit=limit) == "Accepted"
        it.pass_s(0.01)
    held = it.commands[count:]
    it.hold_commands = False
    for one in held:
        it.feed(it.done(one))
    assert it.current_A(1) == 29.0


@pytest.mark.ocpp("K28.FR.05", "K28.FR.08", "K28.FR.09", "K28.FR.10")
def test_profile_is_asked_for() -> None:
    """dynUpdateInterval: PullDynamicScheduleUpdate, from the last update on; a refusal changes nothing."""
    it = talk(answers={"PullDynamicScheduleUpdate": {"status": "Accepted", "scheduleUpdate": {"limit": 9}}})
    it.begin()
    assert put(it, 1, dynamic(16, dynUpdateInterval=60)) == "Accepted"
    it.pass_s(59)
    assert list(it.payloads_of("PullDynamicScheduleUpdate")) == []
    it.pass_s(1)
    assert list(it.payloads_of("PullDynamicScheduleUpdate")) == [{"chargingProfileId": 1}]
    assert it.current_A(1) == 9.0
    it.pass_s(30)
    assert update(it, limit=12) == "Accepted"
    it.pass_s(59)
    assert len(list(it.payloads_of("PullDynamicScheduleUpdate"))) == 1
    it.answers = {"PullDynamicScheduleUpdate": {"status": "Rejected"}}
    it.pass_s(1)
    assert len(list(it.payloads_of("PullDynamicScheduleUpdate"))) == 2 and it.current_A(1) == 12.0
    it.answers = {"PullDynamicScheduleUpdate": {"status": "Accepted", "scheduleUpdate": {"limit": -5}}}
    it.pass_s(60)
    assert it.current_A(1) == 12.0
    it.disconnect()
    it.pass_s(60)
    assert len(list(it.payloads_of("PullDynamicScheduleUpdate"))) == 3
    it.end()
    it.connect()
    it.pass_s(600)
    assert len(list(it.payloads_of("PullDynamicScheduleUpdate"))) == 3


@pytest.mark.ocpp("K28.FR.13", "K28.FR.14", "K28.FR.15")
def test_duration_counts_from_the_last_update() -> None:
    it = talk()
    it.begin()
    assert put(it, 1, dynamic(16, schedule={"duration": 100})) == "Accepted"
    assert it.composite(1, 600) == [(0, 16.0), (100, 48.0)]
    it.pass_s(100)
    assert it.composite(1, 600) == [(0, 48.0)]
    assert update(it, limit=10) == "Accepted"
    assert it.composite(1, 600) == [(0, 10.0), (100, 48.0)]


def test_profile_that_replaces_another_has_an_interval_of_its_own() -> None:
    it = talk(answers={"PullDynamicScheduleUpdate": {"status": "Rejected"}})
    it.begin()
    assert put(it, 1, dynamic(16, dynUpdateInterval=600)) == "Accepted"
    it.pass_s(10)
    assert put(it, 1, dynamic(16, dynUpdateInterval=60)) == "Accepted"
    it.pass_s(60)
    assert len(list(it.payloads_of("PullDynamicScheduleUpdate"))) == 1
    assert put(it, 1, dynamic(16)) == "Accepted"
    it.pass_s(600)
    assert len(list(it.payloads_of("PullDynamicScheduleUpdate"))) == 1


def test_update_and_timer_survive_a_restart() -> None:
    it = talk()
    it.begin()
    station_wide = profile("ChargingStationMaxProfile", 16, id=4, chargingProfileKind="Dynamic", dynUpdateInterval=60)
    assert put(it, 0, station_wide) == "Accepted"
    assert update(it, profile_id=4, limit=11) == "Accepted"
    again = talk(saved=it.tables, answers={"PullDynamicScheduleUpdate": {"status": "Rejected"}})
    assert again.current_A(0) == 11.0
    again.pass_s(61)
    assert list(again.payloads_of("PullDynamicScheduleUpdate")) == [{"chargingProfileId": 4}]


def test_dynamic_profiles_may_be_switched_off() -> None:
    it = talk(variables={declared.SUPPORTS_DYNAMIC_PROFILES: False})
    it.begin()
    assert put(it, 1, dynamic(16)) == "UnsupportedKind"
    assert update(it, limit=6) == "InvalidProfileId"


# Priority charging.


def use(it: SmartTalk, activate: bool = True, session: str = SESSION) -> str:
    status: str = it.ask("UsePriorityCharging", {"transactionId": session, "activate": activate})["status"]
    return status


@pytest.mark.ocpp(
    "K21", "K21.FR.01", "K21.FR.02", "K21.FR.03", "K21.FR.04", "K21.FR.05", "K21.FR.06", "K21.FR.07", "K21.FR.08"
)
def test_priority_is_requested_by_the_csms() -> None:
    """K21."""
    it = talk()
    assert use(it) == "Rejected"
    it.begin()
    assert use(it) == "NoProfile"
    put(it, 1, profile("TxProfile", 6))
    put(it, 1, profile("PriorityCharging", 32, id=2))
    assert it.current_A(1) == 6.0
    assert use(it, session=SESSION.upper()) == "Accepted"
    assert it.current_A(1) == 32.0
    assert use(it) == "Accepted"
    assert use(it, activate=False) == "Accepted"
    assert it.current_A(1) == 6.0
    assert [(one["transactionId"].lower(), one["activated"]) for one in it.payloads_of("NotifyPriorityCharging")] == [
        (SESSION, True),
        (SESSION, False),
    ]


def test_priority_ends_with_its_profile_and_its_transaction() -> None:
    it = talk()
    it.begin()
    put(it, 1, profile("PriorityCharging", 32, id=2))
    assert use(it) == "Accepted"
    it.ask("ClearChargingProfile", {"chargingProfileId": 2})
    it.pass_s(0.0)
    assert [one["activated"] for one in it.payloads_of("NotifyPriorityCharging")] == [True, False]
    put(it, 1, profile("PriorityCharging", 32, id=2))
    it.pass_s(0.0)
    assert use(it) == "Accepted"
    it.end()
    it.begin(session="another")
    assert it.current_A(1) is None


@pytest.mark.ocpp("K22.FR.01")
@pytest.mark.parametrize("ended", [False, True])
def test_a_driver_is_told_that_there_is_no_profile_for_priority(ended: bool) -> None:
    it = talk()
    it.begin()
    if ended:
        put(it, 1, profile("PriorityCharging", 32, id=2, validTo=rfc(60)))
        it.pass_s(120.0)
    put(it, 2, profile("PriorityCharging", 32, id=3))
    it.feed(events.Served("r1", "secc", "use_priority_charging", (1, True)))
    assert do.Reply("r1", False) in it.other
    it.settle()
    assert list(it.payloads_of("NotifyPriorityCharging")) == []


@pytest.mark.ocpp("K22.FR.04", "K22.FR.05")
@pytest.mark.parametrize(("purpose", "limit_A"), [("TxProfile", 6.0), ("TxDefaultProfile", 8.0)])
def test_when_a_driver_ends_priority_the_profile_of_before_holds_again(purpose: str, limit_A: float) -> None:
    it = talk()
    it.begin()
    put(it, 1, profile(purpose, limit_A))
    put(it, 1, profile("PriorityCharging", 32, id=2))
    priority = it.station.block(PriorityCharging)
    assert it.current_A(1) == limit_A and priority.use_locally(1, True)
    it.settle()
    assert it.current_A(1) == 32.0 and priority.use_locally(1, False)
    it.settle()
    assert it.current_A(1) == limit_A
    assert [one["activated"] for one in it.payloads_of("NotifyPriorityCharging")] == [True, False]


@pytest.mark.ocpp("K22", "K22.FR.02", "K22.FR.03", "K22.FR.05")
def test_priority_is_requested_at_the_station() -> None:
    """K22."""
    it = talk()
    priority = it.station.block(PriorityCharging)
    assert not priority.use_locally(1, True)
    it.begin()
    assert not priority.use_locally(1, True) and not priority.use_locally(9, True)
    put(it, 1, profile("PriorityCharging", 32, id=2, validTo=rfc(600)))
    assert priority.use_locally(1, True) and priority.use_locally(1, True)
    it.settle()
    assert it.current_A(1) == 32.0
    it.feed(events.Served("r1", "secc", "use_priority_charging", (1, False)))  # `secc ocpp priority 1 off`
    assert do.Reply("r1", True) in it.other
    it.settle()
    assert list(it.payloads_of("NotifyPriorityCharging")) == [
        {"transactionId": SESSION, "activated": True},
        {"transactionId": SESSION, "activated": False},
    ]
