"""Variables of which the stack knows all: EVSE, Connector, ConnectedEV, V2XChargingCtrlr, ISO15118Ctrlr, inverters.

They are read by reports and monitors like any other, and nothing of them is kept: each fact sets them anew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chargebyte_fw.contracts.types.evse_board_support import HardwareCapabilities
from chargebyte_fw.contracts.types.evse_manager import ConnectorTypeEnum, SessionEventEnum
from chargebyte_fw.contracts.types.grid_support import DCCapability, DERCapability, EVSECapability
from chargebyte_fw.contracts.types.iso15118 import AppProtocol, EvInformation
from chargebyte_fw.modules.ocpp.station import Block, events, receives
from chargebyte_fw.modules.ocpp.variables.declaration import Variable
from chargebyte_fw.modules.ocpp.variables.standard import iso15118
from chargebyte_fw.modules.ocpp.variables.standard import station as declared
from chargebyte_fw.modules.ocpp.variables.standard.smart_charging import SUPPLY_VOLTAGE

DC_CONNECTORS = frozenset(
    (
        ConnectorTypeEnum.cCCS1,
        ConnectorTypeEnum.cCCS2,
        ConnectorTypeEnum.cG105,
        ConnectorTypeEnum.cMCS,
        ConnectorTypeEnum.Pan,
    )
)
PROTOCOLS_LIMIT = 20
"""Instances of ProtocolSupported and ProtocolSupportedByEV."""
STACK = "everest"
"""Source of these values."""

TRANSFER_MODES = {
    "AC_single_phase_core": "AC_single_phase",
    "AC_three_phase_core": "AC_three_phase",
    "DC_core": "DC",
    "DC_extended": "DC",
    "DC_combo_core": "DC",
    "DC_unique": "DC",
    "AC_DER_IEC": "AC_DER",
    "AC_DER_SAE": "AC_DER",
}
"""EnergyTransferModeEnumType of EVerest's modes; others have the same name in both."""

NAMEPLATE = {
    "MaxW": "max_w_W",
    "MaxVA": "max_va_VA",
    "MaxVar": "max_var_over_excited_var",
    "MaxVarNeg": "max_var_under_excited_var",
    "MaxChargeRateW": "max_charge_w_W",
    "OverExcitedPF": "min_pf_over_excited",
    "UnderExcitedPF": "min_pf_under_excited",
}
"""Members of EVerest's nameplate that the ratings of an inverter have."""
RATINGS = {
    "OverExcitedPF": "over_excited_pf",
    "OverExcitedW": "over_excited_w",
    "UnderExcitedPF": "under_excited_pf",
    "UnderExcitedW": "under_excited_w",
    "ReactiveSusceptance": "reactive_susceptance",
}
"""Members of EVerest's DC capability that they have in addition."""
DEVICE = {
    "InverterManufacturer": "manufacturer",
    "InverterModel": "model",
    "InverterSwVersion": "sw_version",
    "InverterHwVersion": "hw_version",
}


def transfer_modes(modes: list[Any]) -> tuple[str, ...]:
    """Return EVerest's energy transfer modes as OCPP names them, each once."""
    named = (TRANSFER_MODES.get(str(mode), str(mode)) for mode in modes)
    return tuple(dict.fromkeys(name for name in named if name in iso15118.ENERGY_TRANSFER_MODES))


def protocol_text(protocol: AppProtocol) -> str:
    """Return a protocol as the variables have it: namespace, major and minor version."""
    return f"{protocol.protocol_namespace},{protocol.version_number_major},{protocol.version_number_minor}"


