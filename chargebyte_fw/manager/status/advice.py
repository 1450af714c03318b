"""What a person can do about a fault, and what would help an EVSE now."""

from __future__ import annotations

from collections.abc import Sequence

from chargebyte_fw.contracts.fault_advice import advice_of
from chargebyte_fw.manager.status.model import ActiveFault, Evse, Help, Module, ModuleState, State


def help_for(evse: Evse, faults: Sequence[ActiveFault], modules: Sequence[Module]) -> tuple[Help, str]:
    """Return what would help this EVSE now, and why in a sentence; faults and modules that concern it."""
    blocking = next((fault for fault in faults if fault.blocks), None)
    if blocking is not None:
        first = advice_of(blocking.type, blocking.sub_type, blocking.implementation).helps[0]
        return Help(first.value), f"{blocking.advice} ({blocking.type})"
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
