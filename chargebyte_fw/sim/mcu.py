"""The virtual safety controller: INIT, RUNNING, SAFE on the same message declarations as the charger's driver.

Only what the protocol promises is modelled: nothing periodic before the first ChargeControl, safe state on any fault or
a silent host, no way out of the safe state but the reset line, contactors closed only in state C on the host's request.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from chargebyte_fw.board import timing
from chargebyte_fw.board.link.messages import error_texts
from chargebyte_fw.board.link.messages.charge_som import (
    Action,
    ActionId,
    ChargeControl,
    ChargeState,
    ChipInfo,
    CpState,
    ErrorMessage,
    EstopState,
    FirmwareVersion,
    GitHash,
    InletState,
    Inquiry,
    PartNumber1,
    PartNumber2,
    Pt1000State,
    RcmState,
    SafeStateReason,
)
from chargebyte_fw.board.link.messages.declaration import Message
from chargebyte_fw.board.link.messages.framing import Receiver, encode, encode_message
from chargebyte_fw.board.link.messages.generations import Generation, generation_of
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.sim import mcu_reports
from chargebyte_fw.sim.mcu_hardware import RCM_TRIP_MA, Hardware
from chargebyte_fw.sim.mcu_pilot import PilotReading, read_pilot
from chargebyte_fw.sim.mcu_reports import McuLife
from chargebyte_fw.sim.pilot import Pilot

HOST_SILENCE_S = 0.5
"""No ChargeControl for this long: safe state. The real value is not published; five missed frames are a choice."""
CONTACTOR_GRACE_S = 0.2
"""How long a contactor may take to follow."""


class McuState(Enum):
    """Where the controller is in its life."""

    POWERED = auto()
    """Powered up long ago: the first bytes find it ready."""
    RESET = auto()
    """The reset line is pulled."""
    BOOTING = auto()
    INIT = auto()
    """Inquiries are answered; nothing periodic is sent."""
    RUNNING = auto()
    SAFE = auto()


_S = McuState
_STARTED = (_S.RUNNING, _S.SAFE)
_READY = (_S.INIT, *_STARTED)


@dataclass(frozen=True, slots=True)
class BytesReceived:
    """Event: bytes from the host."""

    data: bytes


@dataclass(frozen=True, slots=True)
class ResetLine:
    """Event: level of the reset line; low resets."""

    high: bool


@dataclass(frozen=True, slots=True)
class InputsChanged:
    """Event: the pilot or the hardware is not as it was."""


@dataclass(frozen=True, slots=True)
class Transmit:
    """Effect: bytes to the host."""

    data: bytes


class VirtualMcu(Machine):
    """One controller on one pilot. `speed` is the clock's (timing.patient).

    Of timers that are over at the same time `report` comes last (by its name), so that it reports what the others do.
    """

    initial = McuState.POWERED

    def __init__(self, pilot: Pilot, hardware: Hardware | None = None, speed: float | None = None) -> None:
        super().__init__()
        self.pilot = pilot
        self.hardware = hardware or Hardware()
        self.life = McuLife()
        self._silence_s = timing.patient(HOST_SILENCE_S, speed)
        self._period_s = timing.period(timing.CYCLE_S, speed)
        self._receiver = Receiver()
        self.contactor_log: list[tuple[float, int, bool]] = []
        """When which contactor (0 the first) closed or opened."""
        self.had_short_circuit = False
        self._reported: tuple[ChargeState, Pt1000State, bytes] | None = None
        self.hardware_is_reset()

    @property
    def generation(self) -> Generation:
        """The generation of the firmware."""
        return generation_of(self.hardware.firmware)

    @property
    def control(self) -> ChargeControl:
        """The host's order."""
        return self.life.control

    @property
    def reason(self) -> SafeStateReason:
        """Why it is in its safe state."""
        return self.life.reason

    # Reset and start.

    def hardware_is_reset(self) -> None:
        """Forget everything and open everything, as the reset line does."""
        self.life = McuLife()
        self._receiver.reset()
        self.pilot.drive_line(False, 0.0)
        for contactor in self.hardware.contactors:
            contactor.closed = contactor.closed and contactor.welded
        self.pilot.contactors_closed = self.hardware.phases_connected > 0

    @on(*McuState, event=ResetLine, to=(_S.RESET, _S.BOOTING))
    def _reset_line(self, event: ResetLine, now: float) -> list[Any]:
        """Reset on a low level; boot when it is released."""
        if not event.high:
            self.hardware_is_reset()
            return self.enter(_S.RESET)
        if self.state is not _S.RESET:
            return []
        self.start("boot", now + timing.READY_AFTER_RESET_S)
        return self.enter(_S.BOOTING)

    @on(_S.BOOTING, timer="boot", to=_S.INIT)
    def _booted(self, now: float) -> list[Any]:
        """Answer from now on."""
        return self.enter(_S.INIT)

    @on(_S.RESET, _S.BOOTING, event=BytesReceived)
    def _deaf(self, _: BytesReceived, now: float) -> None:
        """Receive nothing."""

    @on(_S.POWERED, event=BytesReceived, to=_S.INIT)
    def _found_ready(self, event: BytesReceived, now: float) -> list[Any]:
        """Answer: it was ready long ago."""
        self.enter(_S.INIT)
        return self.feed(event, now)

    # Frames of the host.

    @on(*_READY, event=BytesReceived)
    def _received(self, event: BytesReceived, now: float) -> list[Any]:
        """Cut frames; control and inquiry have rows of their own."""
        effects: list[Any] = []
        for frame in self._receiver.feed(event.data):
            if frame.com_id == ChargeControl.com_id:
                effects += self.feed(ChargeControl.from_payload(frame.payload), now)
            elif frame.com_id == Inquiry.com_id:
                effects += self.feed(Inquiry.from_payload(frame.payload), now)
        return effects

    @on(_S.INIT, event=ChargeControl, to=_STARTED)
    def _first_control(self, control: ChargeControl, now: float) -> list[Any]:
        """Run: report every 100 ms, follow the order."""
        self.start("report", now + self._period_s)
        if self.hardware.checks_contactors_at_start:
            self.start("grace", now + CONTACTOR_GRACE_S)
        self.start("host silence", now + self._silence_s)
        self.life.control = control
        self.enter(_S.RUNNING)
        return self._settle(now)

    @on(_S.RUNNING, event=ChargeControl, to=_S.SAFE)
    def _control(self, control: ChargeControl, now: float) -> list[Any]:
        """Follow the order."""
        self.start("host silence", now + self._silence_s)
        if control == self.life.control:
            return []
        self.life.control = control
        return self._settle(now)

    @on(_S.SAFE, event=ChargeControl)
    def _control_in_vain(self, control: ChargeControl, now: float) -> None:
        """Keep the order; only a reset leads out of the safe state."""
        self.life.control = control

    @on(_S.RUNNING, timer="host silence", to=_S.SAFE)
    def _host_is_silent(self, now: float) -> list[Any]:
        """Go to the safe state."""
        return [*self._go_safe(SafeStateReason.COMMUNICATION_TIMEOUT, now), *self._settle(now)]

    @on(*_READY, event=Inquiry)
    def _inquiry(self, inquiry: Inquiry, now: float) -> list[Any]:
        """Answer."""
        hardware, newer = self.hardware, self.generation.has_part_number
        if inquiry.wanted == FirmwareVersion.com_id:
            return [_message(hardware.firmware), *(self._error(*error) for error in hardware.error_messages)]
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

    # Actions.

    def _begin(self, action: ActionId, now: float) -> ActionId:
        if action in (ActionId.INLET_CLOSE, ActionId.INLET_OPEN):
            return action if self._move_plug_lock(action is ActionId.INLET_CLOSE, now) else ActionId.NONE
        able = self.hardware.rcm is not RcmState.NOT_CONFIGURED and self.generation.has_rcm
        if action is ActionId.RCM_SELF_TEST and able and self.state is _S.RUNNING and not self.life.rcm_testing:
            self.life.rcm_testing = True
            self.start("rcm self test", now + self.hardware.rcm_self_test_s)
            return action
        return ActionId.NONE

    @on(_S.RUNNING, timer="rcm self test", to=_S.SAFE)
    def _rcm_tested(self, now: float) -> list[Any]:
        """End the self-test."""
        self.life.rcm_testing = False
        if self.hardware.rcm_self_test_fails:
            return self._go_safe(SafeStateReason.RCM_SELF_TEST_FAILED, now)
        return self._settle(now)

    def _move_plug_lock(self, close: bool, now: float) -> bool:
        motor = self.hardware.plug_lock
        if motor is None or not self.generation.has_inlet or self.state not in _STARTED:
            return False
        motor.position = InletState.CLOSING if close else InletState.OPENING
        self.start("plug lock", now + (motor.closing_s if close else motor.opening_s))
        return True

    @on(*_STARTED, timer="plug lock", to=_S.SAFE)
    def _plug_lock_moved(self, now: float) -> list[Any]:
        """Report where the lock is; one that is jammed is an error."""
        effects: list[Any] = []
        if (motor := self.hardware.plug_lock) is not None:
            closing = motor.position is InletState.CLOSING
            if motor.jammed:
                motor.position = InletState.ERROR
                effects.append(self._error("APP_INLET", 3 if closing else 5))
            else:
                motor.position = InletState.CLOSED if closing else InletState.OPEN
        return [*effects, *self._settle(now)]

    def _error(self, module: str, reason: int, data_1: int = 0xFFFF, data_2: int = 0xFFFF, active: bool = True) -> Any:
        number = error_texts.module_number(self.generation.error_modules, module)
        return _message(ErrorMessage(active, number, reason, data_1, data_2))

    def report_error(self, module: str, reason: int, active: bool = True) -> list[Any]:
        """Raise or clear an internal error; returns what to send."""
        return [self._error(module, reason, active=active)]

    # Pilot, faults and the safe state.

    @on(*_STARTED, event=InputsChanged, to=_S.SAFE)
    def _inputs_changed(self, _: InputsChanged, now: float) -> list[Any]:
        """Measure, and follow."""
        return self._settle(now)

    @on(_S.POWERED, _S.RESET, _S.BOOTING, _S.INIT, event=InputsChanged)
    def _measure_later(self, _: InputsChanged, now: float) -> None:
        """Measure nothing yet."""

    def _settle(self, now: float) -> list[Any]:
        """Bring everything in line with the host's order and what is measured."""
        if self.state is _S.RUNNING:
            self.pilot.drive_line(self.life.control.pwm_active, self.life.control.duty_percent)
        self.life.reading = read_pilot(self.pilot)
        if self.state is _S.RUNNING and (reason := self._fault()) is not None:
            return self._go_safe(reason, now)
        self._drive_contactors(self.state is _S.RUNNING and self._may_close, now)
        self.pilot.contactors_closed = self.hardware.phases_connected > 0
        return []

    @property
    def _may_close(self) -> bool:
        return any(_ordered(self.life.control)) and self.life.reading.cp_state is CpState.C

    def _fault(self) -> SafeStateReason | None:
        """Return why the controller goes to its safe state; None: it does not."""
        if self.hardware.parameter_mismatch:
            return SafeStateReason.INTERNAL_ERROR
        for number, estop in enumerate(self.hardware.estops):
            if estop is EstopState.TRIPPED:
                return SafeStateReason(SafeStateReason.EMERGENCY_INPUT_1 + number)
        if self.life.reading.shorted:
            return SafeStateReason.CONTROL_PILOT_SHORT_CIRCUIT
        if self.life.reading.diode_fault:
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
        life, seen = self.life, self.life.reading
        life.reason, life.rcm_testing = reason, False
        self.enter(_S.SAFE)
        self.pilot.drive_line(True, 0.0)
        self._drive_contactors(False, now)
        self.pilot.contactors_closed = self.hardware.phases_connected > 0
        life.reading = read_pilot(self.pilot)
        if seen.diode_fault or seen.shorted:
            # What led here stays visible until the reset: at -12 V it could not be seen any more.
            life.latched = PilotReading(seen.cp_state, seen.diode_fault, seen.shorted)
        return []

    # Contactors.

    def _drive_contactors(self, close: bool, now: float) -> None:
        """Begin to move what has to move."""
        before = self.life.ordered
        first, second, third = (close and order for order in _ordered(self.life.control))
        self.life.ordered = (first, second, third)
        for index, (contactor, ordered) in enumerate(zip(self.hardware.contactors, self.life.ordered, strict=True)):
            if ordered is before[index]:
                continue
            self.start("grace", now + CONTACTOR_GRACE_S)
            if contactor.configured and (ordered or not contactor.welded):
                moves_s = contactor.closing_s if ordered else contactor.opening_s
                self.start(f"contactor {index + 1}", now + moves_s)

    @on(*_STARTED, timer="contactor 1", to=_S.SAFE)
    def _contactor_1_moved(self, now: float) -> list[Any]:
        """Contactor 1 is where it was driven to."""
        return self._moved(0, now)

    @on(*_STARTED, timer="contactor 2", to=_S.SAFE)
    def _contactor_2_moved(self, now: float) -> list[Any]:
        """Contactor 2 is where it was driven to."""
        return self._moved(1, now)

    @on(*_STARTED, timer="contactor 3", to=_S.SAFE)
    def _contactor_3_moved(self, now: float) -> list[Any]:
        """Contactor 3 is where it was driven to."""
        return self._moved(2, now)

    def _moved(self, index: int, now: float) -> list[Any]:
        contactor = self.hardware.contactors[index]
        closed = self.life.ordered[index] and not contactor.stuck_open
        if closed is not contactor.closed:
            self.contactor_log.append((now, index, closed))
        contactor.closed = closed
        self.had_short_circuit = self.had_short_circuit or self.hardware.short_circuit
        return self._settle(now)

    @on(*_STARTED, timer="grace", to=_S.SAFE)
    def _check_contactors(self, now: float) -> list[Any]:
        """Go to the safe state for a contactor that did not follow."""
        effects = self._settle(now)
        for index, (contactor, ordered) in enumerate(zip(self.hardware.contactors, self.life.ordered, strict=True)):
            if contactor.configured and contactor.has_feedback and contactor.closed is not ordered:
                error = self._error("APP_HVSWITCH", 2 if ordered else 4, 0xFFFF, index)
                return [*effects, error, *self._go_safe(SafeStateReason.HIGH_VOLTAGE_SWITCH_MALFUNCTION, now)]
        return effects

    # Reports.

    @on(*_STARTED, timer="report")
    def _report(self, now: float) -> list[Any]:
        """Send CHARGE_STATE and PT1000_STATE."""
        self.start("report", now + self._period_s)
        state, temperatures = self.charge_state(), mcu_reports.temperatures(self.hardware)
        if self._reported is None or self._reported[0] != state or self._reported[1] != temperatures:
            data = encode(ChargeState.com_id, self.generation.state_payload(state)) + encode_message(temperatures)
            self._reported = (state, temperatures, data)
        return [Transmit(self._reported[2])]

    def charge_state(self) -> ChargeState:
        """Return what is reported every 100 ms."""
        return mcu_reports.charge_state(self.life, self.hardware, self.pilot.pp_code, safe=self.state is _S.SAFE)


def _ordered(control: ChargeControl) -> tuple[bool, bool, bool]:
    return control.contactor_1_close, control.contactor_2_close, control.contactor_3_close


def _message(message: Message) -> Transmit:
    return Transmit(encode_message(message))
