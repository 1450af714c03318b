"""Schedules for cars with ISO 15118 and of them (K15 to K18)."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.contracts.types.cb_iso15118_schedules import EvSchedule, EvScheduleEntry, ScheduleLimit
from chargebyte_fw.modules.ocpp.smart_charging.car_schedules_v2 import CarSchedules
from chargebyte_fw.modules.ocpp.smart_charging.needs_v2 import ChargingNeeds
from chargebyte_fw.modules.ocpp.smart_charging.v2 import SmartCharging2
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.smart_charging.profiles_v2 import profile, put
from tests.ocpp.smart_charging.talk import SmartTalk, rfc

NEEDS = iso15118.ChargingNeeds(
    requested_energy_transfer=iso15118.EnergyTransferMode.AC_three_phase_core,
    ac_charging_parameters=iso15118.ACChargingParameters(
        energy_amount=11000.0, ev_min_current=6.0, ev_max_current=16.0, ev_max_voltage=400.0
    ),
)
CHOSEN = EvSchedule(
    time_base="2023-11-15T12:00:10Z",
    schedule_tuple_id=1,
    entries=[EvScheduleEntry(start_s=0, power_W=11040.04), EvScheduleEntry(start_s=600, power_W=4140.0)],
    duration_s=3600,
    power_tolerance_accepted=True,
)


class Cars(SmartTalk):
    """A station whose modules of ISO 15118 have a place for schedules."""

    def __init__(self, version: Version = Version.V21, needs: str = "Accepted", **how: Any) -> None:
        answers = {"NotifyEVChargingNeeds": {"status": needs}, "NotifyEVChargingSchedule": {"status": "Accepted"}}
        super().__init__(
            SmartCharging2, ChargingNeeds, CarSchedules, version=version, answers=answers, connect=False, **how
        )
        self.station.block(CarSchedules).connected = True
        self.connect()
        self.pass_s(1.0)
        self.commanded()

    def commanded(self) -> list[tuple[str, Any]]:
        """The commands about schedules of EVSE 1 since the last call."""
        self.pass_s(0.0)
        found = [(one.call.command, *one.call.args) for one in self.commands if one.evse_id in (1, None)]
        self.commands.clear()
        return [one for one in found if one[0] != "set_external_limits"]


@pytest.mark.ocpp("K15.FR.06", "K17")
def test_the_car_waits_for_the_profile_that_is_announced_and_gets_its_periods() -> None:
    it = Cars()
    it.begin()
    it.fact("iso15118_extensions", "charging_needs", NEEDS)
    assert it.commanded() == []
    assert put(it, 1, profile("TxProfile", (0, 16.0), (600, 6.0), schedule={"duration": 1200})) == "Accepted"
    (command, limits), answered = it.commanded()
    assert command == "set_schedule" and answered == ("needs_answered",)
    assert [(one.timestamp, one.ac_max_current_A) for one in limits] == [
        (rfc(2).replace("Z", ".000Z"), 16.0),
        (rfc(600).replace("Z", ".000Z"), 6.0),
        (rfc(1200).replace("Z", ".000Z"), None),
    ]


@pytest.mark.ocpp("K15")
@pytest.mark.parametrize("status", ["Rejected", "Processing", "NoChargingProfile"])
def test_the_car_goes_on_without_a_profile(status: str) -> None:
    it = Cars(needs=status)
    it.begin()
    it.fact("iso15118_extensions", "charging_needs", NEEDS)
    assert it.commanded() == [("needs_answered",)]


SCHEDULED, DYNAMIC = (
    iso15118.ChargingNeeds(
        requested_energy_transfer=iso15118.EnergyTransferMode.AC_three_phase_core,
        control_mode=mode,
        v2x_charging_parameters=iso15118.V2XChargingParameters(max_charge_power=11000.0),
    )
    for mode in (iso15118.ControlMode.ScheduledControl, iso15118.ControlMode.DynamicControl)
)


@pytest.mark.ocpp("K15.FR.15", "K17.FR.15", "K18.FR.15", "K19.FR.11")
@pytest.mark.parametrize(("answer", "renegotiates"), [("NoChargingProfile", False), ("Rejected", True), ("", True)])
@pytest.mark.parametrize("needs", [NEEDS, SCHEDULED, DYNAMIC])
def test_without_a_profile_of_the_csms_the_default_holds(
    needs: iso15118.ChargingNeeds, answer: str, renegotiates: bool
) -> None:
    """The CSMS has no profile for the car, or the station is offline; also after a renegotiation."""
    if answer == "Rejected" and needs is not NEEDS:
        answer = "NoChargingProfile"
    it = Cars(needs=answer or "Accepted")
    assert put(it, 1, profile("TxDefaultProfile", (0, 16.0), (600, 6.0))) == "Accepted"
    assert put(it, 0, profile("ChargingStationMaxProfile", 10.0, id=2)) == "Accepted"
    it.begin()
    assert it.current_A() == 10.0
    [(_, offered)] = [one for one in it.commanded() if one[0] == "set_schedule"][-1:]
    assert [one.ac_max_current_A for one in offered] == [10.0, 6.0]
    if not answer:
        it.disconnect()
        assert it.commanded() == [("set_back_end", False)], "no car waits"
    for _ in range(1 + renegotiates):
        it.fact("iso15118_extensions", "charging_needs", needs)
        assert it.commanded() == ([("needs_answered",)] if answer else []), "the schedule stays"
        assert [limit_A for _, limit_A in it.composite(1)] == [10.0, 6.0]


@pytest.mark.ocpp("K16.FR.01")
def test_another_profile_is_accepted_while_the_car_charges() -> None:
    it = Cars()
    it.begin()
    it.fact("iso15118_extensions", "charging_needs", NEEDS)
    for limit_A in (16.0, 8.0, 12.0):
        assert put(it, 1, profile("TxProfile", limit_A)) == "Accepted"
        assert it.commanded()[0][1][0].ac_max_current_A == limit_A, "and the car is asked to renegotiate"


def test_an_older_profile_is_not_the_one_that_is_awaited() -> None:
    it = Cars()
    it.begin()
    put(it, 1, profile("TxProfile", 16.0))
    it.commanded()
    it.fact("iso15118_extensions", "charging_needs", NEEDS)
    put(it, 1, profile("TxDefaultProfile", 10.0, id=2))
    assert [one[0] for one in it.commanded()] == []
    put(it, 1, profile("TxProfile", 16.0))
    assert [one[0] for one in it.commanded()] == ["needs_answered"], "the same powers, so no new schedule"


@pytest.mark.ocpp("K16.FR.02")
def test_a_schedule_is_sent_when_it_changes_and_not_again() -> None:
    it = Cars()
    it.begin()
    it.commanded()
    put(it, 1, profile("TxProfile", (0, 16.0), (600, 6.0)))
    assert [one[0] for one in it.commanded()] == ["set_schedule"]
    it.pass_s(700.0)
    assert it.commanded() == [], "time passes, the schedule stays"
    put(it, 1, profile("TxProfile", (0, 16.0), (600, 8.0)))
    assert it.commanded()[0][1][0].ac_max_current_A == 8.0
    it.end()
    assert it.commanded() == [("set_schedule", [])]


def test_needs_are_answered_only_while_the_csms_is_there() -> None:
    it = Cars()
    it.disconnect()
    assert it.commanded() == [("set_back_end", False)]
    it.connect()
    assert it.commanded() == [("set_back_end", True)]


def test_a_limit_of_power_for_direct_current() -> None:
    it = Cars()
    for number, state in it.block.evses.items():
        it.block.evses[number] = type(state)(phases=0)
    it.block.refresh_supply = lambda: None  # type: ignore[method-assign]
    put(it, 1, profile("TxDefaultProfile", 40_000.0, unit="W"))
    [(_, limits)] = it.commanded()
    assert limits == [ScheduleLimit(timestamp=limits[0].timestamp, total_power_W=40_000.0)]


@pytest.mark.ocpp("K15.FR.10", "K15.FR.21", "K16.FR.05", "K16.FR.14", "K17.FR.10", "K18.FR.10")
@pytest.mark.parametrize("version", [Version.V201, Version.V21])
def test_the_schedule_of_the_car_is_notified(version: Version) -> None:
    it = Cars(version)
    it.begin()
    put(it, 1, profile("TxProfile", 16.0))
    it.fact("cb_iso15118_schedules", "ev_schedule", CHOSEN)
    (payload,) = it.payloads_of("NotifyEVChargingSchedule")
    more = {"selectedChargingScheduleId": 1, "powerToleranceAcceptance": True} if version is Version.V21 else {}
    digits = 3 if version is Version.V21 else 1
    assert payload == {
        "timeBase": "2023-11-15T12:00:10.000Z",
        "evseId": 1,
        "chargingSchedule": {
            "id": 1,
            "startSchedule": "2023-11-15T12:00:10.000Z",
            "duration": 3600,
            "chargingRateUnit": "W",
            "chargingSchedulePeriod": [
                {"startPeriod": 0, "limit": round(11040.04, digits)},
                {"startPeriod": 600, "limit": 4140.0},
            ],
        },
        **more,
    }


@pytest.mark.ocpp("K19.FR.10")
def test_in_dynamic_control_the_schedule_of_the_csms_is_the_one_that_is_notified() -> None:
    it = Cars()
    it.begin()
    it.fact("iso15118_extensions", "charging_needs", DYNAMIC)
    it.fact("cb_iso15118_schedules", "ev_schedule", CHOSEN)
    assert list(it.payloads_of("NotifyEVChargingSchedule")) == [], "there is none of the CSMS"
    one = profile("TxProfile", (0, 16.0), (60, 8.0))
    assert put(it, 1, one) == "Accepted"
    it.fact("cb_iso15118_schedules", "ev_schedule", CHOSEN)
    (payload,) = it.payloads_of("NotifyEVChargingSchedule")
    [given] = one["chargingSchedule"]
    assert payload["chargingSchedule"]["chargingSchedulePeriod"] == given["chargingSchedulePeriod"]
    assert payload["selectedChargingScheduleId"] == payload["chargingSchedule"]["id"] == given["id"]


def test_a_station_whose_cars_have_no_place_for_schedules_commands_nothing() -> None:
    it = SmartTalk(
        SmartCharging2, ChargingNeeds, CarSchedules, answers={"NotifyEVChargingNeeds": {"status": "Accepted"}}
    )
    it.begin()
    put(it, 1, profile("TxProfile", 16.0))
    assert {one.call.command for one in it.commands} == {"set_external_limits"}
