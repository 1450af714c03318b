"""What a person can do about a fault, and what would help an EVSE now."""

from __future__ import annotations

from collections.abc import Sequence

from chargebyte_fw.manager.status.model import ActiveFault, Evse, Help, Module, ModuleState, State

ADVICE = {
    "DiodeFault": (Help.unplug, "unplug; if another car has it too, call service: pilot circuit or cable"),
    "VentilationNotAvailable": (Help.unplug, "unplug: this car asks for ventilation, which this site does not have"),
    "BrownOut": (Help.wait, "wait; if it comes back, call service: the supply voltage of the board is too low"),
    "EnergyManagement": (Help.wait, "wait; if it stays, look at the limits of the energy tree"),
    "PermanentFault": (Help.call_service, "call service"),
    "MREC1ConnectorLockFailure": (Help.unplug, "unplug, clean and plug in again; if it stays, call service: plug lock"),
    "MREC2GroundFailure": (
        Help.unplug,
        "unplug; if it stays without a car, call service: protective earth, residual current",
    ),
    "MREC3HighTemperature": (Help.wait, "wait until it has cooled down; if it comes back, call service: ventilation"),
    "MREC4OverCurrentFailure": (
        Help.unplug,
        "unplug and plug in again; if it comes back, call service: the car draws too much",
    ),
    "MREC5OverVoltage": (Help.unplug, "unplug; if it comes back with another car, call service: power supply"),
    "MREC6UnderVoltage": (Help.wait, "wait: the mains voltage is too low; if it stays, call service"),
    "MREC8EmergencyStop": (Help.unplug, "release the emergency stop once it is safe, then unplug and plug in again"),
    "MREC9AuthorizationTimeout": (Help.unplug, "unplug, plug in again and authorize in time"),
    "MREC10InvalidVehicleMode": (
        Help.unplug,
        "unplug and plug in again; if it stays, the car asks for a mode that this EVSE has not",
    ),
    "MREC11CableCheckFault": (
        Help.unplug,
        "unplug, dry and clean the connector; if it comes back, call service: insulation",
    ),
    "MREC14PilotFault": (
        Help.unplug,
        "unplug and plug in again; if it stays without a car, call service: control pilot",
    ),
    "MREC15PowerLoss": (Help.wait, "wait for the mains"),
    "MREC17EVSEContactorFault": (
        Help.unplug,
        "unplug and take out of use, call service: a contactor is welded or does not close",
    ),
    "MREC18CableOverTempDerate": (Help.wait, "wait: the current is lower while the cable cools down"),
    "MREC19CableOverTempStop": (
        Help.unplug,
        "unplug and let the cable cool down; if it comes back, call service: contacts",
    ),
    "MREC20PartialInsertion": (Help.plug_in, "push the plug in as far as it goes"),
    "MREC22ResistanceFault": (
        Help.unplug,
        "unplug, dry and clean the connector; if it comes back, call service: insulation",
    ),
    "MREC23ProximityFault": (
        Help.unplug,
        "unplug and plug in again; if it stays, call service: proximity pilot or cable",
    ),
    "MREC24ConnectorVoltageHigh": (Help.call_service, "do not touch the connector, call service"),
    "MREC25BrokenLatch": (Help.call_service, "call service: the latch of the plug"),
    "MREC26CutCable": (Help.call_service, "do not touch the cable, call service"),
    "TiltDetected": (Help.call_service, "call service: the enclosure has moved"),
    "WaterIngressDetected": (Help.call_service, "take out of use, call service: water in the enclosure"),
    "EnclosureOpen": (Help.call_service, "close the enclosure; if it is closed, call service"),
    "Selftest": (
        Help.unplug,
        "unplug and start the charger again; if it stays, call service: residual current monitor",
    ),
    "DC": (Help.unplug, "unplug; if it comes back with another car, call service: residual current"),
    "AC": (Help.unplug, "unplug; if it comes back with another car, call service: residual current"),
    "ConnectorLockFailedLock": (
        Help.plug_in,
        "push the plug in as far as it goes; if it stays, call service: plug lock",
    ),
    "ConnectorLockFailedUnlock": (
        Help.unplug,
        "pull the plug gently while it unlocks; if it stays, call service: plug lock",
    ),
    "ConnectorLockUnexpectedOpen": (Help.unplug, "unplug and plug in again; if it comes back, call service: plug lock"),
    "ConnectorLockUnexpectedClose": (
        Help.unplug,
        "unplug and plug in again; if it comes back, call service: plug lock",
    ),
    "ConnectorLockCapNotCharged": (Help.wait, "wait; if it stays, call service: plug lock"),
    "Inoperative": (Help.call_service, "clear the faults that it names; if there is none, call service"),
    "Internal": (Help.unplug, "unplug and plug in again; if it stays, start the charger again and send a report"),
    "PowermeterTransactionStartFailed": (Help.unplug, "unplug and plug in again; if it stays, call service: meter"),
    "VoltagePlausibilityFault": (
        Help.unplug,
        "unplug; if it comes back, call service: two voltage measurements differ",
    ),
    "CommunicationFault": (Help.wait, "wait: it is tried again; if it stays, check power and cable of the device"),
    "DeviceFault": (Help.call_service, "start the charger again; if it stays, call service"),
    "HardwareFault": (Help.call_service, "start the charger again; if it stays, call service: power supply"),
    "OverTemperature": (Help.wait, "wait until it has cooled down; if it comes back, call service: ventilation"),
    "UnderTemperature": (Help.wait, "wait until it is warmer"),
    "UnderVoltageAC": (Help.wait, "wait: the mains voltage is too low; if it stays, call service"),
    "OverVoltageAC": (Help.wait, "wait: the mains voltage is too high; if it stays, call service"),
    "UnderVoltageDC": (Help.unplug, "unplug and plug in again; if it comes back, call service: power supply"),
    "OverVoltageDC": (Help.unplug, "unplug and plug in again; if it comes back, call service: power supply"),
    "OverCurrentAC": (Help.unplug, "unplug and plug in again; if it comes back, call service: power supply"),
    "OverCurrentDC": (Help.unplug, "unplug and plug in again; if it comes back, call service: power supply"),
    "TerminalIdNotSet": (Help.call_service, "set the id of the payment terminal"),
    "IncorrectDeviceId": (Help.call_service, "check the payment terminal and its id in the configuration"),
    "GenericPaymentTerminalError": (Help.call_service, "start the payment terminal again"),
    "SelftestFailed": (Help.call_service, "start the charger again; if it stays, call service: temperature sensor"),
    "ChargingAbort": (Help.wait, "wait until it has cooled down; if it stays, call service: temperature sensor"),
    "VendorError": (Help.call_service, "see the message; if it stays, call service"),
    "VendorWarning": (Help.call_service, "see the message; charging goes on"),
}
"""By the name of the error without its namespace."""