class StackVariables(Block):
    """Sets the variables that follow from facts of the stack."""

    @receives(events.Loaded)
    def loaded(self, event: events.Loaded) -> None:
        """Describe the connectors that the station has."""
        for place in self.station.layout:
            if place.kind is None:
                continue
            is_dc = place.kind in DC_CONNECTORS
            tier = (place.evse_id, place.connector_id)
            self._set(declared.CONNECTOR_TYPE.at(*tier), str(place.kind))
            phases = 0 if is_dc else self.station.variables.get(declared.STATION_SUPPLY_PHASES)
            self._set(declared.CONNECTOR_SUPPLY_PHASES.at(*tier), phases)
            self._set(declared.EVSE_SUPPLY_PHASES.at(place.evse_id), phases)

    @receives(events.FactReceived)
    def fact(self, event: events.FactReceived) -> None:
        """Take a fact of the stack about an EVSE."""
        take = TAKES.get((event.interface, event.variable))
        if take is not None and event.evse_id is not None:
            take(self, event.evse_id, event.value)

    @receives(events.PowermeterReceived)
    def powermeter(self, event: events.PowermeterReceived) -> None:
        """Take the power of an EVSE."""
        power = event.powermeter.power_W
        if power is not None:
            self._set(declared.EVSE_POWER.at(event.evse_id), round(power.total, 1))

    @receives(events.SessionEventReceived)
    def session(self, event: events.SessionEventReceived) -> None:
        """Forget the EV that has left."""
        if event.event.event is SessionEventEnum.SessionFinished:
            self._forget_ev(event.evse_id)

    def _set(self, variable: Variable[Any], value: Any) -> None:
        self.station.variables.set(variable, value, STACK)

    def hardware(self, evse_id: int, capabilities: HardwareCapabilities) -> None:
        """Take limits and phases."""
        variables = self.station.variables
        phases = capabilities.max_phase_count_import
        power_W = capabilities.max_current_A_import * phases * variables.get(SUPPLY_VOLTAGE)
        variables.set_maximum(declared.EVSE_POWER.at(evse_id), power_W)
        is_dc = any(place.kind in DC_CONNECTORS for place in self.station.layout.of(evse_id))
        if not is_dc:
            # For DC these describe the input of the rectifier.
            self._set(declared.EVSE_SUPPLY_PHASES.at(evse_id), phases)
            for place in self.station.layout.of(evse_id):
                self._set(declared.CONNECTOR_SUPPLY_PHASES.at(evse_id, place.connector_id), phases)
        if capabilities.max_current_A_export > 0:
            export_W = capabilities.max_current_A_export * capabilities.max_phase_count_export
            variables.set_maximum(declared.EVSE_DISCHARGE_POWER.at(evse_id), export_W * variables.get(SUPPLY_VOLTAGE))

    def evse_id(self, evse_id: int, name: str) -> None:
        """Take the name of the EVSE."""
        self._set(declared.EVSE_EVSE_ID.at(evse_id), name)
        place = declared.EVSE_ISO15118_EVSE_ID.at(evse_id)
        entry = self.station.variables.entry(place.id)
        # What the CSMS has set goes to the stack, and stays what it is.
        if entry is not None and entry.attributes["Actual"].source in ("", STACK):
            entry.attributes["Actual"].value = name

    def protocol(self, evse_id: int, name: str) -> None:
        """Take the protocol that is spoken with the EV."""
        for place in self.station.layout.of(evse_id):
            self._set(declared.CONNECTOR_CHARGE_PROTOCOL.at(evse_id, place.connector_id), name)

    def modes(self, evse_id: int, modes: list[Any]) -> None:
        """Take the energy transfer services."""
        named = transfer_modes(modes)
        self._set(iso15118.SUPPORTED_ENERGY_TRANSFER_MODES.at(evse_id), named)
        available = any("BPT" in name or "DER" in name for name in named)
        self._set(iso15118.V2X_AVAILABLE.at(evse_id), available)
        # An EVSE that can discharge is configured for it: in use, as in EVerest, until the CSMS sets it.
        enabled = self.station.variables.entry(iso15118.V2X_ENABLED.at(evse_id).id)
        if enabled is not None and enabled.attributes["Actual"].source in ("", STACK):
            self._set(iso15118.V2X_ENABLED.at(evse_id), available)

    def renegotiation(self, evse_id: int, supported: bool) -> None:
        """Take whether services can be negotiated again."""
        self._set(iso15118.SERVICE_RENEGOTIATION_SUPPORT.at(evse_id), supported)

    def ev(self, evse_id: int, ev: EvInformation) -> None:
        """Take what is known of the EV."""
        self._forget_ev(evse_id)
        self._set(iso15118.CONNECTED_EV_AVAILABLE.at(evse_id), True)
        self._set(iso15118.VEHICLE_ID.at(evse_id), ev.evcc_id)
        self._set(iso15118.PROTOCOL_AGREED.at(evse_id), protocol_text(ev.selected_protocol))
        for number, protocol in enumerate(ev.supported_protocols.Protocols[:PROTOCOLS_LIMIT], 1):
            self._set(iso15118.PROTOCOL_SUPPORTED_BY_EV.at(evse_id, instance=str(number)), protocol_text(protocol))
        for variable, certificate in (
            (iso15118.VEHICLE_CERTIFICATE_LEAF, ev.tls_leaf_certificate),
            (iso15118.VEHICLE_CERTIFICATE_SUB_CA1, ev.tls_sub_ca_1_certificate),
            (iso15118.VEHICLE_CERTIFICATE_SUB_CA2, ev.tls_sub_ca_2_certificate),
            (iso15118.VEHICLE_CERTIFICATE_ROOT, ev.tls_root_certificate),
        ):
            if certificate is not None:
                self._set(variable.at(evse_id), certificate)

    def _forget_ev(self, evse_id: int) -> None:
        variables = self.station.variables
        self._set(iso15118.CONNECTED_EV_AVAILABLE.at(evse_id), False)
        for variable in iso15118.CONNECTED_EV.declared:
            if variable.id != iso15118.CONNECTED_EV_AVAILABLE.id and variable.shipped:
                variables.clear(variable.at(evse_id))
        for number in range(1, PROTOCOLS_LIMIT + 1):
            variables.remove(iso15118.PROTOCOL_SUPPORTED_BY_EV.at(evse_id, instance=str(number)).id)
        for place in self.station.layout.of(evse_id):
            variables.clear(declared.CONNECTOR_CHARGE_PROTOCOL.at(evse_id, place.connector_id))

    def inverter(self, evse_id: int, published: EVSECapability) -> None:
        """Take what an inverter can do."""
        capability, here = published.capability, published.evse_id or evse_id
        if capability.ac is not None:
            self._describe(iso15118.AC_DER, here, capability, None)
        if capability.dc is not None:
            self._describe(iso15118.DC_DER, here, capability, capability.dc)

    def _describe(
        self, der: iso15118.DerVariables, evse_id: int, capability: DERCapability, dc: DCCapability | None
    ) -> None:
        variables = self.station.variables
        # R01.FR.02: those that the standard wants of an inverter in the EVSE are reported without a value, too.
        described: list[Variable[Any]] = [der.enabled]
        if dc is not None:
            described += [*der.ratings.values(), *der.inverter.values()]
        for variable in described:
            if variables.entry(variable.at(evse_id).id) is None:
                variables.add(variable.at(evse_id))
        self._set(der.available.at(evse_id), True)
        supported = [str(one) for one in capability.supported_types if str(one) in iso15118.DER_MODES]
        self._set(der.modes_supported.at(evse_id), tuple(supported))
        ratings = {name: getattr(capability.nameplate, member) for name, member in NAMEPLATE.items()}
        if dc is not None:
            ratings |= {name: value for name, member in RATINGS.items() if (value := getattr(dc, member)) is not None}
        for name, value in ratings.items():
            if value is not None:
                self._set(der.ratings[name].at(evse_id), float(value))
        device = None if dc is None else dc.device_info
        for name, member in DEVICE.items():
            text = None if device is None else getattr(device, member)
            if text is not None:
                self._set(der.inverter[name].at(evse_id), text)


TAKES: dict[tuple[str, str], Callable[[StackVariables, int, Any], None]] = {
    ("evse_manager", "hw_capabilities"): StackVariables.hardware,
    ("evse_manager", "evse_id"): StackVariables.evse_id,
    ("evse_manager", "selected_protocol"): StackVariables.protocol,
    ("evse_manager", "supported_energy_transfer_modes"): StackVariables.modes,
    ("iso15118_extensions", "ev_info"): StackVariables.ev,
    ("iso15118_extensions", "service_renegotiation_supported"): StackVariables.renegotiation,
    ("grid_support", "capability"): StackVariables.inverter,
}
"""What takes each fact, by interface and variable."""
