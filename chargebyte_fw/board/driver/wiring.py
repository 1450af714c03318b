"""How contactors are wired: which of them carry the current, and what the parameter block must call them."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from chargebyte_fw.board.link.messages.charge_som import ChargeState, ContactorState

Orders = tuple[bool, bool, bool]
"""Whether each contactor is ordered to be closed, the first one first."""

ALL_OPEN: Orders = (False, False, False)
BOTH: Orders = (True, True, False)
PRIMARY: Orders = (True, False, False)
SECONDARY: Orders = (False, True, False)
EVERY: Orders = (True, True, True)


class FeedbackType(StrEnum):
    """The auxiliary contact that shows whether a contactor is closed: none, normally open, normally closed."""

    none = "none"
    no = "no"
    nc = "nc"


class PhaseWiring(StrEnum):
    """How two contactors make one or three phases."""

    none = "none"
    serial = "serial"
    simultaneous = "simultaneous"
    mutual = "mutual"


class DcWiring(StrEnum):
    """How contactors switch direct current: not at all, one for both poles, one for each (1 plus, 2 minus)."""

    none = "none"
    single = "single"
    dual = "dual"


PARAMETER_VALUES = {
    FeedbackType.none: "without-feedback",
    FeedbackType.no: "with-feedback-normally-open",
    FeedbackType.nc: "with-feedback-normally-closed",
}
"""A contactor's value in the parameter block."""


class Wiring(msgspec.Struct, frozen=True):
    """What is wired; `dc` None: alternating current. Without phase switching every contactor that exists is closed."""

    phases: PhaseWiring = PhaseWiring.none
    dc: DcWiring | None = None
    feedback: tuple[FeedbackType, FeedbackType] = (FeedbackType.none, FeedbackType.none)

    @property
    def in_series(self) -> bool:
        """Whether the secondary contactor must not be switched under load."""
        return self.phases is PhaseWiring.serial and self.dc is None

    @property
    def needed(self) -> tuple[bool, bool]:
        """Whether the first and the second contactor must exist."""
        if self.dc is not None:
            return self.dc is not DcWiring.none, self.dc is DcWiring.dual
        both = self.phases is not PhaseWiring.none
        return both, both

    def closed(self, three: bool) -> Orders:
        """Return which contactors carry the current of three phases (or one)."""
        if self.dc is not None:
            return {DcWiring.dual: BOTH, DcWiring.single: PRIMARY, DcWiring.none: EVERY}[self.dc]
        match self.phases:
            case PhaseWiring.none:
                return EVERY
            case PhaseWiring.mutual:
                return PRIMARY if three else SECONDARY
            case _:
                return BOTH if three else PRIMARY

    def contradiction(self, state: ChargeState) -> str:
        """Return where the parameter block has other contactors than this wiring; empty: nowhere."""
        for number, needed in enumerate(self.needed, 1):
            if needed and state.contactors[number - 1] is ContactorState.UNUSED:
                value = PARAMETER_VALUES[self.feedback[number - 1]]
                return f"the wiring needs contactor {number}: the parameter block must call it {value}"
        if self.dc is DcWiring.none and any(one is not ContactorState.UNUSED for one in state.contactors):
            return "dc_contactor_wiring is none: the parameter block must call every contactor disabled"
        return ""
