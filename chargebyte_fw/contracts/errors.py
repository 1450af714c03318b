"""EVerest's error names by namespace, each with one sentence; `errors_of` expands what an interface refers to."""

from __future__ import annotations

from chargebyte_fw.kernel.contract import Contract

ERRORS: dict[str, dict[str, str]] = {
    "ac_rcd": {
        "Selftest": "The self-test failed",
        "DC": "DC residual current is too high",
        "AC": "AC residual current is too high",
        "MREC2GroundFailure": "Ground failure (OCPP standardised error MREC-2)",
        "VendorError": "A fault of this product; the sub-type names it",
        "VendorWarning": "A warning of this product; the sub-type names it, charging goes on",
    },
    "connector_lock": {
        "ConnectorLockCapNotCharged": "Connector lock cap not charged",
        "ConnectorLockUnexpectedOpen": "Connector lock unexpected open",
        "ConnectorLockUnexpectedClose": "Connector lock unexpected close",
        "ConnectorLockFailedLock": "Connector lock failed lock",
        "ConnectorLockFailedUnlock": "Connector lock failed unlock",
        "MREC1ConnectorLockFailure": "Connector lock failure (OCPP standardised error MREC-1)",
        "VendorError": "A fault of this product; the sub-type names it",
        "VendorWarning": "A warning of this product; the sub-type names it, charging goes on",
    },
    "evse_board_support": {
        "DiodeFault": "Diode fault",
        "VentilationNotAvailable": "Ventilation not available",
        "BrownOut": "Brown out",
        "EnergyManagement": "Energy management",
        "PermanentFault": "Permanent fault",
        "MREC2GroundFailure": "Ground failure (OCPP standardised error MREC-2)",
        "MREC3HighTemperature": "High temperature (OCPP standardised error MREC-3)",
        "MREC4OverCurrentFailure": "Over current failure (OCPP standardised error MREC-4)",
        "MREC5OverVoltage": "Over voltage (OCPP standardised error MREC-5)",
        "MREC6UnderVoltage": "Under voltage (OCPP standardised error MREC-6)",
        "MREC8EmergencyStop": "Emergency stop (OCPP standardised error MREC-8)",
        "MREC10InvalidVehicleMode": "Invalid vehicle mode (OCPP standardised error MREC-10)",
        "MREC14PilotFault": "Pilot fault (OCPP standardised error MREC-14)",
        "MREC15PowerLoss": "Power loss (OCPP standardised error MREC-15)",
        "MREC17EVSEContactorFault": "EVSE contactor fault (OCPP standardised error MREC-17)",
        "MREC18CableOverTempDerate": "Cable over temp derate (OCPP standardised error MREC-18)",
        "MREC19CableOverTempStop": "Cable over temp stop (OCPP standardised error MREC-19)",
        "MREC20PartialInsertion": "Partial insertion (OCPP standardised error MREC-20)",
        "MREC23ProximityFault": "Proximity fault (OCPP standardised error MREC-23)",
        "MREC24ConnectorVoltageHigh": "Connector voltage high (OCPP standardised error MREC-24)",
        "MREC25BrokenLatch": "Broken latch (OCPP standardised error MREC-25)",
        "MREC26CutCable": "Cut cable (OCPP standardised error MREC-26)",
        "TiltDetected": "Tilt detected",
        "WaterIngressDetected": "Water ingress detected",
        "EnclosureOpen": "Enclosure open",
        "VendorError": "A fault of this product; the sub-type names it",
        "VendorWarning": "A warning of this product; the sub-type names it, charging goes on",
        "CommunicationFault": "The device does not answer",
    },
    "evse_manager": {
        "Internal": "Internal",
        "MREC4OverCurrentFailure": "Over current failure (OCPP standardised error MREC-4)",
        "MREC5OverVoltage": "Over voltage (OCPP standardised error MREC-5)",
        "MREC9AuthorizationTimeout": "Authorization timeout (OCPP standardised error MREC-9)",
        "PowermeterTransactionStartFailed": "Powermeter transaction start failed",
        "Inoperative": "Inoperative",
        "MREC22ResistanceFault": "Resistance fault (OCPP standardised error MREC-22)",
        "MREC11CableCheckFault": "Cable check fault (OCPP standardised error MREC-11)",
        "VoltagePlausibilityFault": "Voltage plausibility fault",
    },
    "example": {f"ExampleError{letter}": f"Example error {letter}" for letter in "ABCD"},
    "generic": {
        "CommunicationFault": "The device does not answer",
        "VendorError": "A fault of this product; the sub-type names it",
        "VendorWarning": "A warning of this product; the sub-type names it, charging goes on",
    },
    "isolation_monitor": {
        "DeviceFault": "Device fault",
        "CommunicationFault": "The device does not answer",
        "VendorError": "A fault of this product; the sub-type names it",
        "VendorWarning": "A warning of this product; the sub-type names it, charging goes on",
    },
    "over_voltage_monitor": {
        "MREC5OverVoltage": "Over voltage (OCPP standardised error MREC-5)",
        "DeviceFault": "Device fault",
        "CommunicationFault": "The device does not answer",
        "VendorError": "A fault of this product; the sub-type names it",
        "VendorWarning": "A warning of this product; the sub-type names it, charging goes on",
    },
    "payment_terminal": {
        "TerminalIdNotSet": "Terminal id not set",
        "IncorrectDeviceId": "Incorrect device id",
        "GenericPaymentTerminalError": "Generic payment terminal error",
    },
    "power_supply_DC": {
        "CommunicationFault": "The device does not answer",
        "HardwareFault": "Hardware fault",
        "OverTemperature": "Over temperature",
        "UnderTemperature": "Under temperature",
        "UnderVoltageAC": "Under voltage AC",
        "OverVoltageAC": "Over voltage AC",
        "UnderVoltageDC": "Under voltage DC",
        "OverVoltageDC": "Over voltage DC",
        "OverCurrentAC": "Over current AC",
        "OverCurrentDC": "Over current DC",
        "VendorError": "A fault of this product; the sub-type names it",
        "VendorWarning": "A warning of this product; the sub-type names it, charging goes on",
    },
    "powermeter": {
        "CommunicationFault": "The device does not answer",
        "VendorError": "A fault of this product; the sub-type names it",
        "VendorWarning": "A warning of this product; the sub-type names it, charging goes on",
    },
    "system": {
        "CommunicationFault": "The device does not answer",
    },
    "test_errors": {f"TestError{letter}": f"Error {letter} of EVerest's tests" for letter in "ABCD"},
    "cb_temperatures": {
        "SelftestFailed": "The self-test of this temperature channel failed",
        "ChargingAbort": "This temperature channel stops charging",
    },
}


def errors_of(contract: type[Contract]) -> dict[str, str]:
    """Return every error type (`namespace/Name`) that the contract allows, with its description."""
    found: dict[str, str] = {}
    for reference in contract.error_references:
        namespace, _, name = reference.partition("/")
        for known, description in ERRORS[namespace].items():
            if name in ("", known):
                found[f"{namespace}/{known}"] = description
    return found


def description_of(error_type: str) -> str:
    """Return the sentence for `namespace/Name`, or EVerest's text for an unknown one."""
    namespace, _, name = error_type.partition("/")
    return ERRORS.get(namespace, {}).get(name, "No description found")
