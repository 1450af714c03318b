"""What a car needs is notified to the CSMS (K15, K17 to K20, Q01)."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from chargebyte_fw.contracts.types import grid_support, iso15118
from chargebyte_fw.contracts.types.evse_manager import StopTransactionReason
from chargebyte_fw.contracts.types.evse_manager import UpdateAllowedEnergyTransferModesResult as Result
from chargebyte_fw.modules.ocpp.smart_charging.needs_v2 import MODES, ChargingNeeds
from chargebyte_fw.modules.ocpp.smart_charging.v2 import SmartCharging2
from chargebyte_fw.modules.ocpp.variables.standard import smart_charging as declared
from chargebyte_fw.modules.ocpp.variables.standard.iso15118 import (
    SERVICE_RENEGOTIATION_SUPPORT,
    SUPPORTED_ENERGY_TRANSFER_MODES,
)
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.smart_charging.talk import SmartTalk, rfc

BOTH = pytest.mark.parametrize("version", [Version.V201, Version.V21])
Transfer = iso15118.EnergyTransferMode


def talk(version: Version = Version.V21, status: str = "Accepted", **rest: Any) -> SmartTalk:
    return SmartTalk(
        SmartCharging2, ChargingNeeds, version=version, answers={"NotifyEVChargingNeeds": {"status": status}}, **rest
    )


def publish(it: SmartTalk, needs: iso15118.ChargingNeeds) -> dict[str, Any]:
    it.fact("iso15118_extensions", "charging_needs", needs)
    return list(it.payloads_of("NotifyEVChargingNeeds"))[-1]


DC = iso15118.ChargingNeeds(
    requested_energy_transfer=Transfer.DC_extended,
    departure_time="2023-11-15T08:00:00Z",
    dc_charging_parameters=iso15118.DCChargingParameters(
        ev_max_current=300.0, ev_max_voltage=900.0, ev_max_power=150000.0, energy_amount=40000.0, state_of_charge=20
    ),
)
BPT = iso15118.ChargingNeeds(
    requested_energy_transfer=Transfer.DC_BPT,
    available_energy_transfer=[Transfer.DC_BPT, Transfer.DC, Transfer.DC_extended],
    control_mode=iso15118.ControlMode.DynamicControl,
    mobility_needs_mode=iso15118.MobilityNeedsMode.EVCC,
    v2x_charging_parameters=iso15118.V2XChargingParameters(
        max_charge_power=11000.0, max_charge_power_l2=3000.0, max_discharge_power=10000.0, target_soc=80
    ),
)


@BOTH
@pytest.mark.ocpp("K15.FR.01", "K15.FR.06")
def test_needs_of_dc(version: Version) -> None:
    it = talk(version)
    it.begin()
    assert publish(it, DC) == {
        "evseId": 1,
        "chargingNeeds": {
            "requestedEnergyTransfer": "DC",
            "departureTime": "2023-11-15T08:00:00.000Z",
            "dcChargingParameters": {
                "evMaxCurrent": 300,
                "evMaxVoltage": 900,
                "evMaxPower": 150000,
                "energyAmount": 40000,
                "stateOfCharge": 20,
            },
        },
    }
    assert it.commands[-1].call.command == "set_external_limits"


@BOTH
def test_needs_of_ac(version: Version) -> None:
    it = talk(version)
    needs = iso15118.ChargingNeeds(
        requested_energy_transfer=Transfer.AC_three_phase_core,
        ac_charging_parameters=iso15118.ACChargingParameters(
            energy_amount=11000.0, ev_min_current=6.0, ev_max_current=16.0, ev_max_voltage=400.0
        ),
    )
    assert publish(it, needs)["chargingNeeds"] == {
        "requestedEnergyTransfer": "AC_three_phase",
        "acChargingParameters": {"energyAmount": 11000, "evMinCurrent": 6, "evMaxCurrent": 16, "evMaxVoltage": 400},
    }


@pytest.mark.ocpp("K18.FR.01", "K18.FR.06")
def test_needs_of_a_car_in_scheduled_control() -> None:
    scheduled = replace(BPT, control_mode=iso15118.ControlMode.ScheduledControl)
    payload = publish(talk(), scheduled)["chargingNeeds"]
    assert payload["controlMode"] == "ScheduledControl" and "v2xChargingParameters" in payload
    assert "dcChargingParameters" not in payload and "acChargingParameters" not in payload


@pytest.mark.ocpp("K19.FR.01", "K19.FR.06", "K17.FR.06", "Q01.FR.03")
def test_needs_of_bidirectional_transfer() -> None:
    payload = publish(talk(), BPT)["chargingNeeds"]
    assert payload == {
        "requestedEnergyTransfer": "DC_BPT",
        "availableEnergyTransfer": ["DC_BPT", "DC"],
        "controlMode": "DynamicControl",
        "mobilityNeedsMode": "EVCC",
        "v2xChargingParameters": {
            "maxChargePower": 11000.0,
            "maxChargePower_L2": 3000.0,
            "maxDischargePower": 10000.0,
            "targetSoC": 80,
        },
    }
    assert publish(talk(Version.V201), BPT)["chargingNeeds"] == {"requestedEnergyTransfer": "DC"}


def test_needs_of_a_generator_and_an_offer() -> None:
    needs = iso15118.ChargingNeeds(
        requested_energy_transfer=Transfer.AC_DER_IEC,
        der_charging_parameters=iso15118.DERChargingParameters(
            ev_supported_dercontrol=[grid_support.DirectiveType.VoltVar, grid_support.DirectiveType.ZeroCurrent],
            ev_maximum_level1dcinjection=0.5,
            ev_islanding_detection_method=[iso15118.IslandingDetection.RoCoF],
        ),
        ev_energy_offer=iso15118.EVEnergyOffer(
            ev_power_schedule=iso15118.EVPowerSchedule(
                time_anchor="2023-11-15T00:00:00Z",
                ev_power_schedule_entries=[iso15118.EVPowerScheduleEntry(duration=600, power=-5000.0)],
            )
        ),
    )
    payload = publish(talk(), needs)["chargingNeeds"]
    assert payload["derChargingParameters"] == {
        "evSupportedDERControl": ["VoltVar"],
        "evMaximumLevel1DCInjection": 0.5,
        "evIslandingDetectionMethod": ["RoCoF"],
    }
    assert payload["evEnergyOffer"] == {
        "evPowerSchedule": {
            "timeAnchor": "2023-11-15T00:00:00.000Z",
            "evPowerScheduleEntries": [{"duration": 600, "power": -5000.0}],
        }
    }


@BOTH
@pytest.mark.parametrize("mode", list(Transfer))
def test_every_mode_has_a_name_in_each_version(mode: iso15118.EnergyTransferMode, version: Version) -> None:
    it = talk(version)
    payload = publish(it, iso15118.ChargingNeeds(requested_energy_transfer=mode))
    assert payload["chargingNeeds"]["requestedEnergyTransfer"] in {one.value for one in MODES.values()}


@pytest.mark.ocpp("Q01.FR.06", "K18.FR.23", "K19.FR.16")
def test_bidirectional_transfer_that_is_rejected_ends_the_transaction() -> None:
    it = talk(status="Rejected")
    it.begin()
    publish(it, BPT)
    (stop,) = [one for one in it.commands if one.call.command == "stop_transaction"]
    assert (stop.evse_id, stop.call.args[0].reason) == (1, StopTransactionReason.ReqEnergyTransferRejected)


@pytest.mark.ocpp("K18.FR.06", "K19.FR.06")
def test_needs_of_iso_15118_20_have_no_parameters_of_iso_15118_2() -> None:
    both = replace(BPT, dc_charging_parameters=DC.dc_charging_parameters)
    needs = publish(talk(), both)["chargingNeeds"]
    assert "v2xChargingParameters" in needs and "dcChargingParameters" not in needs
    assert "dcChargingParameters" in publish(talk(Version.V201), both)["chargingNeeds"], "2.0.1 has these alone"


@pytest.mark.ocpp("Q01.FR.09", "Q02.FR.04")
def test_needs_have_the_services_of_the_evse_where_the_car_has_named_none() -> None:
    variables = {SUPPORTED_ENERGY_TRANSFER_MODES.at(1): ("DC", "DC_BPT")}
    charges = replace(BPT, requested_energy_transfer=Transfer.DC_extended, available_energy_transfer=None)
    needs = publish(talk(variables=variables), charges)["chargingNeeds"]
    assert (needs["requestedEnergyTransfer"], needs["availableEnergyTransfer"]) == ("DC", ["DC", "DC_BPT"])
    assert publish(talk(variables=variables), BPT)["chargingNeeds"]["availableEnergyTransfer"] == ["DC_BPT", "DC"]
    assert "availableEnergyTransfer" not in publish(talk(variables=variables), DC)["chargingNeeds"]
    old = publish(talk(Version.V201, variables=variables), charges)["chargingNeeds"]
    assert "availableEnergyTransfer" not in old


def bpt_of(mode: iso15118.EnergyTransferMode) -> iso15118.ChargingNeeds:
    return replace(BPT, requested_energy_transfer=mode)


@pytest.mark.ocpp("Q01.FR.05")
@pytest.mark.parametrize(
    ("mode", "offered"),
    [
        (Transfer.DC_BPT, [Transfer.DC, Transfer.DC_extended, Transfer.MCS]),
        (Transfer.MCS_BPT, [Transfer.DC, Transfer.DC_extended, Transfer.MCS]),
        (Transfer.AC_BPT, [Transfer.AC_single_phase_core, Transfer.AC_three_phase_core]),
    ],
)
def test_a_car_whose_bidirectional_transfer_is_rejected_is_offered_to_charge_only(
    mode: iso15118.EnergyTransferMode, offered: list[iso15118.EnergyTransferMode]
) -> None:
    it = talk(status="Rejected", variables={SERVICE_RENEGOTIATION_SUPPORT.at(1): True})
    it.begin()
    it.results = {"update_allowed_energy_transfer_modes": Result.Accepted}
    publish(it, bpt_of(mode))
    [order] = [one for one in it.commands if one.call.command == "update_allowed_energy_transfer_modes"]
    assert (order.evse_id, order.call.args) == (1, (offered,))
    assert "stop_transaction" not in [one.call.command for one in it.commands]


@pytest.mark.ocpp("Q01.FR.06")
@pytest.mark.parametrize(
    ("mode", "result"),
    [
        (Transfer.DC_BPT, Result.IncompatibleEnergyTransfer),
        (Transfer.DC_BPT, None),
        (Transfer.DC, Result.Accepted),
        (Transfer.AC_DER_IEC, Result.Accepted),
    ],
)
def test_a_transaction_ends_where_nothing_is_left_to_offer(mode: iso15118.EnergyTransferMode, result: Any) -> None:
    """The charger offers nothing else, or the car charges only, or its name space has no other service."""
    it = talk(status="Rejected", variables={SERVICE_RENEGOTIATION_SUPPORT.at(1): True})
    it.begin()
    it.results = {"update_allowed_energy_transfer_modes": result}
    needs = bpt_of(mode)
    if mode is Transfer.AC_DER_IEC:
        needs = replace(needs, der_charging_parameters=iso15118.DERChargingParameters())
    publish(it, needs)
    [stop] = [one for one in it.commands if one.call.command == "stop_transaction"]
    assert (stop.evse_id, stop.call.args[0].reason) == (1, StopTransactionReason.ReqEnergyTransferRejected)


@pytest.mark.parametrize(
    ("version", "status", "needs"),
    [
        (Version.V21, "Rejected", DC),
        (Version.V21, "Processing", BPT),
        (Version.V21, "NoChargingProfile", BPT),
        (Version.V21, "Accepted", BPT),
        (Version.V201, "Rejected", BPT),
    ],
)
def test_other_answers_leave_the_car_with_the_present_limits(
    version: Version, status: str, needs: iso15118.ChargingNeeds
) -> None:
    it = talk(version, status)
    it.begin()
    publish(it, needs)
    assert [one.call.command for one in it.commands if one.call.command == "stop_transaction"] == []


@pytest.mark.ocpp("K17.FR.01", "K20.FR.01")
def test_needs_of_a_renegotiation_are_notified_again() -> None:
    it = talk()
    it.begin()
    publish(it, DC)
    publish(it, BPT)
    assert len(list(it.payloads_of("NotifyEVChargingNeeds"))) == 2


@pytest.mark.ocpp("K15.FR.20", "K17.FR.17", "K18.FR.21", "K19.FR.14", "K20.FR.05")
def test_needs_that_came_offline_have_their_time() -> None:
    it = talk()
    it.disconnect()
    assert publish(it, DC)["timestamp"] == rfc(1).replace("Z", ".000Z")
    old = talk(Version.V201)
    old.disconnect()
    assert "timestamp" not in publish(old, DC)


def test_needs_are_not_notified_without_smart_charging() -> None:
    it = talk(variables={declared.SMART_ENABLED: False})
    it.fact("iso15118_extensions", "charging_needs", DC)
    it.fact("iso15118_extensions", "ev_info", DC)
    other = talk()
    other.fact("iso15118_extensions", "charging_needs", DC, evse_id=9)
    assert it.sent == [] and other.sent == []