def advice_on(type: str) -> str:
    """Return what to do about a type of error (`namespace/Name`)."""
    return _advice(type)[1]


def _advice(type: str) -> tuple[Help, str]:
    return ADVICE.get(type.rpartition("/")[2], (Help.call_service, "see the message; if it stays, call service"))


def help_for(evse: Evse, faults: Sequence[ActiveFault], modules: Sequence[Module]) -> tuple[Help, str]:
    """Return what would help this EVSE now, and why in a sentence; faults and modules that concern it."""
    blocking = next((fault for fault in faults if fault.blocks), None)
    if blocking is not None:
        return _advice(blocking.type)[0], f"{blocking.advice} ({blocking.type})"
    gone = next((module for module in modules if module.state is ModuleState.out_of_service), None)
    if gone is not None and gone.group == "charge":
        return Help.call_service, f"module {gone.id} is out of service: {gone.reason}"
    return _by_state(evse)


def _by_state(evse: Evse) -> tuple[Help, str]:
    match evse.state:
        case State.Unplugged:
            return Help.plug_in, "free for a car"
        case State.Reserved:
            return Help.authorize, "reserved: the token of the reservation is needed"
        case State.AuthRequired:
            return Help.authorize, "the car waits for a token, or for its contract to be accepted"
        case State.AuthTimeout:
            return Help.unplug, "no token came in time: unplug, plug in again and authorize"
        case State.Preparing:
            return Help.wait, evse.reason or "car and charger prepare the charge"
        case State.Charging | State.SwitchingPhases:
            return Help.nothing, ""
        case State.ChargingPausedEV:
            return Help.wait, "the car pauses; it goes on when it wants to"
        case State.ChargingPausedEVSE if "UserPause" in evse.reason:
            return Help.resume, "paused by a user or a back end (resume_charging)"
        case State.ChargingPausedEVSE:
            return Help.wait, evse.reason or "the charger pauses"
        case State.Finished | State.FinishedEV | State.FinishedEVSE:
            return Help.unplug, "the session is over"
        case State.Disabled:
            return Help.enable, evse.reason or "taken out of use by a person or a back end (enable_disable)"
        case _:
            return Help.wait, "its state is not known yet"
