"""Smart charging of OCPP 2.0.1 and 2.1 as a CSMS sees it (K01 to K10)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from chargebyte_fw.modules.ocpp.messages.schema import decode_request
from chargebyte_fw.modules.ocpp.smart_charging.profile import RateUnit
from chargebyte_fw.modules.ocpp.smart_charging.publication import Settings
from chargebyte_fw.modules.ocpp.smart_charging.store import TABLE
from chargebyte_fw.modules.ocpp.smart_charging.v2 import SmartCharging2
from chargebyte_fw.modules.ocpp.variables.standard import internal, iso15118
from chargebyte_fw.modules.ocpp.variables.standard import smart_charging as declared
from chargebyte_fw.modules.ocpp.variables.standard import station as of_station
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.smart_charging.profiles_v2 import profile, put
from tests.ocpp.smart_charging.talk import SESSION, SmartTalk, rfc
from tests.ocpp.variables.talk import Refused

BOTH = pytest.mark.parametrize("version", [Version.V201, Version.V21])


def talk(version: Version = Version.V21, **rest: Any) -> SmartTalk:
    return SmartTalk(SmartCharging2, version=version, **rest)


@BOTH
@pytest.mark.ocpp(
    "K01.FR.05", "K04.FR.01", "K08.FR.02", "K08.FR.03", "K01.FR.07", "K01.FR.14", "K08.FR.01", "K04.FR.03"
)
def test_profile_is_installed_and_seen(version: Version) -> None:
    it = talk(version)
    assert put(it, 0, profile("ChargingStationMaxProfile", 32)) == "Accepted"
    assert put(it, 0, profile("TxDefaultProfile", 10, id=2)) == "Accepted"
    assert [it.composite(number) for number in (0, 1, 2)] == [[(0, 20.0)], [(0, 10.0)], [(0, 10.0)]]
    assert put(it, 0, profile("TxDefaultProfile", 8, id=2)) == "Accepted"
    assert it.composite(1) == [(0, 8.0)] and len(it.tables[TABLE]) == 2


@BOTH
@pytest.mark.ocpp("K01.FR.09", "K01.FR.33", "K02.FR.05", "K01.FR.04")
def test_profile_of_a_transaction(version: Version) -> None:
    it = talk(version)
    assert put(it, 1, profile("TxProfile", 6)) == "TxNotFound"
    it.begin()
    assert put(it, 1, profile("TxProfile", 6, transactionId="other")) == "TxNotFound"
    assert put(it, 1, profile("TxProfile", 6, transactionId=SESSION.upper())) == "Accepted"
    assert it.composite(1) == [(0, 6.0)] and it.current_A(1) == 6.0
    it.end()
    assert it.composite(1) == [(0, 48.0)] and it.current_A(1) is None and it.tables[TABLE] == {}


@BOTH
@pytest.mark.ocpp("K01.FR.26", "K01.FR.28", "K01.FR.40")
def test_rejection_has_a_reason(version: Version) -> None:
    it = talk(version)
    answer = it.ask("SetChargingProfile", {"evseId": 7, "chargingProfile": profile("TxDefaultProfile", 6)})
    assert answer == {
        "status": "Rejected",
        "statusInfo": {"reasonCode": "InvalidValue", "additionalInfo": "there is no EVSE 7"},
    }
    without = profile("TxDefaultProfile", 6)
    del without["chargingSchedule"][0]["startSchedule"]
    assert put(it, 1, without) == "InvalidSchedule"
    it.variables.set(declared.RATE_UNIT, ("W",))
    assert put(it, 1, profile("TxDefaultProfile", 6)) == "UnsupportedRateUnit"


@BOTH
@pytest.mark.ocpp("K01.FR.29")
def test_not_available(version: Version) -> None:
    it = talk(version, variables={declared.SMART_AVAILABLE: False})
    for action, payload in (
        ("SetChargingProfile", {"evseId": 1, "chargingProfile": profile("TxDefaultProfile", 6)}),
        ("GetCompositeSchedule", {"evseId": 1, "duration": 60}),
        ("ClearChargingProfile", {"chargingProfileId": 1}),
        ("GetChargingProfiles", {"requestId": 1, "chargingProfile": {"stackLevel": 0}}),
    ):
        with pytest.raises(Refused, match="NotSupported"):
            it.ask(action, payload)


@BOTH
@pytest.mark.ocpp("K08.FR.05", "K08.FR.07")
def test_composite_schedule_that_there_is_not(version: Version) -> None:
    it = talk(version, variables={declared.RATE_UNIT: ("A",)})
    unknown = it.ask("GetCompositeSchedule", {"evseId": 9, "duration": 60})
    assert (unknown["status"], unknown["statusInfo"]["reasonCode"]) == ("Rejected", "InvalidValue")
    unit = it.ask("GetCompositeSchedule", {"evseId": 1, "duration": 60, "chargingRateUnit": "W"})
    assert (unit["status"], unit["statusInfo"]["reasonCode"]) == ("Rejected", "UnsupportedRateUnit")
    assert it.ask("GetCompositeSchedule", {"evseId": 1, "duration": -1})["status"] == "Rejected"
    made = it.ask("GetCompositeSchedule", {"evseId": 1, "duration": 60})["schedule"]
    assert (made["evseId"], made["duration"], made["chargingRateUnit"]) == (1, 60, "A")
    assert made["scheduleStart"] == rfc(1).replace("Z", ".000Z")


def report(it: SmartTalk, **wanted: Any) -> list[dict[str, Any]]:
    before = len(list(it.payloads_of("ReportChargingProfiles")))
    answer = it.ask("GetChargingProfiles", {"requestId": 5, **wanted})
    found = list(it.payloads_of("ReportChargingProfiles"))[before:]
    assert (answer["status"] == "Accepted") == bool(found)
    return found


@BOTH
@pytest.mark.ocpp("K09.FR.01", "K09.FR.02", "K09.FR.04", "K09.FR.05", "K09.FR.06")
def test_profiles_are_reported(version: Version) -> None:
    """By EVSE and source; tbc is false in the last one only; a profile is reported as it came."""
    it = talk(version)
    whole = profile("TxDefaultProfile", 10, id=2, customData={"vendorId": "x.y", "k": 1}, validTo=rfc(9e8))
    whole["chargingSchedule"][0]["salesTariff"] = {
        "id": 1,
        "salesTariffEntry": [{"relativeTimeInterval": {"start": 0}, "ePriceLevel": 1}],
    }
    assert put(it, 1, whole) == "Accepted"
    assert put(it, 0, profile("ChargingStationMaxProfile", 32)) == "Accepted"
    first, second = report(it, chargingProfile={"chargingLimitSource": ["CSO"]})
    assert (first["evseId"], first["requestId"], first["tbc"]) == (0, 5, True)
    assert (second["evseId"], second.get("tbc", False), second["chargingLimitSource"]) == (1, False, "CSO")
    (reported,) = second["chargingProfile"]
    assert reported["chargingSchedule"][0]["salesTariff"] == whole["chargingSchedule"][0]["salesTariff"]
    assert (reported["id"], reported["customData"]) == (2, {"vendorId": "x.y", "k": 1})
    assert [one["evseId"] for one in report(it, evseId=0, chargingProfile={"stackLevel": 0})] == [0]
    (only,) = report(it, chargingProfile={"chargingProfileId": [2, 9]})
    assert [one["id"] for one in only["chargingProfile"]] == [2]
    assert report(it, chargingProfile={"stackLevel": 4}) == []
    assert report(it, chargingProfile={"chargingLimitSource": ["EMS"]}) == []
    assert report(it, evseId=1, chargingProfile={"chargingProfilePurpose": "ChargingStationMaxProfile"}) == []


def test_report_of_many_profiles_is_cut_into_messages() -> None:
    it = talk(variables={internal.MAX_MESSAGE_SIZE: 2000})
    for number in range(12):
        put(it, 1, profile("TxDefaultProfile", 6, (60, 7), (90, 8), id=number, level=number))
    found = report(it, chargingProfile={"chargingLimitSource": ["CSO"]})
    assert len(found) > 1 and [one.get("tbc", False) for one in found] == [True] * (len(found) - 1) + [False]
    assert sorted(one["id"] for message in found for one in message["chargingProfile"]) == list(range(12))
    assert max(it.bytes_sent[-len(found) :]) <= 2000


@BOTH
@pytest.mark.ocpp("K10.FR.01", "K10.FR.03", "K10.FR.04")
def test_profiles_are_cleared(version: Version) -> None:
    it = talk(version)

    def clear(**wanted: Any) -> str:
        status: str = it.ask("ClearChargingProfile", wanted)["status"]
        return status

    for number, level in ((1, 0), (2, 1), (3, 2)):
        put(it, 1, profile("TxDefaultProfile", 6, id=number, level=level))
    put(it, 0, profile("ChargingStationMaxProfile", 16, id=4))
    assert clear(chargingProfileId=9) == "Unknown"
    assert clear(chargingProfileCriteria={"evseId": 2}) == "Unknown"
    assert clear(chargingProfileId=1, chargingProfileCriteria={"evseId": 2}) == "Accepted"
    assert clear(chargingProfileCriteria={"evseId": 1, "stackLevel": 1}) == "Accepted"
    assert clear(chargingProfileCriteria={"chargingProfilePurpose": "ChargingStationMaxProfile"}) == "Accepted"
    assert list(it.tables[TABLE]) == ["3"]
    assert clear() == "Accepted" and clear() == "Unknown"
    assert it.composite(1) == [(0, 48.0)]


@pytest.mark.ocpp("K05.FR.03", "F01.FR.10", "F02.FR.18")
def test_profile_of_a_remote_start() -> None:
    """It gets the id of the transaction that begins."""
    it = talk()
    payload = {
        "idToken": {"idToken": "DEADBEEF", "type": "ISO14443"},
        "remoteStartId": 3,
        "evseId": 1,
        "chargingProfile": profile("TxProfile", 6, transactionId=None),
    }
    del payload["chargingProfile"]["transactionId"]
    made = decode_request(Version.V21, "RequestStartTransaction", payload).charging_profile  # type: ignore[attr-defined]
    assert it.block.refusal_of_remote_start(made, 1) is None
    it.remote_start(made)
    it.begin()
    assert it.composite(1) == [(0, 6.0)]
    (reported,) = report(it, chargingProfile={"chargingProfilePurpose": "TxProfile"})
    assert reported["chargingProfile"][0]["transactionId"] == SESSION
    it.end()
    assert it.composite(1) == [(0, 48.0)]


@pytest.mark.ocpp("K01.FR.27")
def test_profiles_hold_after_a_restart() -> None:
    it = talk()
    put(it, 0, profile("ChargingStationMaxProfile", 16))
    put(it, 0, profile("TxDefaultProfile", 10, id=2, chargingProfileKind="Relative"))
    it.begin()
    put(it, 1, profile("TxProfile", 6, id=3))
    kept = {TABLE: dict(it.tables[TABLE])}
    again = talk(saved=it.tables)
    assert again.composite(1) == [(0, 10.0)] and again.current_A(0) == 16.0
    resumed = talk(saved=kept, session=SESSION)
    assert resumed.composite(1) == [(0, 6.0)]
    assert list(it.tables[TABLE]) == ["1", "2"]
    none = talk(saved={TABLE: {"1": b"{"}})
    assert none.composite(1) == [(0, 48.0)] and none.tables[TABLE] == {}


def test_profile_that_ends_offline_is_gone() -> None:
    """Field case 67 (Q11, Q12): valid at T+59, not at T+61, back online; or gone for good."""
    it = talk()
    assert put(it, 1, profile("TxDefaultProfile", 6, maxOfflineDuration=60)) == "Accepted"
    it.disconnect()
    it.pass_s(59)
    assert it.current_A(1) == 6.0
    it.pass_s(31)
    assert it.current_A(1) is None
    it.connect()
    assert it.current_A(1) == 6.0
    ends = profile("TxDefaultProfile", 6, maxOfflineDuration=60, invalidAfterOfflineDuration=True)
    assert put(it, 1, ends) == "Accepted"
    it.disconnect()
    it.pass_s(61)
    it.connect()
    assert it.composite(1) == [(0, 48.0)]
    assert it.ask("GetChargingProfiles", {"requestId": 1, "chargingProfile": {"stackLevel": 0}}) == {
        "status": "NoProfiles"
    }


def test_phases_of_the_supply_are_known_once_the_hardware_is() -> None:
    it = talk()
    period = {"limit": 6, "numberPhases": 3}
    assert put(it, 1, profile("TxDefaultProfile", period)) == "Accepted"
    it.variables.set(of_station.EVSE_SUPPLY_PHASES.at(1), 1)
    assert put(it, 1, profile("TxDefaultProfile", period)) == "InvalidSchedule"
    it.variables.set(of_station.EVSE_SUPPLY_PHASES.at(1), 0)
    assert put(it, 1, profile("TxDefaultProfile", period)) == "NoPhaseForDC"
    assert put(it, 2, profile("TxDefaultProfile", period, id=2)) == "Accepted"


def test_local_time_of_the_station() -> None:
    """useLocalTime with the offset of ClockCtrlr (K01.FR.90)."""
    it = talk(variables={of_station.TIME_OFFSET: "+01:00"})
    one = profile("TxDefaultProfile", 6, start=rfc(3600 + 60), schedule={"useLocalTime": True})
    assert put(it, 1, one) == "Accepted"
    assert it.composite(1, 600) == [(0, 48.0), (59, 6.0)]


@pytest.mark.ocpp("K01.FR.56")
def test_updates_that_come_too_often() -> None:
    it = talk(variables={declared.UPDATE_RATE_LIMIT: 10})
    assert put(it, 1, profile("TxDefaultProfile", 6)) == "Accepted"
    assert put(it, 1, profile("TxDefaultProfile", 7)) == "RateLimitExceeded"
    it.pass_s(10)
    assert put(it, 1, profile("TxDefaultProfile", 7)) == "Accepted"


def test_setpoints_of_the_stack() -> None:
    """Current, power or a table of frequencies, with the priority of SetpointPriority."""
    it = talk(
        variables={
            iso15118.V2X_AVAILABLE.at(1): True,
            iso15118.V2X_ENABLED.at(1): True,
            iso15118.SUPPORTED_OPERATION_MODES.at(1): ("CentralSetpoint", "LocalFrequency", "Idle"),
        }
    )
    it.begin()
    central = {"operationMode": "CentralSetpoint", "setpoint": -7.5, "dischargeLimit": -16}
    assert put(it, 1, profile("TxProfile", central)) == "Accepted"
    (entry,) = it.limits(1).schedule_setpoints
    assert entry.setpoint is not None
    assert (entry.setpoint.ac_current_A, entry.setpoint.priority, entry.setpoint.source) == (-7.5, 0, "OCPP")
    assert put(it, 1, profile("TxProfile", {**central, "setpoint": 3000, "dischargeLimit": -1}, unit="W")) == "Accepted"
    it.variables.set(declared.SETPOINT_PRIORITY, "External")
    (entry,) = it.limits(1).schedule_setpoints
    assert entry.setpoint is not None and entry.setpoint.ac_current_A == pytest.approx(3000 / 690)
    assert entry.setpoint.priority == 1000
    curve = [{"frequency": 50.2, "power": 5000}, {"frequency": 49.8, "power": -5000}]
    frequency = {"operationMode": "LocalFrequency", "v2xBaseline": 100, "v2xFreqWattCurve": curve}
    assert put(it, 1, profile("TxProfile", frequency, unit="W")) == "Accepted"
    (entry,) = it.limits(1).schedule_setpoints
    assert entry.setpoint is not None and entry.setpoint.frequency_table is not None
    table = [(one.frequency_Hz, one.total_power_W) for one in entry.setpoint.frequency_table]
    assert table == [(49.8, -4900.0), (50.2, 5100.0)]
    shown = it.schedules().schedules[1].charging_schedule_period[0]
    assert (shown.operation_mode, shown.v2x_baseline) == ("LocalFrequency", 100.0)
    assert put(it, 1, profile("TxProfile", {"operationMode": "Idle"})) == "Accepted"
    assert it.current_A(1) == 0.0
    assert it.limits(1).schedule_setpoints[0].setpoint is not None


@pytest.mark.ocpp("K01.FR.94")
def test_composite_schedule_has_no_randomized_delay_but_the_limits_have() -> None:
    it = talk(variables={declared.SUPPORTS_RANDOMIZED_DELAY: True})
    it.block.settings = Settings(duration_s=3600)
    it.begin()
    steps = ((0, 6), (600, 7), (1200, 8))
    delayed = {"randomizedDelay": 500, "startSchedule": rfc()}
    assert put(it, 0, profile("TxDefaultProfile", *steps, schedule=delayed)) == "Accepted"
    assert it.composite(1) == [(0, 6.0), (599, 7.0), (1199, 8.0)], "a second after its start"
    shown = it.schedules().schedules[1].charging_schedule_period
    assert [one.start_period for one in shown] == [0, 599, 1199]
    entries = it.limits(1).schedule_import
    begins = [datetime.fromisoformat(one.timestamp) for one in entries]
    currents = [one.limits_to_root.ac_max_current_A for one in entries]
    assert [None if one is None else one.value for one in currents] == [6.0, 7.0, 8.0]
    late_s = [(at - begins[0]).total_seconds() - start_s for at, (start_s, _) in zip(begins, steps, strict=True)]
    assert max(late_s) > 5.0 and all(0.0 <= one <= 500.0 for one in late_s[1:])


def test_limits_in_watts() -> None:
    it = talk()
    it.begin()
    it.block.settings = Settings(unit=RateUnit.W, source="ocpp/limits")
    period = {"limit": 4000, "limit_L2": 3000, "limit_L3": 2300}
    assert put(it, 1, profile("TxProfile", period, unit="W", schedule={"minChargingRate": 100})) == "Accepted"
    (entry,) = it.limits(1).schedule_import
    root = entry.limits_to_root
    assert root.total_power_W is not None and root.ac_max_current_A is not None and root.ac_max_phase_count is not None
    # The energy tree has one current for all phases.
    assert (root.total_power_W.value, root.ac_max_current_A.value, root.ac_max_phase_count.value) == (6900.0, 10.0, 3)
    assert put(it, 1, profile("TxProfile", 4000, unit="W")) == "Accepted"
    root = it.limits(1).schedule_import[0].limits_to_root
    assert root.total_power_W is not None and root.total_power_W.value == 4000.0 and root.ac_max_current_A is None
