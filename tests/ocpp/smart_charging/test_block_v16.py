"""Smart charging of OCPP 1.6 as a CSMS sees it."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types.evse_manager import EVInfo
from chargebyte_fw.modules.ocpp.messages.schema import decode_request
from chargebyte_fw.modules.ocpp.smart_charging.publication import Settings
from chargebyte_fw.modules.ocpp.smart_charging.store import TABLE
from chargebyte_fw.modules.ocpp.smart_charging.v16 import SmartCharging16
from chargebyte_fw.modules.ocpp.station import events
from chargebyte_fw.modules.ocpp.variables.standard import smart_charging as declared
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.smart_charging.talk import SESSION, SmartTalk, rfc
from tests.ocpp.variables.talk import Refused


def talk(**rest: Any) -> SmartTalk:
    return SmartTalk(SmartCharging16, version=Version.V16, **rest)


def profile(purpose: str = "TxDefaultProfile", *limits: Any, id: int = 1, level: int = 0, **rest: Any) -> Any:
    """`(start, limit)` each; a number is a limit from the start."""
    schedule = {
        "chargingRateUnit": rest.pop("unit", "A"),
        "startSchedule": rest.pop("start", rfc()),
        "chargingSchedulePeriod": [
            {"startPeriod": one[0], "limit": one[1]} if isinstance(one, tuple) else {"startPeriod": 0, "limit": one}
            for one in limits
        ],
    }
    if rest.get("chargingProfileKind") == "Relative":
        del schedule["startSchedule"]
    return {
        "chargingProfileId": id,
        "stackLevel": level,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Absolute",
        "chargingSchedule": schedule,
        **rest,
    }


def put(it: SmartTalk, connector_id: int, made: Any) -> str:
    answer = it.ask("SetChargingProfile", {"connectorId": connector_id, "csChargingProfiles": made})
    status: str = answer["status"]
    return status


@pytest.mark.ocpp("1.6 §5.16", "1.6 §5.7")
def test_profile_is_installed_and_seen() -> None:
    it = talk()
    assert put(it, 0, profile("ChargePointMaxProfile", 32)) == "Accepted"
    assert put(it, 0, profile("TxDefaultProfile", 10, id=2)) == "Accepted"
    assert [it.composite(number) for number in (0, 1, 2)] == [[(0, 20.0)], [(0, 10.0)], [(0, 10.0)]]
    assert it.variables.get(declared.CHARGING_PROFILE_ENTRIES) == 2


@pytest.mark.ocpp("1.6 §5.7")
def test_composite_schedule_of_any_duration() -> None:
    """Field case 46, and what is no schedule."""
    it = talk()
    assert put(it, 0, profile("ChargePointMaxProfile", 20000, unit="W", start=rfc(-86400))) == "Accepted"
    for duration_s in (0, 3600):
        assert it.composite(0, duration_s, "W") == [(0, 20000.0)]
    for bad in (3, 99, -1):
        assert it.ask("GetCompositeSchedule", {"connectorId": bad, "duration": 60}) == {"status": "Rejected"}
    assert it.ask("GetCompositeSchedule", {"connectorId": 1, "duration": -1}) == {"status": "Rejected"}
    whole = it.ask("GetCompositeSchedule", {"connectorId": 1, "duration": 2**40})
    assert whole["chargingSchedule"]["duration"] == 31_536_000
    assert whole["scheduleStart"] == rfc(1.0).replace("Z", ".000Z")


@pytest.mark.ocpp("1.6 §5.16.4")
def test_profiles_of_a_transaction() -> None:
    """Field cases 36 and 53: the id may be 0, and is not known at first."""
    it = talk()
    tx = profile("TxProfile", 6)
    assert put(it, 1, tx) == "Rejected"
    it.begin()
    assert put(it, 1, tx) == "Accepted"
    assert it.composite(1) == [(0, 6.0)]
    it.known(0)
    assert put(it, 1, {**tx, "transactionId": 0}) == "Accepted"
    assert put(it, 1, {**tx, "transactionId": 8}) == "Rejected"
    assert put(it, 0, tx) == "Rejected"
    assert b'"transactionId":0' in it.tables[TABLE]["1"]
    it.end()
    assert it.composite(1) == [(0, 48.0)] and it.tables[TABLE] == {}


def remote_profile(made: Any) -> Any:
    request = decode_request(
        Version.V16, "RemoteStartTransaction", {"idTag": "DEADBEEF", "connectorId": 1, "chargingProfile": made}
    )
    return request.charging_profile  # type: ignore[attr-defined]


@pytest.mark.ocpp("1.6 §5.11")
def test_profile_of_a_remote_start_holds_for_its_transaction() -> None:
    """Field case 36."""
    it = talk()
    tx = remote_profile(profile("TxProfile", 6))
    assert it.block.refusal_of_remote_start(tx, 1) is None
    assert it.block.refusal_of_remote_start(tx, 0) is not None
    default = remote_profile(profile("TxDefaultProfile", 6))
    assert "RemoteStartTransaction" in str(it.block.refusal_of_remote_start(default, 1))
    it.remote_start(tx)
    assert it.composite(1) == [(0, 48.0)]
    it.begin(token="deadbeef")
    assert it.composite(1, 60) == [(0, 6.0)]
    it.known(7)
    assert b'"transactionId":7' in it.tables[TABLE]["1"]
    it.end()
    assert it.composite(1) == [(0, 48.0)]


def test_profile_of_a_remote_start_is_not_for_another_token() -> None:
    it = talk()
    it.remote_start(remote_profile(profile("TxProfile", 6)))
    it.begin(token="CAFE")
    assert it.composite(1) == [(0, 48.0)]


@pytest.mark.ocpp("1.6 §5.5")
def test_profiles_are_cleared() -> None:
    it = talk()

    def clear(**wanted: Any) -> str:
        status: str = it.ask("ClearChargingProfile", wanted)["status"]
        return status

    for number, level in ((1, 0), (2, 1), (3, 2)):
        put(it, 1, profile("TxDefaultProfile", 6, id=number, level=level))
    put(it, 0, profile("ChargePointMaxProfile", 16, id=4))
    assert clear(id=9) == "Unknown"
    assert clear(connectorId=2) == "Unknown"
    assert clear(id=1) == "Accepted"
    assert clear(connectorId=1, stackLevel=1) == "Accepted"
    assert clear(chargingProfilePurpose="ChargePointMaxProfile") == "Accepted"
    assert list(it.tables[TABLE]) == ["3"]
    assert clear() == "Accepted" and clear() == "Unknown"
    assert it.composite(1) == [(0, 48.0)]


def test_cleared_profile_stays_cleared_over_a_restart() -> None:
    """Field case 51."""
    it = talk()
    put(it, 1, profile("TxDefaultProfile", 20, id=101, level=3))
    put(it, 1, profile("TxDefaultProfile", 30, id=102, level=3))
    assert it.ask("ClearChargingProfile", {"id": 102}) == {"status": "Accepted"}
    again = talk(saved=it.tables)
    assert again.composite(1) == [(0, 48.0)]


def test_profiles_hold_after_a_restart() -> None:
    it = talk()
    put(it, 0, profile("ChargePointMaxProfile", 16, id=1))
    put(it, 0, profile("TxDefaultProfile", 10, id=2, chargingProfileKind="Relative"))
    it.begin()
    it.known(5)
    put(it, 1, profile("TxProfile", 6, id=3))
    again = talk(saved=it.tables)
    assert again.composite(1) == [(0, 10.0)]
    assert again.current_A(1) == 10.0 and again.current_A(0) == 16.0
    again.begin()
    again.known(5)
    assert again.composite(1) == [(0, 10.0)], "a new transaction has none of the old one's profiles"


def test_transaction_that_goes_on_after_a_restart_keeps_its_profile() -> None:
    it = talk()
    it.begin()
    it.known(5)
    put(it, 1, profile("TxProfile", 6, id=3))
    again = talk(saved=it.tables, session=SESSION)
    again.known(5)
    assert again.composite(1) == [(0, 6.0)]


def test_not_available() -> None:
    it = talk(variables={declared.SMART_ENABLED: False})
    with pytest.raises(Refused, match="NotSupported"):
        put(it, 1, profile("TxDefaultProfile", 6))
    with pytest.raises(Refused, match="NotSupported"):
        it.ask("GetCompositeSchedule", {"connectorId": 1, "duration": 60})
    with pytest.raises(Refused, match="NotSupported"):
        it.ask("ClearChargingProfile", {})


def test_limits_of_the_stack() -> None:
    """One entry for each period, with source; nothing is limited where no profile applies."""
    it = talk()
    assert it.current_A(1) is None and it.current_A(0) is None
    put(it, 1, profile("TxDefaultProfile", (0, 16), (300, 8)))
    made = it.limits(1)
    assert [one.timestamp for one in made.schedule_import] == [
        rfc(1).replace("Z", ".000Z"),
        rfc(300).replace("Z", ".000Z"),
    ]
    first, second = (one.limits_to_root.ac_max_current_A for one in made.schedule_import)
    assert first is not None and second is not None
    assert (first.value, second.value, first.source) == (16.0, 8.0, "ocpp/OCPP_set_external_limits")
    assert made.schedule_export == [] and made.schedule_setpoints == []
    assert it.current_A(2) is None
    it.ask("ClearChargingProfile", {})
    assert it.current_A(1) is None


def test_an_energy_node_that_starts_again_gets_its_limits_at_once() -> None:
    it = talk()
    put(it, 1, profile("TxDefaultProfile", 16))
    assert it.current_A(1) == 16.0
    it.commands.clear()
    it.fact("external_energy_limits", "capabilities", None)
    assert it.current_A(1) == 16.0


def test_pause_by_a_limit_of_0() -> None:
    """Field case 54: 0 A while charging, then 16 A under the same id."""
    it = talk()
    it.begin()
    put(it, 0, profile("TxDefaultProfile", 0, chargingProfileKind="Relative"))
    assert it.current_A(1) == 0.0
    put(it, 0, profile("TxDefaultProfile", 16, chargingProfileKind="Relative"))
    assert it.current_A(1) == 16.0


def test_default_limit_that_is_configured_is_enforced() -> None:
    it = talk(variables={declared.DEFAULT_LIMIT_A: 20.0})
    assert it.current_A(1) == 20.0 and it.current_A(0) == 40.0
    it.variables.set(declared.DEFAULT_LIMIT_A, 10.0)
    assert it.current_A(1) == 10.0


def test_schedules_are_published() -> None:
    it = talk()
    put(it, 1, profile("TxDefaultProfile", (0, 16), (300, 8), level=3))
    shown = it.schedules().schedules
    # Of the profile that wins; the station's schedule is a sum.
    assert [{period.stack_level for period in one.charging_schedule_period} for one in shown] == [{0}, {3}, {0}]
    assert [one.evse for one in shown] == [0, 1, 2]
    assert [(one.start_period, one.limit) for one in shown[1].charging_schedule_period] == [(0, 16.0), (299, 8.0)]
    assert (shown[1].charging_rate_unit, shown[1].duration, shown[1].start_schedule) == (
        "A",
        600,
        rfc(1).replace("Z", ".000Z"),
    )


def test_schedules_are_sent_again_each_interval_and_once_for_many_changes() -> None:
    it = talk()
    before = len(it.commands)
    for limit in range(6, 16):
        put(it, 1, profile("TxDefaultProfile", limit))
    it.pass_s(0.0)
    assert len(it.commands) - before == 3 and it.current_A(1) == 15.0
    it.pass_s(30.0)
    assert len(it.commands) - before == 6


def test_one_computation_at_a_time() -> None:
    """What changes meanwhile is computed when the commands are answered."""
    it = talk()
    it.hold_commands = True
    put(it, 1, profile("TxDefaultProfile", 6))
    it.pass_s(0.0)
    held, count = it.commands[-3:], len(it.commands)
    put(it, 1, profile("TxDefaultProfile", 16))
    it.pass_s(60.0)
    assert len(it.commands) == count
    it.hold_commands = False
    for one in held:
        it.feed(events.CommandFailed(one.command_id, "no such node"))
    assert it.current_A(1) == 16.0


def test_purposes_that_do_not_count_offline() -> None:
    it = talk(variables={declared.IGNORED_PROFILE_PURPOSES_OFFLINE: ("TxDefaultProfile",)})
    put(it, 1, profile("TxDefaultProfile", 6))
    assert it.current_A(1) == 6.0
    it.disconnect()
    assert it.current_A(1) is None
    it.connect()
    assert it.current_A(1) == 6.0


def test_clock_that_is_set() -> None:
    it = talk()
    put(it, 1, profile("TxDefaultProfile", 6, start=rfc(86400)))
    assert it.current_A(1) is None
    it.feed(events.WallClockSet(1_700_006_400.0 + 86400))
    assert it.current_A(1) == 6.0


def test_profiles_that_are_over_are_purged_daily() -> None:
    it = talk()
    put(it, 1, profile("TxDefaultProfile", 6, validTo=rfc(3600)))
    it.pass_s(3700)
    assert list(it.tables[TABLE]) == ["1"]
    it.block.settings = Settings(interval_s=0.0)
    it.pass_s(86400)
    assert it.tables[TABLE] == {}


def test_state_of_charge_is_only_of_a_transaction() -> None:
    it = talk()
    it.fact("evse_manager", "ev_info", EVInfo(soc=50.0))
    assert it.block.evses[1].soc_percent is None
    it.begin()
    it.fact("evse_manager", "ev_info", EVInfo(soc=50.0))
    it.fact("evse_manager", "ev_info", EVInfo())
    assert it.block.evses[1].soc_percent == 50.0
    it.end()
    assert it.block.evses[1].soc_percent is None


def test_no_interval() -> None:
    """PublishChargingScheduleIntervalS 0: computed at changes only."""
    it = talk()
    it.block.settings = Settings(interval_s=0.0)
    put(it, 1, profile("TxDefaultProfile", 6))
    assert it.current_A(1) == 6.0
    count = len(it.commands)
    it.pass_s(3600.0)
    assert len(it.commands) <= count + 3
