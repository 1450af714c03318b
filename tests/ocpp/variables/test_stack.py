"""Variables that follow from facts of the stack."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chargebyte_fw.contracts.types import evse_manager, grid_support, iso15118, powermeter, units
from chargebyte_fw.contracts.types.evse_board_support import HardwareCapabilities
from chargebyte_fw.contracts.types.evse_manager import ConnectorTypeEnum, SessionEvent, SessionEventEnum
from chargebyte_fw.modules.ocpp.station import events
from chargebyte_fw.modules.ocpp.station.layout import Layout
from chargebyte_fw.modules.ocpp.variables import Variables
from chargebyte_fw.modules.ocpp.variables.device_model import DeviceModel
from chargebyte_fw.modules.ocpp.variables.registry import declared
from chargebyte_fw.modules.ocpp.variables.stack import StackVariables, transfer_modes
from chargebyte_fw.modules.ocpp.variables.standard import iso15118 as of_iso
from chargebyte_fw.modules.ocpp.variables.standard import station
from chargebyte_fw.modules.ocpp.variables.storage import VariableStorage
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.variables.talk import Talk

CAPABILITIES = {
    "max_current_A_import": 16,
    "min_current_A_import": 6,
    "max_phase_count_import": 1,
    "min_phase_count_import": 1,
    "max_current_A_export": 10,
    "min_current_A_export": 0,
    "max_phase_count_export": 1,
    "min_phase_count_export": 1,
    "supports_changing_phases_during_charging": False,
    "supports_cp_state_E": False,
    "connector_type": "IEC62196Type2Socket",
}


@pytest.fixture
def talk() -> Talk:
    kinds = {1: ConnectorTypeEnum.cType2, 2: ConnectorTypeEnum.cCCS2}
    evses = [evse_manager.Evse(id=n, connectors=[evse_manager.Connector(id=1, type=kinds[n])]) for n in (1, 2)]
    variables = Variables(declared(connectors={1: 1, 2: 1}))
    blocks = (VariableStorage, DeviceModel, StackVariables)
    talk = Talk(*blocks, version=Version.V21, variables=variables)
    talk.station.layout = Layout(evses)
    talk.feed(events.Loaded({}))
    return talk


def fact(talk: Talk, interface: str, variable: str, value: Any, evse_id: int = 1) -> None:
    talk.feed(events.FactReceived(interface, variable, value, evse_id))


def test_connectors_are_described(talk: Talk) -> None:
    get = talk.variables.get
    assert [get(station.CONNECTOR_TYPE.at(n, 1)) for n in (1, 2)] == ["cType2", "cCCS2"]
    assert [get(station.EVSE_SUPPLY_PHASES.at(n)) for n in (1, 2)] == [3, 0]
    assert [get(station.CONNECTOR_SUPPLY_PHASES.at(n, 1)) for n in (1, 2)] == [3, 0]


def test_capabilities_of_the_hardware(talk: Talk) -> None:
    capabilities = msgspec.convert(CAPABILITIES, HardwareCapabilities)
    for evse_id in (1, 2):
        fact(talk, "evse_manager", "hw_capabilities", capabilities, evse_id)
    assert talk.variables.maximum(station.EVSE_POWER.at(1)) == 3680
    assert talk.variables.maximum(station.EVSE_DISCHARGE_POWER.at(1)) == 2300
    assert [talk.variables.get(station.EVSE_SUPPLY_PHASES.at(n)) for n in (1, 2)] == [1, 0]


def test_the_power_of_an_evse(talk: Talk) -> None:
    reading = powermeter.Powermeter(
        timestamp="2023-11-15T00:00:00Z",
        energy_Wh_import=units.Energy(total=1),
        power_W=units.Power(total=1234.56),
    )
    talk.feed(events.PowermeterReceived(2, reading))
    assert talk.variables.get(station.EVSE_POWER.at(2)) == 1234.6
    assert talk.tables == {}


def protocol(namespace: str, priority: int) -> iso15118.AppProtocol:
    return iso15118.AppProtocol(
        protocol_namespace=namespace, version_number_major=2, version_number_minor=0, schema_id=1, priority=priority
    )


@pytest.mark.ocpp("Q01.FR.36")
def test_the_ev_is_described_until_it_leaves(talk: Talk) -> None:
    fact(talk, "evse_manager", "selected_protocol", "ISO15118-2-2013")
    information = iso15118.EvInformation(
        supported_protocols=iso15118.AppProtocols(Protocols=[protocol("urn:a", 1), protocol("urn:b", 2)]),
        selected_protocol=protocol("urn:b", 2),
        evcc_id="00:11:22:33:44:55",
        tls_leaf_certificate="PEM",
    )
    fact(talk, "iso15118_extensions", "ev_info", information)
    find = talk.variables.find
    assert find(of_iso.CONNECTED_EV_AVAILABLE.at(1)) is True and find(of_iso.VEHICLE_ID.at(1)) == "00:11:22:33:44:55"
    assert find(of_iso.PROTOCOL_AGREED.at(1)) == "urn:b,2,0"
    supported = [find(of_iso.PROTOCOL_SUPPORTED_BY_EV.at(1, instance=str(number))) for number in (1, 2, 3)]
    assert supported == ["urn:a,2,0", "urn:b,2,0", None]
    assert find(of_iso.VEHICLE_CERTIFICATE_LEAF.at(1)) == "PEM"
    where = {"component": {"name": "ConnectedEV", "evse": {"id": 1}}}
    report = talk.ask("GetReport", {"requestId": 1, "componentVariable": [where]})
    assert report == {"status": "Accepted"}
    told = [one for part in talk.payloads_of("NotifyReport") for one in part["reportData"]]
    shown = {
        (one["variable"]["name"], one["variable"].get("instance")): one["variableAttribute"][0].get("value")
        for one in told
    }
    assert {
        ("Available", None): "true",
        ("VehicleId", None): "00:11:22:33:44:55",
        ("VehicleCertificate", "Leaf"): "PEM",
        ("ProtocolAgreed", None): "urn:b,2,0",
        ("ProtocolSupportedByEV", "1"): "urn:a,2,0",
    }.items() <= shown.items()
    ended = SessionEvent(uuid="u", timestamp="2023-11-15T00:00:00Z", event=SessionEventEnum.SessionFinished)
    talk.feed(events.SessionEventReceived(1, ended))
    assert find(of_iso.CONNECTED_EV_AVAILABLE.at(1)) is False
    for variable in (of_iso.VEHICLE_ID, of_iso.PROTOCOL_AGREED, of_iso.VEHICLE_CERTIFICATE_LEAF):
        assert find(variable.at(1)) is None
    assert talk.variables.entry(of_iso.PROTOCOL_SUPPORTED_BY_EV.at(1, instance="1").id) is None
    assert find(station.CONNECTOR_CHARGE_PROTOCOL.at(1, 1)) is None


def reported(talk: Talk, name: str, evse_id: int = 2) -> str:
    """What the CSMS reads of V2XChargingCtrlr."""
    where = {"component": {"name": "V2XChargingCtrlr", "evse": {"id": evse_id}}, "variable": {"name": name}}
    [found] = talk.ask("GetVariables", {"getVariableData": [where]})["getVariableResult"]
    return str(found["attributeValue"])


@pytest.mark.ocpp("Q01.FR.30", "Q01.FR.31", "Q01.FR.32")
def test_the_csms_reads_which_modes_there_are(talk: Talk) -> None:
    modes = [iso15118.EnergyTransferMode(name) for name in ("AC_single_phase_core", "AC_three_phase_core", "AC_BPT")]
    fact(talk, "evse_manager", "supported_energy_transfer_modes", modes, 2)
    assert reported(talk, "SupportedEnergyTransferModes") == "AC_single_phase,AC_three_phase,AC_BPT"
    assert reported(talk, "SupportedOperationModes") == "ChargingOnly,CentralSetpoint,CentralFrequency"


def test_what_the_evse_can_do(talk: Talk) -> None:
    modes = [iso15118.EnergyTransferMode(name) for name in ("DC_extended", "DC_core", "DC_BPT", "MCS")]
    fact(talk, "evse_manager", "supported_energy_transfer_modes", modes, 2)
    fact(talk, "iso15118_extensions", "service_renegotiation_supported", True, 2)
    assert talk.variables.get(of_iso.SUPPORTED_ENERGY_TRANSFER_MODES.at(2)) == ("DC", "DC_BPT")
    assert talk.variables.get(of_iso.V2X_AVAILABLE.at(2)) and not talk.variables.get(of_iso.V2X_AVAILABLE.at(1))
    assert talk.variables.get(of_iso.V2X_ENABLED.at(2)) and not talk.variables.get(of_iso.V2X_ENABLED.at(1))
    talk.variables.set(of_iso.V2X_ENABLED.at(2), False, "csms")
    fact(talk, "evse_manager", "supported_energy_transfer_modes", modes, 2)
    assert not talk.variables.get(of_iso.V2X_ENABLED.at(2))
    assert talk.variables.get(of_iso.SERVICE_RENEGOTIATION_SUPPORT.at(2))
    assert transfer_modes(list(iso15118.EnergyTransferMode)) == (
        "AC_single_phase",
        "AC_two_phase",
        "AC_three_phase",
        "DC",
        "AC_BPT",
        "AC_BPT_DER",
        "AC_DER",
        "DC_BPT",
        "DC_ACDP",
        "DC_ACDP_BPT",
        "WPT",
    )


def test_the_evse_id_of_the_stack_gives_way_to_that_of_the_csms(talk: Talk) -> None:
    fact(talk, "evse_manager", "evse_id", "DE*ABC*E0001")
    place = station.EVSE_ISO15118_EVSE_ID.at(1)
    assert talk.variables.get(place) == "DE*ABC*E0001" == talk.variables.get(station.EVSE_EVSE_ID.at(1))
    where = {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "ISO15118EvseId"}}
    talk.ask("SetVariables", {"setVariableData": [where | {"attributeValue": "DE*XYZ*E0009"}]})
    fact(talk, "evse_manager", "evse_id", "DE*ABC*E0001")
    assert talk.variables.get(place) == "DE*XYZ*E0009"


@pytest.mark.ocpp("R01.FR.01")
def test_an_inverter_is_described(talk: Talk) -> None:
    nameplate = grid_support.NameplateRating(max_w_W=10000, max_va_VA=11000, v_nom_V=230, min_pf_over_excited=0.9)
    dc = grid_support.DCCapability(
        over_excited_pf=0.95,
        over_excited_w=9000,
        device_info=grid_support.DeviceInfo(manufacturer="Maker", sw_version="1.2"),
    )
    types = [grid_support.DirectiveType.VoltVar, grid_support.DirectiveType.ZeroCurrent]
    capability = grid_support.DERCapability(supported_types=types, nameplate=nameplate, dc=dc)
    fact(talk, "grid_support", "capability", grid_support.EVSECapability(evse_id=2, capability=capability), 2)
    get, der = talk.variables.get, of_iso.DC_DER
    assert get(der.available.at(2)) and get(der.enabled.at(2))
    assert get(der.modes_supported.at(2)) == ("VoltVar",)
    assert get(der.ratings["MaxW"].at(2)) == 10000 and get(der.ratings["OverExcitedPF"].at(2)) == 0.95
    assert get(der.inverter["InverterManufacturer"].at(2)) == "Maker"
    assert talk.variables.entry(of_iso.AC_DER.available.at(2).id) is None
    talk.variables.set(der.enabled.at(2), False)
    fact(talk, "grid_support", "capability", grid_support.EVSECapability(evse_id=2, capability=capability), 2)
    assert not get(der.enabled.at(2))


MANDATORY = {
    *("MaxW", "OverExcitedW", "OverExcitedPF", "UnderExcitedW", "UnderExcitedPF", "MaxVA", "MaxVar", "MaxVarNeg"),
    *("MaxChargeRateW", "MaxChargeRateVA", "ModesSupported", "ReactiveSusceptance"),
    *("InverterManufacturer", "InverterModel", "InverterSwVersion", "InverterHwVersion"),
}
"""Variables of DCDERCtrlr that the standard requires."""


@pytest.mark.ocpp("R01.FR.02")
@pytest.mark.parametrize("complete", [True, False])
def test_every_variable_of_an_inverter_that_the_standard_requires_is_reported(talk: Talk, complete: bool) -> None:
    sparse = grid_support.NameplateRating(max_w_W=10000, max_va_VA=11000, v_nom_V=400)
    more = {"max_var_over_excited_var": 5000.0, "max_var_under_excited_var": 4000.0, "max_charge_w_W": 9000.0}
    device = grid_support.DeviceInfo(manufacturer="Maker", model="M", sw_version="1.2", hw_version="A")
    dc = grid_support.DCCapability(
        device_info=device,
        over_excited_pf=0.9,
        under_excited_pf=0.9,
        over_excited_w=9000,
        under_excited_w=9000,
        reactive_susceptance=0.1,
    )
    capability = grid_support.DERCapability(
        supported_types=[grid_support.DirectiveType.VoltVar],
        nameplate=msgspec.structs.replace(sparse, **more) if complete else sparse,
        dc=dc if complete else grid_support.DCCapability(),
    )
    fact(talk, "grid_support", "capability", grid_support.EVSECapability(evse_id=2, capability=capability), 2)
    where = {"component": {"name": "DCDERCtrlr", "evse": {"id": 2}}}
    assert talk.ask("GetReport", {"requestId": 1, "componentVariable": [where]}) == {"status": "Accepted"}
    told = [one for part in talk.payloads_of("NotifyReport") for one in part["reportData"]]
    values = {one["variable"]["name"]: one["variableAttribute"][0].get("value", "") for one in told}
    assert values.keys() >= MANDATORY
    assert (values["MaxW"], values["ModesSupported"]) == ("10000", "VoltVar")
    if complete:
        assert {name for name in MANDATORY if not values[name]} == {"MaxChargeRateVA"}, "which EVerest has not"
