"""A session that was recorded between C++ EVerest and Josev's car: the same requests, against our charger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chargebyte_fw.modules.v2g import handshake
from chargebyte_fw.modules.v2g.capture.sniffed import of_capture
from chargebyte_fw.modules.v2g.capture.traffic import V2gFrame
from chargebyte_fw.modules.v2g.exi import codec
from chargebyte_fw.modules.v2g.messages import iso2, sap
from tests.v2g.pair import dc_facts
from tests.v2g.talk import Talk

CAPTURE = Path(__file__).parents[2] / "captures" / "v2g" / "iso2-dc-session.pcap"

VARIABLES_OF_THE_RECORDING = [
    *("ev_app_protocol", "selected_protocol", "evcc_id", "selected_payment_option", "require_auth_eim"),
    *("requested_energy_transfer_mode", "departure_time", "dc_ev_energy_capacity", "dc_ev_energy_request"),
    *("dc_full_soc", "dc_bulk_soc", "dc_ev_maximum_limits", "dc_ev_status", "charging_needs", "start_cable_check"),
    *("start_pre_charge", "dc_ev_target_voltage_current", "dc_charging_complete", "dc_bulk_charging_complete"),
    *("v2g_setup_finished", "current_demand_started", "dc_charging_complete", "dc_ev_target_voltage_current"),
    *("dc_ev_remaining_time", "current_demand_finished", "dc_open_contactor", "dlink_terminate"),
]
"""In the order in which C++ EVerest published them in the same session, what it repeats without change left out."""


def recorded() -> list[tuple[Any, Any]]:
    """The (request, response) messages of the recording, decoded."""
    with CAPTURE.open("rb") as file:
        frames = [item for item in of_capture(file, CAPTURE.name) if isinstance(item, V2gFrame)]
    messages = [codec("sap" if place < 2 else "iso2").decode(frame.payload) for place, frame in enumerate(frames)]
    return list(zip(messages[::2], messages[1::2], strict=True))


def test_the_recorded_car_gets_through_and_hears_what_it_heard_before() -> None:
    it = Talk(iso2, dc_facts(evse_id="DE*PNX*E12345*1", current_regulation_tolerance_A=2.0), shake=False)
    exchanges = recorded()
    assert len(exchanges) > 20
    heard: list[tuple[str, str]] = []
    due: list[tuple[str, str]] = []
    for request, response in exchanges:
        if isinstance(request, sap.supportedAppProtocolReq):
            assert it.handshake("ISO15118D2", "DIN70121") == response
            assert handshake.choose(request, [handshake.ISO15118D2]).response == response
            continue
        body = request.Body
        name = type(body).__name__
        if name == "CableCheckReq" and response.Body.EVSEProcessing == "Finished":
            it.change(cable_check=True, isolation="Valid")
        if name == "AuthorizationReq" and response.Body.EVSEProcessing == "Finished":
            it.change(authorized=True)
        ours = it.ask(body)
        assert type(ours) is type(response.Body)
        heard.append((name, str(ours.ResponseCode)))
        due.append((name, str(response.Body.ResponseCode)))
        if hasattr(ours, "EVSEProcessing"):
            assert ours.EVSEProcessing == response.Body.EVSEProcessing, name
        it.now += 0.1
    assert heard == due
    it.end()
    told = it.charger.names()
    assert in_order(VARIABLES_OF_THE_RECORDING, told), told


def in_order(wanted: list[str], told: list[str]) -> bool:
    """Tell whether `wanted` is told in that order, whatever else is told between."""
    rest = iter(told)
    return all(name in rest for name in wanted)
