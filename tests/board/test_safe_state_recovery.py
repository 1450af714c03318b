"""When the controller is reset out of its safe state: the pauses, and which safe state is the same one again."""

from __future__ import annotations

import pytest

from chargebyte_fw.board.driver.safe_state_recovery import SafeStateRecovery
from chargebyte_fw.board.link.messages.charge_som import ChargeState, CpState, SafeStateActive, SafeStateReason

LOCK, RCM = SafeStateReason.INTERNAL_ERROR, SafeStateReason.RCM_TRIPPED
SAFE = ChargeState(safe_state_active=SafeStateActive.SAFE_STATE, safe_state_reason=LOCK)
SILENT = ChargeState(
    safe_state_active=SafeStateActive.SAFE_STATE, safe_state_reason=SafeStateReason.COMMUNICATION_TIMEOUT
)


def pause_s(recovery: SafeStateRecovery, state: ChargeState = SAFE, now: float = 1000.0) -> float:
    at_s = recovery.plan(state, None, None, now)
    assert at_s is not None
    return at_s - now


def test_a_safe_state_is_the_same_one_again_only_for_its_reason_and_only_after_a_reset() -> None:
    recovery = SafeStateRecovery()
    assert not recovery.entered(LOCK)
    assert not recovery.entered(LOCK), "nothing was tried yet"
    recovery.reset(0.0)
    assert recovery.entered(LOCK)
    assert not recovery.entered(RCM), "another reason"
    assert recovery.entered(RCM)
    recovery.calm()
    assert not recovery.entered(RCM), "the resets before were not in vain"


def test_the_first_reason_is_none_that_was_seen_before() -> None:
    recovery = SafeStateRecovery()
    recovery.reset(0.0)
    assert not recovery.entered(LOCK)


def test_a_controller_that_missed_its_host_is_reset_at_once_the_first_time_only() -> None:
    recovery = SafeStateRecovery()
    assert pause_s(recovery, SILENT) == 0.0
    assert pause_s(recovery) == 5.0
    recovery.reset(1000.0)
    assert pause_s(recovery, SILENT) == 10.0


@pytest.mark.parametrize(("shown", "plugged_in"), [(CpState.B, True), (CpState.C, True), (CpState.A, False)])
def test_a_car_at_the_plug_shortens_the_pauses_that_hide_its_leaving(shown: CpState, plugged_in: bool) -> None:
    recovery = SafeStateRecovery()
    for _ in range(8):
        recovery.reset(0.0)
    alone_s = pause_s(recovery)
    recovery.normal(ChargeState(cp_state=shown))
    with_car_s = pause_s(recovery)
    assert (with_car_s < alone_s) is plugged_in
    recovery.normal(ChargeState(cp_state=CpState.F))
    assert pause_s(recovery) == with_car_s, "F shows no car and no leaving"


def test_a_reset_that_was_asked_for_comes_no_later_than_the_planned_one() -> None:
    recovery = SafeStateRecovery()
    assert recovery.on_request(None, 1000.0) == 1000.0
    assert recovery.on_request(1005.0, 1000.0) == 1000.0
    recovery.reset(1000.0)
    recovery.reset(1000.0)
    assert recovery.on_request(1003.0, 1001.0) == 1003.0
    assert recovery.on_request(None, 1001.0) == 1000.0 + pause_s(recovery)
