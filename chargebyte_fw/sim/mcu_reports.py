"""What the virtual safety controller reports every 100 ms: CHARGE_STATE and PT1000_STATE from what surrounds it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from chargebyte_fw.board.link.messages.charge_som import (
    ChargeControl,
    ChargeState,
    ContactorState,
    CpState,
    InletState,
    PpState,
    Pt1000State,
    RcmState,
    SafeStateActive,
    SafeStateReason,
)
from chargebyte_fw.sim.mcu_hardware import Hardware
from chargebyte_fw.sim.mcu_pilot import PilotReading


@dataclass(slots=True)
class McuLife:
    """What the controller knows from its reset to the next; replaced whole."""

    control: ChargeControl = field(default_factory=ChargeControl)
    """The host's order."""
    reading: PilotReading = field(default_factory=lambda: PilotReading(CpState.UNKNOWN, False, False))
    reason: SafeStateReason = SafeStateReason.NO_SAFE_STATE
    latched: PilotReading | None = None
    """The pilot that led to the safe state, where it stays visible."""
    ordered: tuple[bool, bool, bool] = (False, False, False)
    """Which contactors are driven."""
    rcm_testing: bool = False


def charge_state(life: McuLife, hardware: Hardware, pp_code: int, *, safe: bool) -> ChargeState:
    """Return CHARGE_STATE. `safe`: the controller is in its safe state; `pp_code`: of the proximity pilot."""
    reading = life.latched if safe and life.latched is not None else life.reading
    contactors = [
        _feedback(one.configured, (one.closed is not one.denies) if one.has_feedback else ordered)
        for one, ordered in zip(hardware.contactors, life.ordered, strict=True)
    ]
    motor = hardware.plug_lock
    return ChargeState(
        pwm_active=safe or life.control.pwm_active,
        safe_state_active=SafeStateActive.SAFE_STATE if safe else SafeStateActive.NORMAL,
        duty_percent=0.0 if safe else life.control.duty_percent,
        diode_fault=reading.diode_fault,
        cp_short_circuit=reading.shorted,
        cp_state=reading.cp_state,
        pp_state=PpState(pp_code),
        hv_ready=any(life.ordered),
        inlet=InletState.NOT_CONFIGURED if motor is None else motor.position,
        contactor_1=contactors[0],
        contactor_2=contactors[1],
        contactor_3=contactors[2],
        rcm=_rcm_state(life, hardware),
        estop_1=hardware.estops[0],
        estop_2=hardware.estops[1],
        estop_3=hardware.estops[2],
        safe_state_reason=life.reason,
    )


def _feedback(is_configured: bool, closed: bool) -> ContactorState:
    if not is_configured:
        return ContactorState.UNUSED
    return ContactorState.CLOSED if closed else ContactorState.OPEN


def _rcm_state(life: McuLife, hardware: Hardware) -> RcmState:
    if life.reason in (SafeStateReason.RCM_TRIPPED, SafeStateReason.RCM_SELF_TEST_FAILED):
        return RcmState.ERROR
    return RcmState.SELF_TEST_RUNNING if life.rcm_testing else hardware.rcm


def temperatures(hardware: Hardware) -> Pt1000State:
    """Return PT1000_STATE."""
    fields: dict[str, Any] = {}
    for number, channel in enumerate(hardware.temperatures, 1):
        hot = channel.value_C is not None and channel.value_C >= channel.limit_C
        fields[f"temperature_{number}_C"] = channel.value_C
        fields[f"self_test_failed_{number}"] = channel.broken
        fields[f"stops_charging_{number}"] = hot
    return Pt1000State(**fields)
