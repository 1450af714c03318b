"""DIN SPEC 70121 speaks for itself: nothing of ISO 15118-2 shows in its answers."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types.iso15118 import EvseError
from chargebyte_fw.modules.v2g.messages import din
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from tests.v2g.pair import ac_facts, dc_facts
from tests.v2g.talk import Talk, demand, ev_status, parameters, power, precharge, stop, talk

WELDING = din.WeldingDetectionReq(DC_EVStatus=ev_status(din))
CABLE_CHECK = din.CableCheckReq(DC_EVStatus=ev_status(din))

STATUSES: dict[str, tuple[State, Any]] = {
    "ChargeParameterDiscoveryRes": (State.CHARGE_PARAMETERS, parameters(din)),
    "CableCheckRes": (State.CABLE_CHECK, CABLE_CHECK),
    "PreChargeRes": (State.PRECHARGE, precharge(din)),
    "PowerDeliveryRes": (State.CHARGING, power(din, "Stop")),
    "CurrentDemandRes": (State.CHARGING, demand(din)),
    "WeldingDetectionRes": (State.STOPPED, WELDING),
}
"""Every response of DIN with a status of the EVSE: where it comes, and to which request."""


def status_of(response: Any) -> Any:
    """Return the DC_EVSEStatus of a response, wherever its message has it."""
    holder = getattr(response, "EVSEChargeParameter", response)
    return getattr(holder, "DC_EVSEStatus", None) or response.EVSEStatus


@pytest.mark.parametrize("name", STATUSES)
@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"stop_requested": True}, "EVSE_Shutdown"),
        ({"no_energy_pause": "PauseAfterPrecharge"}, "EVSE_Shutdown"),
        ({"no_energy_pause": "PauseBeforeCableCheck"}, "EVSE_Shutdown"),
        ({"error": EvseError.Error_Malfunction, "stop_requested": True}, "EVSE_Malfunction"),
        ({"error": EvseError.Error_Malfunction, "no_energy_pause": "PauseAfterPrecharge"}, "EVSE_Malfunction"),
        ({"error": EvseError.Error_UtilityInterruptEvent}, "EVSE_UtilityInterruptEvent"),
    ],
    ids=lambda value: "+".join(map(str, value.values())) if isinstance(value, dict) else value,
)
def test_a_charger_that_will_not_charge_reports_it_as_status_code_alone(
    name: str, facts: dict[str, Any], code: str
) -> None:
    state, request = STATUSES[name]
    it = talk("din", state)
    it.change(**facts)
    response = it.ask(request)
    assert (type(response).__name__, response.ResponseCode) == (name, "OK")
    status = status_of(response)
    assert (status.EVSEStatusCode, status.EVSENotification, status.NotificationMaxDelay) == (code, "None", 0)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("ChargeParameterDiscoveryRes", "EVSE_Ready"),
        ("CableCheckRes", "EVSE_IsolationMonitoringActive"),
        ("PreChargeRes", "EVSE_Ready"),
        ("PowerDeliveryRes", "EVSE_Shutdown"),
        ("CurrentDemandRes", "EVSE_Ready"),
        ("WeldingDetectionRes", "EVSE_Shutdown"),
    ],
)
@pytest.mark.parametrize("pause", ["", "AllowEvToIgnorePause"])
def test_the_status_codes_of_a_session_in_good_order(name: str, code: str, pause: str) -> None:
    state, request = STATUSES[name]
    it = talk("din", state)
    it.change(no_energy_pause=pause)
    status = status_of(it.ask(request))
    assert (status.EVSEStatusCode, status.EVSENotification, status.NotificationMaxDelay) == (code, "None", 0)
    assert status.EVSEIsolationStatus in ("Invalid", "Valid")


def test_without_energy_a_session_ends_after_the_charge_parameters() -> None:
    it = talk("din", State.CHARGE_PARAMETERS)
    it.change(no_energy_pause="PauseBeforeCableCheck")
    assert it.ask(parameters(din)).ResponseCode == "OK"
    assert it.ask(stop(din)).ResponseCode == "OK"
    again = talk("din", State.CHARGE_PARAMETERS)
    again.change(no_energy_pause="PauseBeforeCableCheck")
    again.ask(parameters(din))
    assert again.ask(CABLE_CHECK).ResponseCode == "FAILED_SequenceError"


@pytest.mark.parametrize("error", ["", EvseError.Error_EmergencyShutdown])
def test_a_refusal_notifies_of_nothing_either(error: str) -> None:
    for state, request in STATUSES.values():
        it = talk("din", state)
        it.change(error=error, stop_requested=True)
        it.wait(10.5)
        status = status_of(it.ask(request))
        assert (status.EVSENotification, status.NotificationMaxDelay) == ("None", 0)
        assert status.EVSEStatusCode == ("EVSE_EmergencyShutdown" if error else "EVSE_Shutdown")


def test_responses_of_ac_are_refused_without_a_notification() -> None:
    it = talk("din", State.CHARGING)
    it.change(stop_requested=True)
    response = it.ask(din.ChargingStatusReq())
    assert response.ResponseCode == "FAILED_SequenceError"
    status = response.AC_EVSEStatus
    assert (status.EVSENotification, status.NotificationMaxDelay) == ("None", 0)


# -- the handshake


@pytest.mark.parametrize("modes", [["AC_three_phase_core"], ["AC_single_phase_core", "AC_three_phase_core", "AC_BPT"]])
def test_an_ac_charger_never_picks_din(modes: list[str]) -> None:
    both = Talk(din, ac_facts(energy_transfer_modes=modes), shake=False)
    response = both.handshake("DIN70121", "ISO15118D2")
    assert (response.ResponseCode, response.SchemaID) == ("OK_SuccessfulNegotiation", 2)
    assert both.machine.protocol.app.name == "ISO15118D2"
    alone = Talk(din, ac_facts(energy_transfer_modes=modes), shake=False)
    assert alone.handshake("DIN70121").ResponseCode == "Failed_NoNegotiation"
    assert alone.closing


def test_a_dc_charger_picks_what_the_car_prefers() -> None:
    it = Talk(din, dc_facts(energy_transfer_modes=["AC_three_phase_core", "DC_extended"]), shake=False)
    assert it.handshake("DIN70121", "ISO15118D2").SchemaID == 1
    assert it.machine.protocol.app.name == "DIN70121"


# -- the EVSE id


@pytest.mark.parametrize(
    ("evse_id", "evse_id_din", "octets"),
    [
        ("DE*CHB*E123456*1", "49A80737A45678", bytes.fromhex("49A80737A45678")),
        ("DE*CHB*E123456*1", "", b"DE*CHB*E123456*1"),
        ("DE1234AB5678", "", b"DE1234AB5678"),
        ("DE1234AB5678", "+49*123*456", b"+49*123*456"),
    ],
)
def test_only_the_din_form_of_an_evse_id_is_a_number(evse_id: str, evse_id_din: str, octets: bytes) -> None:
    it = Talk(din, dc_facts(evse_id=evse_id, evse_id_din=evse_id_din))
    assert octets == it.ask(din.SessionSetupReq(EVCCID=bytes(6))).EVSEID


@pytest.mark.parametrize(
    ("modes", "offered"),
    [
        (["DC_core"], "DC_core"),
        (["AC_three_phase_core", "DC_core"], "DC_core"),
        (["DC_BPT", "DC_core"], "DC_core"),
        (["DC_core", "DC_extended"], "DC_extended"),
        (["DC_BPT", "DC_extended"], "DC_extended"),
        (["DC_BPT"], "DC_extended"),
    ],
)
def test_the_offered_type_does_not_depend_on_which_mode_comes_first(modes: list[str], offered: str) -> None:
    it = talk("din", State.SERVICE_DISCOVERY, energy_transfer_modes=modes)
    assert it.ask(din.ServiceDiscoveryReq()).ChargeService.EnergyTransferType == offered


def test_a_type_that_is_not_offered_but_can_be_served_is_taken() -> None:
    it = talk("din", State.CHARGE_PARAMETERS, energy_transfer_modes=["DC_core", "DC_extended"])
    assert it.ask(parameters(din, "DC_core")).ResponseCode == "OK"
    it = talk("din", State.CHARGE_PARAMETERS, energy_transfer_modes=["DC_extended"])
    assert it.ask(parameters(din, "DC_core")).ResponseCode == "FAILED_WrongEnergyTransferType"


def test_a_start_with_another_schedule_is_refused() -> None:
    it = talk("din", State.PRECHARGE)
    entry = din.ProfileEntryType(ChargingProfileEntryStart=0, ChargingProfileEntryMaxPower=1_000)
    for tuple_id, code in ((2, "FAILED_TariffSelectionInvalid"), (1, "OK")):
        profile = din.ChargingProfileType(SAScheduleTupleID=tuple_id, ProfileEntry=[entry])
        assert it.ask(din.PowerDeliveryReq(ReadyToChargeState=True, ChargingProfile=profile)).ResponseCode == code
    assert it.machine.session.state is State.CHARGING_FIRST
