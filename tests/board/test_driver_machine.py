"""The driver's rules under any order of events: no contactor without a standing permission, no fault without an end."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.board.driver.effects import SetControl
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
from chargebyte_fw.board.driver.wiring import FeedbackType, PhaseWiring, Wiring
from chargebyte_fw.board.link import events as link
from chargebyte_fw.board.link.messages.charge_som import (
    ActionId,
    Application,
    ChargeState,
    CpState,
    ErrorMessage,
    FirmwareVersion,
    GitHash,
    Platform,
    Pt1000State,
    SafeStateActive,
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
