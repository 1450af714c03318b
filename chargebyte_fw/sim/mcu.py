"""The virtual safety controller: INIT, RUNNING, SAFE on the same message declarations as the charger's driver.

Only what the protocol promises is modelled: nothing periodic before the first ChargeControl, safe state on any fault or
a silent host, no way out of the safe state but the reset line, contactors closed only in state C on the host's request.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from chargebyte_fw.board import timing
from chargebyte_fw.board.link.messages import error_texts as mcu_errors
from chargebyte_fw.board.link.messages.charge_som import (
    Action,
    ActionId,
    ChargeControl,
    ChargeState,
    ChipInfo,
    ContactorState,
    CpState,
    ErrorMessage,
    EstopState,
    FirmwareVersion,
    GitHash,
    InletState,
    Inquiry,
    PartNumber1,
    PartNumber2,
    PpState,
    Pt1000State,
    RcmState,
    SafeStateActive,
    SafeStateReason,
)
from chargebyte_fw.board.link.messages.declaration import Message
from chargebyte_fw.board.link.messages.framing import Frame, Receiver, encode, encode_message
from chargebyte_fw.board.link.messages.generations import Generation, generation_of
from chargebyte_fw.kernel.machine import Machine, Timeout, on
from chargebyte_fw.sim.mcu_hardware import RCM_TRIP_MA, Hardware
from chargebyte_fw.sim.mcu_pilot import PilotReading, read_pilot
from chargebyte_fw.sim.pilot import Pilot

HOST_SILENCE_S = 0.5
"""No ChargeControl for this long: safe state. The real value is not published; five missed frames are a choice."""
CONTACTOR_GRACE_S = 0.2
"""How long a contactor may take to follow."""


class Life(Enum):
    """Where the controller is in its life."""

    RESET = auto()
    """The reset line is pulled."""
    STARTING = auto()
    INIT = auto()
    RUNNING = auto()
    SAFE = auto()


@dataclass(frozen=True, slots=True)
class Bytes:
    """Event: bytes from the host."""

    data: bytes


@dataclass(frozen=True, slots=True)
class ResetLine:
    """Event: level of the reset line; low resets."""

    high: bool


@dataclass(frozen=True, slots=True)
class Changed:
    """Event: the pilot or the hardware is not as it was."""


@dataclass(frozen=True, slots=True)
class Transmit:
    """Effect: bytes to the host."""

    data: bytes


class VirtualMcu(Machine):
    """One controller on one pilot. `speed` is the clock's (timing.patient)."""

    def __init__(self, pilot: Pilot, hardware: Hardware | None = None, speed: float | None = None) -> None:
        super().__init__(Life.STARTING)
        self.pilot = pilot
        self.hardware = hardware or Hardware()
        self.control = ChargeControl()
        self.reason = SafeStateReason.NO_SAFE_STATE
        self._silence_s = timing.patient(HOST_SILENCE_S, speed)
        self._period_s = timing.period(timing.CYCLE_S, speed)
        self._speed = speed
        self._receiver = Receiver()
        self._reading = PilotReading(CpState.UNKNOWN, False, False)
        self._due: dict[str, float] = {}
        self._latched: PilotReading | None = None
        self._wanted = [False, False, False]
        self.contactor_log: list[tuple[float, int, bool]] = []
        """When which contactor (0 the first) closed or opened."""
        self.had_short_circuit = False
        self._rcm_testing = False
        self._last: tuple[ChargeState, Pt1000State, bytes] | None = None
        self.hardware_is_reset()

    @property
    def generation(self) -> Generation:
        """What the firmware says how."""
        return generation_of(self.hardware.firmware)

    def hardware_is_reset(self) -> None:
        """Forget everything and let go of everything, as the reset line does."""
        self.control = ChargeControl()
        self.reason = SafeStateReason.NO_SAFE_STATE
        self._receiver.reset()
        self._due.clear()
        self._rcm_testing = False
        self.pilot.drive_line(False, 0.0)
        self._order_contactors(False, None)
        self._reading = PilotReading(CpState.UNKNOWN, False, False)

    @on(event=ResetLine)
    def _reset_line(self, event: ResetLine, now: float) -> list[Any]:
        if not event.high:
            self.hardware_is_reset()
            return self.enter(Life.RESET)
        if self.state is not Life.RESET:
            return []
        self._due["ready"] = now + timing.READY_AFTER_RESET_S
        self.state = Life.STARTING
        return self._armed([])

    @on(Life.RESET, Life.STARTING, event=Bytes)
    def _deaf(self, _: Bytes, now: float) -> list[Any]:
        if self.state is Life.STARTING and "ready" not in self._due:
            # Powered up long ago: whoever speaks to it finds it ready.
            self.state = Life.INIT
            return self._bytes(_, now)
        return []

    @on(Life.INIT, Life.RUNNING, Life.SAFE, event=Bytes)
    def _bytes(self, event: Bytes, now: float) -> list[Any]:
        effects: list[Any] = []
        for frame in self._receiver.feed(event.data):
            effects += self._frame(frame, now)
        return self._armed(effects)

    def _frame(self, frame: Frame, now: float) -> list[Any]:
        if frame.com_id == ChargeControl.com_id:
            self._due["silence"] = now + self._silence_s
            control = ChargeControl.from_payload(frame.payload)
            if self.state is Life.INIT:
                self.state = Life.RUNNING
                self._due["cycle"] = now + self._period_s
                if self.hardware.checks_contactors_at_start:
                    self._due["grace"] = now + CONTACTOR_GRACE_S
            elif control == self.control:
                return []
            self.control = control
            return self._settle(now) if self.state is Life.RUNNING else []
        if frame.com_id == Inquiry.com_id:
            return self._answer(Inquiry.from_payload(frame.payload), now)
        return []

    def _answer(self, inquiry: Inquiry, now: float) -> list[Any]:
        hardware, reply = self.hardware, None
        newer = self.generation.has_part_number
        if inquiry.wanted == FirmwareVersion.com_id:
            reply = _message(hardware.firmware)
            return [reply, *(self._error(*error) for error in hardware.error_messages)]
        if inquiry.wanted == GitHash.com_id:
            return [_message(hardware.git_hash)]
        if inquiry.wanted == PartNumber1.com_id and newer:
            return [_message(PartNumber1(hardware.part_number[:8]))]
        if inquiry.wanted == PartNumber2.com_id and newer:
            return [_message(PartNumber2(hardware.part_number[8:16]))]
        if inquiry.wanted == ChipInfo.com_id and newer:
            return [_message(ChipInfo(hardware.chip_version))]
        if inquiry.wanted == Action.com_id:
            return [_message(Action(self._begin(inquiry.action, now)))]
        return []

    def _begin(self, action: ActionId, now: float) -> ActionId:
        if action in (ActionId.INLET_CLOSE, ActionId.INLET_OPEN):
            return action if self._move_plug_lock(action is ActionId.INLET_CLOSE, now) else ActionId.NONE
        able = self.hardware.rcm is not RcmState.NOT_CONFIGURED and self.generation.has_rcm
        if action is ActionId.RCM_SELF_TEST and able and self.state is Life.RUNNING and not self._rcm_testing:
            self._rcm_testing = True
            self._due["self test"] = now + self.hardware.rcm_self_test_s
            return action
        return ActionId.NONE

    def _move_plug_lock(self, close: bool, now: float) -> bool:
        motor = self.hardware.plug_lock
        if motor is None or not self.generation.has_inlet or self.state not in (Life.RUNNING, Life.SAFE):
            return False
        motor.position = InletState.CLOSING if close else InletState.OPENING
        self._due["plug lock"] = now + (motor.closing_s if close else motor.opening_s)
        return True

    def _plug_lock_moved(self) -> list[Any]:
        motor = self.hardware.plug_lock
        if motor is None:
            return []
        closing = motor.position is InletState.CLOSING
        if motor.jammed:
            motor.position = InletState.ERROR
            return [self._error("APP_INLET", 3 if closing else 5)]
        motor.position = InletState.CLOSED if closing else InletState.OPEN
        return []

    def _error(self, module: str, reason: int, data_1: int = 0xFFFF, data_2: int = 0xFFFF, active: bool = True) -> Any:
        number = mcu_errors.module_number(self.generation.error_modules, module)
        return _message(ErrorMessage(active, number, reason, data_1, data_2))

    def report_error(self, module: str, reason: int, active: bool = True) -> list[Any]:
        """Raise or take back an internal error; returns what to send."""
        return [self._error(module, reason, active=active)]

    @on(event=Changed)
    def _changed(self, _: Changed, now: float) -> list[Any]:
        return self._armed(self._settle(now)) if self.state in (Life.RUNNING, Life.SAFE) else []

    @on(event=Timeout)
    def _timeout(self, _: Timeout, now: float) -> list[Any]:
        over = [what for what, at in self._due.items() if at <= now]
        for what in over:
            del self._due[what]
        if "ready" in over:
            self.state = Life.INIT
            return self._armed([])
        effects: list[Any] = []
        for index, contactor in enumerate(self.hardware.contactors):
            if f"move {index}" in over:
                closed = self._wanted[index] and not contactor.stuck_open
                if closed is not contactor.closed:
                    self.contactor_log.append((now, index, closed))
                contactor.closed = closed
                self.had_short_circuit = self.had_short_circuit or self.hardware.short_circuit
        if "plug lock" in over:
            effects += self._plug_lock_moved()
        if "self test" in over:
            self._rcm_testing = False
        if "silence" in over and self.state is Life.RUNNING:
            effects += self._go_safe(SafeStateReason.COMMUNICATION_TIMEOUT, now)
        if over != ["cycle"]:
            failed = "self test" in over and self.hardware.rcm_self_test_fails
            effects += self._go_safe(SafeStateReason.RCM_SELF_TEST_FAILED, now) if failed else self._settle(now)
            if "grace" in over:
                effects += self._check_contactors(now)
        if "cycle" in over:
            self._due["cycle"] = now + self._period_s
            effects.append(self._periodic())
        return self._armed(effects)

    def _settle(self, now: float) -> list[Any]:
        """Bring everything in line with the host's order and what is measured."""
        if self.state is Life.RUNNING:
            self.pilot.drive_line(self.control.pwm_active, self.control.duty_percent)
        self._reading = read_pilot(self.pilot)
        if self.state is Life.RUNNING and (reason := self._fault()) is not None:
            return self._go_safe(reason, now)
        self._order_contactors(self.state is Life.RUNNING and self._may_close, now)
        self.pilot.contactors_closed = self.hardware.phases_connected > 0
        return []

    @property
    def _may_close(self) -> bool:
        wanted = self.control.contactor_1_close or self.control.contactor_2_close or self.control.contactor_3_close
        return wanted and self._reading.cp_state is CpState.C

    def _fault(self) -> SafeStateReason | None:
        if self.hardware.parameter_mismatch:
            return SafeStateReason.INTERNAL_ERROR
        for number, estop in enumerate(self.hardware.estops):
            if estop is EstopState.TRIPPED:
                return SafeStateReason(SafeStateReason.EMERGENCY_INPUT_1 + number)
        if self._reading.shorted:
            return SafeStateReason.CONTROL_PILOT_SHORT_CIRCUIT
        if self._reading.diode_fault:
            return SafeStateReason.CONTROL_PILOT_DIODE_NOT_DETECTED
        for number, channel in enumerate(self.hardware.temperatures):
            if channel.broken:
                return SafeStateReason(SafeStateReason.TEMPERATURE_1_MALFUNCTION + number)
            if channel.value_C is not None and channel.value_C >= channel.limit_C:
                return SafeStateReason(SafeStateReason.TEMPERATURE_1_OVER_TEMPERATURE + number)
        leaking = self.pilot.residual_current_mA >= RCM_TRIP_MA and self.pilot.contactors_closed
        if leaking and self.hardware.rcm is RcmState.MONITORING and self.generation.has_rcm:
            return SafeStateReason.RCM_TRIPPED
        return None

    def _go_safe(self, reason: SafeStateReason, now: float) -> list[Any]:
        seen = self._reading
        self.state, self.reason = Life.SAFE, reason
        self._rcm_testing = False
        self._due.pop("self test", None)
        self.pilot.drive_line(True, 0.0)
        self._order_contactors(False, now)
        self.pilot.contactors_closed = self.hardware.phases_connected > 0
        self._reading = read_pilot(self.pilot)
        if seen.diode_fault or seen.shorted:
            # What led here stays visible until the reset: at -12 V it could not be seen any more.
            self._latched = PilotReading(seen.cp_state, seen.diode_fault, seen.shorted)
        return []

    def _order_contactors(self, close: bool, now: float | None) -> None:
        """Begin to move what has to move; without a time (reset, power-up) everything is where it belongs at once."""
        if now is None:
            self._wanted = [False, False, False]
            self._latched = None
            for contactor in self.hardware.contactors:
                contactor.closed = contactor.closed and contactor.welded
            self.pilot.contactors_closed = self.hardware.phases_connected > 0
            return
        orders = (self.control.contactor_1_close, self.control.contactor_2_close, self.control.contactor_3_close)
        wanted = [close and order for order in orders]
        for index, contactor in enumerate(self.hardware.contactors):
            if wanted[index] is self._wanted[index]:
                continue
            self._wanted[index] = wanted[index]
            self._due["grace"] = now + CONTACTOR_GRACE_S
            if contactor.configured and (wanted[index] or not contactor.welded):
                self._due[f"move {index}"] = now + (contactor.closing_s if wanted[index] else contactor.opening_s)

    def _check_contactors(self, now: float) -> list[Any]:
        for index, contactor in enumerate(self.hardware.contactors):
            wanted = self._wanted[index]
            if contactor.configured and contactor.has_feedback and contactor.closed is not wanted:
                message = self._error("APP_HVSWITCH", 2 if wanted else 4, 0xFFFF, index)
                return [message, *self._go_safe(SafeStateReason.HIGH_VOLTAGE_SWITCH_MALFUNCTION, now)]
        return []

    def charge_state(self) -> ChargeState:
        """Return what is said every 100 ms."""
        safe = self.state is Life.SAFE
        reading = self._latched if safe and self._latched is not None else self._reading
        contactors = [
            _feedback(one.configured, (one.closed is not one.denies) if one.has_feedback else wanted)
            for one, wanted in zip(self.hardware.contactors, self._wanted, strict=True)
        ]
        motor = self.hardware.plug_lock
        return ChargeState(
            pwm_active=safe or self.control.pwm_active,
            safe_state_active=SafeStateActive.SAFE_STATE if safe else SafeStateActive.NORMAL,
            duty_percent=0.0 if safe else self.control.duty_percent,
            diode_fault=reading.diode_fault,
            cp_short_circuit=reading.shorted,
            cp_state=reading.cp_state,
            pp_state=PpState(self.pilot.pp_code),
            hv_ready=any(self._wanted),
            inlet=InletState.NOT_CONFIGURED if motor is None else motor.position,
            contactor_1=contactors[0],
            contactor_2=contactors[1],
            contactor_3=contactors[2],
            rcm=self._rcm_state(),
            estop_1=self.hardware.estops[0],
            estop_2=self.hardware.estops[1],
            estop_3=self.hardware.estops[2],
            safe_state_reason=self.reason,
        )

    def _rcm_state(self) -> RcmState:
        if self.reason in (SafeStateReason.RCM_TRIPPED, SafeStateReason.RCM_SELF_TEST_FAILED):
            return RcmState.ERROR
        return RcmState.SELF_TEST_RUNNING if self._rcm_testing else self.hardware.rcm

    def temperatures(self) -> Pt1000State:
        """Return what is said of the temperature channels every 100 ms."""
        fields: dict[str, Any] = {}
        for number, channel in enumerate(self.hardware.temperatures, 1):
            hot = channel.value_C is not None and channel.value_C >= channel.limit_C
            fields[f"temperature_{number}_C"] = channel.value_C
            fields[f"self_test_failed_{number}"] = channel.broken
            fields[f"stops_charging_{number}"] = hot
        return Pt1000State(**fields)

    def _periodic(self) -> Transmit:
        state, temperatures = self.charge_state(), self.temperatures()
        if self._last is None or self._last[0] != state or self._last[1] != temperatures:
            data = encode(ChargeState.com_id, self.generation.state_payload(state)) + encode_message(temperatures)
            self._last = (state, temperatures, data)
        return Transmit(self._last[2])

    def _armed(self, effects: list[Any]) -> list[Any]:
        self.deadline = min(self._due.values(), default=None)
        return effects


def _message(message: Message) -> Transmit:
    return Transmit(encode_message(message))


def _feedback(is_configured: bool, closed: bool) -> ContactorState:
    if not is_configured:
        return ContactorState.UNUSED
    return ContactorState.CLOSED if closed else ContactorState.OPEN
