"""The objects of RpcApi, built from kept facts: EVSEInfo, EVSEStatus, MeterData, Error and their relatives."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec

from chargebyte_fw.contracts.types.charger_information import ChargerInformation
from chargebyte_fw.contracts.types.evse_manager import EVInfo
from chargebyte_fw.kernel.faults import Fault
from chargebyte_fw.modules.api.evse_view import EvseView
from chargebyte_fw.modules.api.rounding import round_all
from chargebyte_fw.modules.api.session_info import SessionState


class ResponseError(StrEnum):
    """The `error` of every result."""

    NoError = "NoError"
    ErrorInvalidParameter = "ErrorInvalidParameter"
    ErrorOutOfRange = "ErrorOutOfRange"
    ErrorValuesNotApplied = "ErrorValuesNotApplied"
    ErrorInvalidEVSEIndex = "ErrorInvalidEVSEIndex"
    ErrorInvalidConnectorIndex = "ErrorInvalidConnectorIndex"
    ErrorNoDataAvailable = "ErrorNoDataAvailable"
    ErrorOperationNotSupported = "ErrorOperationNotSupported"
    ErrorUnknownError = "ErrorUnknownError"


_PROTOCOLS = (
    ("ISO15118-20", "ISO15118_20"),
    ("ISO15118-2", "ISO15118"),
    ("DIN70121", "DIN70121"),
    ("IEC61851", "IEC61851"),
)
NO_INFO: dict[str, Any] = {"available_connectors": [], "id": "", "index": 0, "supported_energy_transfer_modes": []}
NO_STATUS: dict[str, Any] = {
    "active_connector_index": 0,
    "available": False,
    "charge_protocol": "Unknown",
    "charged_energy_wh": 0.0,
    "charging_allowed": False,
    "charging_duration_s": 0,
    "discharged_energy_wh": 0.0,
    "error_present": False,
    "state": "Unknown",
}
NO_CAPABILITIES: dict[str, Any] = {
    "max_current_A_export": 0.0,
    "max_current_A_import": 0.0,
    "max_phase_count_export": 0,
    "max_phase_count_import": 0,
    "min_current_A_export": 0.0,
    "min_current_A_import": 0.0,
    "min_phase_count_export": 0,
    "min_phase_count_import": 0,
    "phase_switch_during_charging": False,
}
NO_METER: dict[str, Any] = {"energy_Wh_import": {"total": 0.0}, "timestamp": ""}
_METER_FIELDS = (
    "timestamp",
    "energy_Wh_import",
    "energy_Wh_export",
    "power_W",
    "voltage_V",
    "current_A",
    "frequency_Hz",
    "meter_id",
    "phase_seq_error",
)


def charge_protocol(selected: str | None) -> str:
    """Return RpcApi's name for EvseManager's protocol text."""
    return next((name for start, name in _PROTOCOLS if (selected or "").startswith(start)), "Unknown")


def evse_info(view: EvseView) -> dict[str, Any]:
    """Return EVSEInfo."""
    modes = view.manager.supported_energy_transfer_modes.value or []
    return {
        "index": view.index,
        "id": view.manager.evse_id.value or "",
        "available_connectors": [
            {"index": connector.id, "type": str(connector.type or "Unknown")} for connector in view.connectors
        ],
        "supported_energy_transfer_modes": [str(mode) for mode in modes],
    }


def evse_status(
    view: EvseView, *, charging_allowed: bool, error_present: bool, now: datetime, decimal_places: int
) -> dict[str, Any]:
    """Return EVSEStatus."""
    session = view.session
    protocol = charge_protocol(view.manager.selected_protocol.value)
    status: dict[str, Any] = {
        "active_connector_index": view.connectors[0].id if view.connectors else 1,
        "available": session.state not in (SessionState.Disabled, SessionState.Unknown),
        "charge_protocol": protocol,
        "charged_energy_wh": session.charged_energy_Wh,
        "charging_allowed": charging_allowed,
        "charging_duration_s": view.duration_s,
        "discharged_energy_wh": session.discharged_energy_Wh,
        "error_present": error_present,
        "state": str(session.state),
    }
    modes = view.manager.supported_energy_transfer_modes.value or []
    if view.limits is not None and any(mode.startswith("AC") for mode in modes):
        status["ac_charge_status"] = {"evse_active_phase_count": view.limits.nr_of_phases_available}
    if view.ev_info is not None and (shown := _display_parameters(view.ev_info, now)):
        status["display_parameters"] = shown
    return _rounded(status, decimal_places)


def _display_parameters(car: EVInfo, now: datetime) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    if car.soc is not None:
        shown["present_soc"] = round(car.soc)
    if car.battery_full_soc is not None:
        shown["maximum_soc"] = round(car.battery_full_soc)
    if car.battery_capacity is not None:
        shown["battery_energy_capacity"] = car.battery_capacity
    for name, at in (
        ("remaining_time_to_maximum_soc", car.estimated_time_full),
        ("remaining_time_to_target_soc", car.estimated_time_bulk),
    ):
        if at is not None and (left := _seconds_until(at, now)) is not None:
            shown[name] = left
    return shown


def _seconds_until(at: str, now: datetime) -> int | None:
    try:
        then = datetime.fromisoformat(at)
    except ValueError:
        return None
    return max(0, int((then.replace(tzinfo=then.tzinfo or UTC) - now).total_seconds()))


def hardware_capabilities(view: EvseView) -> dict[str, Any] | None:
    """Return HardwareCapabilities, None while the board has published none."""
    board = view.capabilities
    if board is None:
        return None
    fields = {name: getattr(board, name) for name in NO_CAPABILITIES if hasattr(board, name)}
    return {**fields, "phase_switch_during_charging": board.supports_changing_phases_during_charging}


def meter_data(view: EvseView, decimal_places: int) -> dict[str, Any] | None:
    """Return MeterData, None before the first meter value."""
    if view.meter is None:
        return None
    plain = msgspec.to_builtins(view.meter)
    return _rounded({name: plain[name] for name in _METER_FIELDS if name in plain}, decimal_places)


def error_object(fault: Fault) -> dict[str, Any]:
    """Return Error."""
    origin: dict[str, Any] = {
        "module_id": fault.origin.module_id,
        "implementation_id": fault.origin.implementation_id,
    }
    if fault.origin.mapping is not None:
        origin["evse_index"] = fault.origin.mapping.evse
        if fault.origin.mapping.connector is not None:
            origin["connector_index"] = fault.origin.mapping.connector
    fields = {
        "type": fault.type,
        "description": fault.description,
        "message": fault.message,
        "severity": str(fault.severity),
        "origin": origin,
        "timestamp": fault.timestamp,
        "uuid": fault.uuid,
    }
    return {**fields, "sub_type": fault.sub_type} if fault.sub_type else fields


def charger_info(information: ChargerInformation | None) -> dict[str, Any]:
    """Return ChargerInfo."""
    if information is None:
        return {"vendor": "unknown", "model": "unknown", "serial": "unknown", "firmware_version": "unknown"}
    optional = {
        "friendly_name": information.friendly_name,
        "manufacturer": information.manufacturer,
        "manufacturer_url": information.manufacturer_url,
        "model_url": information.model_url,
        "model_no": information.model_number,
        "revision": information.model_revision,
        "board_revision": information.board_revision,
    }
    return {
        "vendor": information.vendor,
        "model": information.model,
        "serial": information.chargepoint_serial or information.chargebox_serial or "unknown",
        "firmware_version": information.firmware_version or "unknown",
        **{name: value for name, value in optional.items() if value is not None},
    }


def _rounded(value: dict[str, Any], decimal_places: int) -> dict[str, Any]:
    if not decimal_places:
        return value
    result: dict[str, Any] = round_all(value, decimal_places)
    return result
