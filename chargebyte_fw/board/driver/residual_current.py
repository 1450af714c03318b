"""The residual current monitor: its trip, which only an unplugged car or an order ends, and its self-test."""

from __future__ import annotations

from typing import Any

import msgspec

from chargebyte_fw.board.driver.charge_state import PLUGGED_IN
from chargebyte_fw.board.driver.fault_table import FaultKey, Faults, FaultTable, Implementation
from chargebyte_fw.board.link.messages.charge_som import ChargeState, CpState, RcmState, SafeStateReason

SELF_TEST = FaultKey(Implementation.RCD, "ac_rcd/Selftest")
RESIDUAL_CURRENT = FaultKey(Implementation.RCD, "ac_rcd/DC")
_MONITOR, _ORDERED_TEST = "residual current", "self test"


class SelfTest(msgspec.Struct):
    """The self-test since the controller's reset."""

    ordered: bool = False
    """It was ordered and accepted, and has not ended."""
    seen: bool = False
    """The monitor has reported that it runs."""


class ResidualCurrent:
    """What is known of the monitor. `tripped` ends with the plug-in, or by `ac_rcd.reset`; `self_test` with a reset."""

    def __init__(self, faults: FaultTable) -> None:
        self.tripped = False
        self.self_test = SelfTest()
        self._faults = faults
        self._plugged_in: bool | None = None
        """Whether a car was there when the pilot showed it last; None: it did not yet."""

    def controller_reset(self) -> None:
        """Forget the self-test: the controller begins anew."""
        self.self_test = SelfTest()

    def follow_trip(self, state: ChargeState) -> None:
        """Take note of a trip: a reset of the controller alone must not close onto the same leak again."""
        if state.safe_state_reason is SafeStateReason.RCM_TRIPPED or self._leaks(state):
            self.tripped = True
        elif (state.cp_state is CpState.A or self._plugged_in is False) and state.rcm is not RcmState.ERROR:
            # State F, which a fault brings, hides that there is no car: what was seen last counts.
            self.tripped = False
        if state.cp_state is CpState.A:
            self._plugged_in = False
        elif state.cp_state in PLUGGED_IN:
            self._plugged_in = True

    def _leaks(self, state: ChargeState) -> bool:
        """Whether the monitor reports a residual current by itself, without the controller's safe state."""
        if state.rcm is not RcmState.ERROR or state.safe_state_reason is SafeStateReason.RCM_SELF_TEST_FAILED:
            return False
        test_failed = SELF_TEST in self._faults.raised(_MONITOR) or SELF_TEST in self._faults.raised(_ORDERED_TEST)
        return not self.self_test.ordered and not test_failed

    def look(self, state: ChargeState) -> list[Any]:
        """Return what the monitor's state raises or clears."""
        before = self._faults.raised(_MONITOR)
        wanted: Faults = before
        test = self.self_test
        if state.rcm is RcmState.SELF_TEST_RUNNING:
            test.seen = True
        elif state.rcm is RcmState.ERROR:
            if not before:
                failed = {SELF_TEST: "the residual current monitor failed its self-test"}
                wanted = failed if test.ordered else {RESIDUAL_CURRENT: "the residual current monitor has tripped"}
            test.ordered = False
        else:
            wanted = before if self.tripped else {}
            if test.seen:
                self.self_test = SelfTest()
        return self._faults.settle(_MONITOR, wanted)

    def test_refused(self) -> list[Any]:
        """Return the fault of an ordered self-test that the controller did not accept."""
        return self._faults.settle(_ORDERED_TEST, {SELF_TEST: "the safety controller did not accept the self-test"})

    def monitoring_began(self) -> list[Any]:
        """Return what a monitor that is well again clears."""
        return self._faults.settle(_ORDERED_TEST, {})
