"""What differs between firmware generations, each written as its difference; chosen once from FW_VERSION.

Which text belongs to which firmware is published only in part: the contactor bits changed after 0.2.5 (the only texts
without an HVSWITCH module are of that age), the plug lock came with parameter block version 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import msgspec

from chargebyte_fw.board.link.messages import charge_som as messages
from chargebyte_fw.board.link.messages import error_texts as mcu_errors
from chargebyte_fw.board.link.messages import mcs as mcs  # declares the messages of the MCS boards
from chargebyte_fw.board.link.messages import service as messages_service
from chargebyte_fw.board.link.messages.charge_som import (
    ChargeState,
    ContactorState,
    CpState,
    EstopState,
    FirmwareVersion,
    Platform,
    PpState,
    SafeStateActive,
    SafeStateReason,
)
from chargebyte_fw.board.link.messages.declaration import Message, OpenEnum, Sender, bits, declared, frame
from chargebyte_fw.board.link.messages.framing import Frame

_SERVICE = messages_service.__name__
LAST_OLD_CONTACTOR_BITS = (0, 2, 5)
LAST_WITHOUT_PART_NUMBER = (0, 2, 9)
FIRST_WITH_RCM = (0, 4, 0)
FIRST_PARAMETER_BLOCK_WITH_INLET = 3


class OldContactorState(OpenEnum):
    """A contactor as firmware up to 0.2.5 reports it."""

    OPEN = 0
    CLOSED = 1
    NOT_CONFIGURED = 3


_OLD_TO_NEW = {
    OldContactorState.OPEN: ContactorState.OPEN,
    OldContactorState.CLOSED: ContactorState.CLOSED,
    OldContactorState.NOT_CONFIGURED: ContactorState.UNUSED,
}
_NEW_TO_OLD = {new: old for old, new in _OLD_TO_NEW.items()}


@frame(0x07, Sender.MCU, generation=True)
class ChargeStateUpTo025(Message):
    """ChargeState of firmware up to 0.2.5: two contactors with an error flag each, no plug lock, no RCM."""

    pwm_active: bool = bits(63, default=False)
    safe_state_active: SafeStateActive = bits(59, 58, default=SafeStateActive.NORMAL)
    duty_percent: float = bits(57, 48, scale=0.1, unit="%", default=0.0)
    diode_fault: bool = bits(44, default=False)
    cp_short_circuit: bool = bits(43, default=False)
    cp_state: CpState = bits(42, 40, default=CpState.UNKNOWN)
    pp_state: PpState = bits(34, 32, default=PpState.NO_CABLE)
    hv_ready: bool = bits(30, default=False)
    contactor_2_error: bool = bits(29, default=False)
    contactor_2: OldContactorState = bits(28, 27, default=OldContactorState.NOT_CONFIGURED)
    contactor_1_error: bool = bits(26, default=False)
    contactor_1: OldContactorState = bits(25, 24, default=OldContactorState.NOT_CONFIGURED)
    estop_3: EstopState = bits(21, 20, default=EstopState.NOT_TRIPPED)
    estop_2: EstopState = bits(19, 18, default=EstopState.NOT_TRIPPED)
    estop_1: EstopState = bits(17, 16, default=EstopState.NOT_TRIPPED)
    safe_state_reason: SafeStateReason = bits(15, 8, default=SafeStateReason.NO_SAFE_STATE)

    _COMMON = (
        "pwm_active safe_state_active duty_percent diode_fault cp_short_circuit cp_state pp_state hv_ready "
        "estop_3 estop_2 estop_1"
    )

    def modern(self) -> ChargeState:
        """Return the same in today's layout; an error flag becomes the safe-state reason that replaced it."""
        failed = self.contactor_1_error or self.contactor_2_error
        return ChargeState(
            **{name: getattr(self, name) for name in self._COMMON.split()},
            contactor_1=_OLD_TO_NEW.get(self.contactor_1, ContactorState.UNDEFINED),
            contactor_2=_OLD_TO_NEW.get(self.contactor_2, ContactorState.UNDEFINED),
            contactor_3=ContactorState.UNUSED,
            safe_state_reason=SafeStateReason.HIGH_VOLTAGE_SWITCH_MALFUNCTION if failed else self.safe_state_reason,
        )

    @classmethod
    def from_modern(cls, state: ChargeState) -> ChargeStateUpTo025:
        """Return today's state as firmware up to 0.2.5 lays it out (the third contactor did not exist)."""
        failed = state.contactor_fault
        return cls(
            **{name: getattr(state, name) for name in cls._COMMON.split()},
            contactor_1=_NEW_TO_OLD.get(state.contactor_1, OldContactorState.OPEN),
            contactor_2=_NEW_TO_OLD.get(state.contactor_2, OldContactorState.OPEN),
            contactor_1_error=failed,
            safe_state_reason=SafeStateReason.UNDEFINED if failed else state.safe_state_reason,
        )


@cache
def _spoken_by_mcu() -> Mapping[int, type[Message]]:
    return {
        message.com_id: message
        for message in declared()
        if message.sender is Sender.MCU and message.__module__ != _SERVICE
    }


class Generation(msgspec.Struct, frozen=True):
    """One firmware generation: its messages and their layout."""

    old_contactor_bits: bool = False
    """ChargeState is laid out as up to 0.2.5."""
    error_modules: tuple[str, ...] = mcu_errors.MODULES_HVSWITCH
    has_part_number: bool = True
    has_rcm: bool = True
    has_inlet: bool = False
    is_mcs: bool = False
    """Speaks ChargeControl2 and ChargeState2 in place of ChargeControl and ChargeState."""

    def decode(self, received: Frame) -> Message | None:
        """Return a message of the controller in today's layout; None for an id that it has no business to send."""
        if received.com_id == ChargeState.com_id and self.old_contactor_bits:
            return ChargeStateUpTo025.from_payload(received.payload).modern()
        kind = _spoken_by_mcu().get(received.com_id)
        return None if kind is None else kind.from_payload(received.payload)

    def state_payload(self, state: ChargeState) -> bytes:
        """Return ChargeState's payload as this generation lays it out (the controller's side)."""
        if self.old_contactor_bits:
            return ChargeStateUpTo025.from_modern(state).payload()
        if not self.has_rcm:
            state = state.changed(rcm=messages.RcmState.NOT_CONFIGURED)
        if not self.has_inlet:
            state = state.changed(inlet=messages.InletState.UNDEFINED)
        return state.payload()

    def error_text(self, error: messages.ErrorMessage) -> tuple[str, str]:
        """Return the name of an error message's module and its reason in words."""
        module = mcu_errors.module_name(self.error_modules, error.module)
        return module, mcu_errors.reason_text(module, error.reason)


TODAY = Generation()


def generation_of(firmware: FirmwareVersion) -> Generation:
    """Choose the generation of what answered the inquiry."""
    mcs = firmware.platform is Platform.CHARGE_CONTROL_Y
    old = firmware.version <= LAST_OLD_CONTACTOR_BITS
    inlet = firmware.parameter_version >= FIRST_PARAMETER_BLOCK_WITH_INLET
    if mcs or old:
        modules = mcu_errors.MODULES_BEFORE_HVSWITCH
    else:
        modules = mcu_errors.MODULES_INLET if inlet else mcu_errors.MODULES_HVSWITCH
    return Generation(
        old_contactor_bits=old and not mcs,
        error_modules=modules,
        has_part_number=firmware.version > LAST_WITHOUT_PART_NUMBER,
        has_rcm=firmware.version >= FIRST_WITH_RCM,
        has_inlet=inlet and not old,
        is_mcs=mcs,
    )
