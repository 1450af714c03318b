"""Errors of the stack as OCPP names them: a table of EVerest's error types, for both generations.

The codes `CX...` are the minimum required error codes of the ChargeX consortium.
"""

from __future__ import annotations

import msgspec

from chargebyte_fw.kernel.faults import Fault

CHARGEX = "https://chargex.inl.gov"
INOPERATIVE = "evse_manager/Inoperative"
"""The one error that makes a connector Faulted: the EVSE itself has judged the others."""


class Code(msgspec.Struct, frozen=True):
    """An error in OCPP."""

    error_code: str
    """ChargePointErrorCode of OCPP 1.6."""
    vendor_error_code: str = ""
    """`vendorErrorCode` (1.6) and `techCode` (2.x); empty: the type of EVerest without its interface."""


_BOARD = {
    "MREC2GroundFailure": Code("GroundFailure", "CX002"),
    "MREC3HighTemperature": Code("HighTemperature", "CX003"),
    "MREC4OverCurrentFailure": Code("OverCurrentFailure", "CX004"),
    "MREC5OverVoltage": Code("OverVoltage", "CX005"),
    "MREC6UnderVoltage": Code("UnderVoltage", "CX006"),
    "MREC8EmergencyStop": Code("OtherError", "CX008"),
    "MREC10InvalidVehicleMode": Code("OtherError", "CX010"),
    "MREC14PilotFault": Code("OtherError", "CX014"),
    "MREC15PowerLoss": Code("OtherError", "CX015"),
    "MREC17EVSEContactorFault": Code("OtherError", "CX017"),
    "MREC18CableOverTempDerate": Code("OtherError", "CX018"),
    "MREC19CableOverTempStop": Code("OtherError", "CX019"),
    "MREC20PartialInsertion": Code("OtherError", "CX020"),
    "MREC23ProximityFault": Code("OtherError", "CX023"),
    "MREC24ConnectorVoltageHigh": Code("OtherError", "CX024"),
    "MREC25BrokenLatch": Code("OtherError", "CX025"),
    "MREC26CutCable": Code("OtherError", "CX026"),
}
CODES: dict[str, Code] = {
    **{f"evse_board_support/{name}": code for name, code in _BOARD.items()},
    "connector_lock/MREC1ConnectorLockFailure": Code("ConnectorLockFailure", "CX001"),
    "ac_rcd/MREC2GroundFailure": Code("GroundFailure", "CX002"),
    "evse_manager/MREC4OverCurrentFailure": Code("OverCurrentFailure", "CX004"),
    "evse_manager/MREC5OverVoltage": Code("OverVoltage", "CX005"),
    "evse_manager/MREC11CableCheckFault": Code("OtherError", "CX011"),
    "evse_manager/MREC22ResistanceFault": Code("OtherError", "CX022"),
    "powermeter/CommunicationFault": Code("PowerMeterFailure"),
}
OTHER = Code("OtherError")


class ErrorInfo(msgspec.Struct, frozen=True):
    """The part of a StatusNotification of OCPP 1.6 that is about an error."""

    key: str
    """Identifies the error: its type, sub-type and origin in the stack."""
    error_code: str
    is_fault: bool
    info: str = ""
    vendor_id: str = ""
    vendor_error_code: str = ""


def key_of(fault: Fault) -> str:
    """Return what identifies a fault; equal for two reports of one fault."""
    return "|".join(fault.identity)


def tech_code(fault: Fault) -> str:
    """Return the `vendorErrorCode` (1.6) of a fault, which is at most 50 characters."""
    code = CODES.get(fault.type, OTHER)
    if code.vendor_error_code:
        return code.vendor_error_code
    name = fault.type.partition("/")[2] or fault.type
    return (f"{name}/{fault.sub_type}" if fault.sub_type else name)[:50]


def info_of(fault: Fault) -> ErrorInfo:
    """Return a fault as a StatusNotification of OCPP 1.6 has it."""
    code = CODES.get(fault.type, OTHER)
    origin = f"{fault.origin.module_id}/{fault.origin.implementation_id}"
    charge_x = code.vendor_error_code != ""
    return ErrorInfo(
        key=key_of(fault),
        error_code=code.error_code,
        is_fault=fault.type == INOPERATIVE,
        info="" if charge_x else origin[:50],
        vendor_id=CHARGEX if charge_x else fault.message[:255],
        vendor_error_code=tech_code(fault),
    )
