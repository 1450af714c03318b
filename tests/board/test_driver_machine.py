"""The driver's rules under any order of events: no contactor without a standing permission, no fault without an end."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.board.driver.effects import Log, ResetController, SelfTestAnswered, SetControl
from chargebyte_fw.board.driver.events import (
    STATE_E,
    STATE_F,
    STATE_X1,
    AllowPowerOn,
    Enable,
    Halt,
    PilotOutput,
    SetPilot,
    StartSelfTest,
    SwitchPhases,
)
from chargebyte_fw.board.driver.fault_table import ClearFault, FaultKey, RaiseFault
from chargebyte_fw.board.driver.machine import DriverMachine
from chargebyte_fw.board.driver.wiring import ALL_OPEN, BOTH, SECONDARY, FeedbackType, PhaseWiring, Wiring
from chargebyte_fw.board.link import events as link
from chargebyte_fw.board.link.messages.charge_som import (
    ActionId,
    Application,
    ChargeState,
    ContactorState,
    CpState,
    ErrorMessage,
    FirmwareVersion,
    GitHash,
    Platform,
    Pt1000State,
    SafeStateActive,
    SafeStateReason,
)
from chargebyte_fw.board.link.messages.framing import Frame
from chargebyte_fw.board.link.messages.generations import TODAY

NAMES = ("one", "two", "three", "four")
UP = link.LinkUp(FirmwareVersion(0, 4, 1, Platform.CHARGE_SOM, Application.FIRMWARE, 1), GitHash(bytes(8)), TODAY)
PAYLOAD = st.binary(min_size=8, max_size=8)
GOOD = bytes.fromhex("8032030041000000")

EVENTS = st.one_of(
    st.booleans().map(Enable),
    st.sampled_from([STATE_X1, STATE_F, STATE_E, PilotOutput(True, 5.0)]).map(SetPilot),
    st.booleans().map(AllowPowerOn),
    st.just(StartSelfTest()),
    st.just(UP),
    st.just(link.ControllerReset("test")),
    st.just(link.LinkDown("test")),
    st.just(link.LinkStillDown("test")),
    st.just(link.DeadManTripped()),
    st.booleans().map(lambda confirmed: link.ActionResult(ActionId.RCM_SELF_TEST, confirmed)),
    st.just(link.ChargeStateReceived(ChargeState.from_payload(GOOD))),
    PAYLOAD.map(lambda payload: link.ChargeStateReceived(ChargeState.from_payload(payload))),
    PAYLOAD.map(lambda payload: link.TemperaturesReceived(Pt1000State.from_payload(payload))),
    PAYLOAD.map(lambda payload: link.ErrorReceived(ErrorMessage.from_payload(payload))),
    PAYLOAD.map(lambda payload: link.UnknownFrame(Frame(0x55, payload))),
    st.just(Halt()),
)


def withdraws(event: Any) -> bool:
    """Whether what happens opens the contactors."""
    match event:
        case (
            Enable(False)
            | AllowPowerOn(False)
            | link.ControllerReset()
            | link.LinkDown()
            | link.DeadManTripped()
            | Halt()
        ):
            return True
        case SetPilot(output):
            return output in (STATE_E, STATE_F)
        case link.ChargeStateReceived(state):
            return state.safe_state_active is not SafeStateActive.NORMAL or state.cp_state is CpState.A
    return False


@settings(max_examples=250, deadline=None)
@given(events=st.lists(EVENTS, max_size=30), socket=st.booleans())
def test_contactors_are_asked_for_only_by_a_permission_that_stands(events: list[Any], socket: bool) -> None:
    machine = DriverMachine(socket, NAMES, None)
    now, allowed, image = 0.0, False, False
    for event in events:
        now += 0.7
        effects = machine.wake(now) + machine.feed(event, now)
        if isinstance(event, AllowPowerOn):
            allowed = event.allowed
        elif withdraws(event):
            allowed = False
        control = machine.control
        wanted = control.contactor_1_close or control.contactor_2_close or control.contactor_3_close
        assert allowed or not wanted
        for effect in effects:
            if isinstance(effect, SetControl):
                image = effect.control.contactor_1_close
        if isinstance(event, link.ControllerReset | link.LinkDown):
            image = False  # the link zeroes the image itself
        assert not image or allowed, "what was sent last must not ask for more"


@settings(max_examples=250, deadline=None)
@given(
    events=st.lists(st.one_of(EVENTS, st.booleans().map(SwitchPhases)), max_size=30),
    phases=st.sampled_from(PhaseWiring),
    feedback=st.sampled_from(FeedbackType),
    pause_s=st.sampled_from([0.05, 0.7]),
)
def test_the_primary_never_closes_without_permission_and_excluded_ways_never_both(
    events: list[Any], phases: PhaseWiring, feedback: FeedbackType, pause_s: float
) -> None:
    machine = DriverMachine(False, NAMES, None, Wiring(phases, None, (feedback, feedback)))
    now, allowed = 0.0, False
    for event in events:
        now += pause_s
        effects = machine.wake(now) + machine.feed(event, now)
        if isinstance(event, AllowPowerOn):
            allowed = event.allowed
        elif withdraws(event):
            allowed = False
        for control in [effect.control for effect in effects if isinstance(effect, SetControl)][-1:]:
            assert allowed or not control.contactor_1_close
            if phases is PhaseWiring.mutual:
                assert not (control.contactor_1_close and control.contactor_2_close)
                assert allowed or not control.contactor_2_close


@settings(max_examples=250, deadline=None)
@given(events=st.lists(EVENTS, max_size=30), socket=st.booleans())
def test_quirk_k_only_what_is_raised_is_cleared_and_nothing_is_raised_twice(events: list[Any], socket: bool) -> None:
    machine = DriverMachine(socket, NAMES, None)
    now = 0.0
    active: dict[FaultKey, int] = {}
    for event in events:
        now += 0.7
        for effect in machine.wake(now) + machine.feed(event, now):
            if isinstance(effect, RaiseFault):
                active[effect.key] = active.get(effect.key, 0) + 1
                assert active[effect.key] <= (2 if effect.key.type == "ac_rcd/Selftest" else 1)
            elif isinstance(effect, ClearFault):
                active[effect.key] = active.get(effect.key, 0) - 1
                assert active[effect.key] >= 0


def test_a_state_that_is_not_normal_never_stays_without_a_fault_of_the_board() -> None:
    """EvseManager hears of faults, not of bits."""
    for reason in range(23):
        for active in (1, 2, 3):
            machine = DriverMachine(False, NAMES, None)
            machine.feed(UP, 0.0)
            payload = (0x84000600_3D3F0000 | (active << 58) | (reason << 8)).to_bytes(8, "big")
            effects = machine.feed(link.ChargeStateReceived(ChargeState.from_payload(payload)), 0.1)
            raised = [effect.key for effect in effects if isinstance(effect, RaiseFault)]
            assert any(key.implementation == "evse_board_support" for key in raised), (reason, active)


def state(**fields: Any) -> link.ChargeStateReceived:
    contactors = {"contactor_1": ContactorState.OPEN, "contactor_2": ContactorState.UNUSED}
    known = {"pwm_active": True, "duty_percent": 100.0, "contactor_3": ContactorState.UNUSED, **contactors}
    return link.ChargeStateReceived(ChargeState(**{**known, **fields}))


SAFE: dict[str, Any] = {
    "safe_state_active": SafeStateActive.SAFE_STATE,
    "safe_state_reason": SafeStateReason.INTERNAL_ERROR,
}


def charging() -> DriverMachine:
    """A driver whose contactor is closed at second 1."""
    machine = DriverMachine(False, NAMES, None)
    machine.feed(UP, 0.0)
    machine.feed(Enable(True), 0.1)
    machine.feed(state(cp_state=CpState.C), 0.2)
    machine.feed(AllowPowerOn(True), 0.3)
    assert machine.control.contactor_1_close
    machine.feed(state(cp_state=CpState.C, contactor_1=ContactorState.CLOSED), 1.0)
    return machine


def resets(effects: list[Any]) -> list[str]:
    return [effect.why for effect in effects if isinstance(effect, ResetController)]


def test_a_contactor_that_stays_closed_in_the_safe_state_is_a_fault_without_another_report() -> None:
    machine = charging()
    effects = machine.feed(state(cp_state=CpState.F, contactor_1=ContactorState.CLOSED, **SAFE), 2.0)
    assert SetControl(machine.control) in effects and not machine.control.contactor_1_close
    assert machine.wake(2.9) == []
    raised = [effect.key.type for effect in machine.wake(3.0) if isinstance(effect, RaiseFault)]
    assert raised == ["evse_board_support/MREC17EVSEContactorFault"]


def test_a_safe_state_amid_an_opening_in_series_takes_every_order_back_at_once() -> None:
    """The secondary waits for the primary to open only while the controller switches by orders."""
    machine = DriverMachine(False, NAMES, None, Wiring(PhaseWiring.serial, None, (FeedbackType.no, FeedbackType.no)))
    closed = {"contactor_1": ContactorState.CLOSED, "contactor_2": ContactorState.CLOSED}
    opened = {"contactor_1": ContactorState.OPEN, "contactor_2": ContactorState.OPEN}
    machine.feed(UP, 0.0)
    machine.feed(Enable(True), 0.1)
    machine.feed(state(cp_state=CpState.C, **opened), 0.2)
    machine.feed(AllowPowerOn(True), 0.3)
    machine.feed(state(cp_state=CpState.C, **{**opened, "contactor_2": ContactorState.CLOSED}), 0.4)
    machine.feed(state(cp_state=CpState.C, **closed), 0.5)
    assert machine.snapshot.contactor_orders == BOTH
    machine.feed(AllowPowerOn(False), 1.0)
    assert machine.snapshot.contactor_orders == SECONDARY
    effects = machine.feed(state(cp_state=CpState.F, **closed, **SAFE), 1.1)
    assert machine.snapshot.contactor_orders == ALL_OPEN
    assert SetControl(machine.control) in effects


def test_a_safe_state_without_an_order_withdraws_nothing() -> None:
    machine = DriverMachine(False, NAMES, None)
    machine.feed(UP, 0.0)
    machine.feed(state(cp_state=CpState.A), 0.2)
    effects = machine.feed(state(cp_state=CpState.F, **SAFE), 0.3)
    assert not any(isinstance(effect, Log) and "withdrawn" in effect.text for effect in effects)
    assert machine.due("reset") == 5.3


def test_before_the_first_report_no_contactor_is_unfit() -> None:
    faults = DriverMachine(False, NAMES, None).reports.faults
    assert not faults.contactor_unfit
    faults.contactors("", "contactor 1 is closed")
    assert faults.contactor_unfit
    faults.contactors("", "")
    assert not faults.contactor_unfit, "it is seen open again"
    faults.contactors("contactor 1 did not close", "")
    faults.contactors("", "")
    assert faults.contactor_unfit, "what did not close is switched no more until the next start"


def test_a_link_that_comes_up_without_a_reset_begins_a_new_life_of_the_controller() -> None:
    machine = charging()
    machine.feed(UP, 2.0)
    snapshot = machine.snapshot
    assert (snapshot.charge_state, snapshot.permitted, snapshot.contactor_orders) == (None, False, (False,) * 3)
    machine.wake(60.0)
    assert machine.deadline is None


def test_pauses_between_resets_grow_and_are_short_again_after_ten_seconds_outside_of_the_safe_state() -> None:
    machine, now, pauses = charging(), 2.0, []
    for calm_s in (1.0, 1.0, 11.0, 1.0):
        machine.feed(state(**SAFE), now)
        due_s = machine.due("reset")
        assert due_s is not None
        pauses.append(due_s - now)
        now = due_s
        assert resets(machine.wake(now)) == ["to leave internal error"]
        machine.feed(link.ControllerReset("test"), now)
        machine.feed(UP, now + 0.3)
        machine.feed(state(cp_state=CpState.A), now + 0.4)
        now += 0.4 + calm_s
        machine.wake(now)
    assert pauses == pytest.approx([5.0, 10.0, 20.0, 5.0])


def test_a_halted_driver_refuses_power_and_keeps_pilot_f() -> None:
    machine = charging()
    assert machine.feed(Halt(), 2.0)[-1] == SetControl(machine.control)
    image = machine.control
    assert (image.pwm_active, image.duty_percent, image.contactor_1_close) == (True, 0.0, False)
    for order in (Enable(True), AllowPowerOn(True), SetPilot(STATE_X1), SwitchPhases(False)):
        assert not any(isinstance(effect, SetControl) for effect in machine.feed(order, 3.0))
    assert machine.control == image
    assert machine.feed(StartSelfTest(), 3.0) == [SelfTestAnswered(False)]
    assert not machine.snapshot.at_rest
    machine.feed(state(duty_percent=0.0), 3.1)
    assert machine.snapshot.at_rest
