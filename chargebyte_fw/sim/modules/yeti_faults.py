"""The faults that a test may inject into YetiSimulator, by the names that EVerest's test controller uses."""

from __future__ import annotations

import msgspec

from chargebyte_fw.kernel.decoding import decode_json

BOARD = (
    "DiodeFault",
    "BrownOut",
    "EnergyManagement",
    "PermanentFault",
    "MREC2GroundFailure",
    "MREC3HighTemperature",
    "MREC4OverCurrentFailure",
    "MREC5OverVoltage",
    "MREC6UnderVoltage",
    "MREC8EmergencyStop",
    "MREC10InvalidVehicleMode",
    "MREC14PilotFault",
    "MREC15PowerLoss",
    "MREC17EVSEContactorFault",
    "MREC18CableOverTempDerate",
    "MREC19CableOverTempStop",
    "MREC20PartialInsertion",
    "MREC23ProximityFault",
    "MREC24ConnectorVoltageHigh",
    "MREC25BrokenLatch",
    "MREC26CutCable",
    "TiltDetected",
    "WaterIngressDetected",
    "EnclosureOpen",
    "VendorError",
    "VendorWarning",
    "CommunicationFault",
)
RCD = ("MREC2GroundFailure", "VendorError", "Selftest", "AC", "DC")
LOCK = (
    "ConnectorLockCapNotCharged",
    "ConnectorLockUnexpectedOpen",
    "ConnectorLockUnexpectedClose",
    "ConnectorLockFailedLock",
    "ConnectorLockFailedUnlock",
    "MREC1ConnectorLockFailure",
    "VendorError",
)


class Injected(msgspec.Struct, frozen=True):
    """One injected fault: the implementation of YetiSimulator that has it, its type, whether it comes or goes."""

    implementation: str
    type: str
    raised: bool


class _Order(msgspec.Struct):
    error_type: str
    raise_: bool | str = msgspec.field(name="raise")


def read(payload: str) -> Injected:
    """Read `{"error_type": NAME, "raise": "true"}`; raises ValueError or msgspec.DecodeError with what is wrong.

    EVerest's simulator raises the faults of residual current device and lock on its board support; here they are on
    the implementation that they concern.
    """
    order = decode_json(payload, _Order)
    raised = order.raise_ in (True, "true")
    implementation, type = _place(order.error_type)
    return Injected(implementation, type, raised)


def _place(name: str) -> tuple[str, str]:
    if name == "powermeter/CommunicationFault":
        return "powermeter", name
    if name in BOARD:
        return "board_support", f"evse_board_support/{name}"
    kind, _, rest = name.partition("_")
    if name.startswith("ac_rcd_") and (rest := name.removeprefix("ac_rcd_")) in RCD:
        return "rcd", f"ac_rcd/{rest}"
    if kind == "lock" and rest in LOCK:
        return "connector_lock", f"connector_lock/{rest}"
    raise ValueError(f"{name[:60]!r} is no fault of this board")
