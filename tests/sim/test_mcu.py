"""The virtual safety controller: what the protocol promises of the real one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    Inquiry,
    PartNumber1,
    PartNumber2,
    Pt1000State,
    RcmState,
    SafeStateActive,
    SafeStateReason,
)
from chargebyte_fw.board.link.messages.declaration import Message
from chargebyte_fw.board.link.messages.framing import Receiver, encode_message
from chargebyte_fw.board.link.messages.generations import generation_of
from chargebyte_fw.sim.mcu import (
    HOST_SILENCE_S,
    BytesReceived,
    InputsChanged,
    McuState,
    ResetLine,
    Transmit,
    VirtualMcu,
)
from chargebyte_fw.sim.mcu_hardware import CHARGE_SOM, Contactor, Hardware
from chargebyte_fw.sim.pilot import Pilot

CLOSE = ChargeControl(True, 5.0, True, True, True)
PWM = ChargeControl(True, 5.0)


class Bench:
    """A controller, a car, and a host that says the same thing every 100 ms."""

    def __init__(self, hardware: Hardware | None = None) -> None:
        self.pilot = Pilot()
        self.mcu = VirtualMcu(self.pilot, hardware)
        self.now = 0.0
        self.says: ChargeControl | None = None
        self.sent: list[Message] = []
        self._spoken_at = -1.0
        self.pilot.on_change.append(lambda: setattr(self, "_dirty", True))
        self._dirty = False
        self._receiver = Receiver()
        self.reset()

    def reset(self) -> None:
        self.feed(ResetLine(False))
        self.feed(ResetLine(True))
        self.run(0.31)

    def feed(self, event: Any) -> list[Message]:
        return self._take(self.mcu.feed(event, self.now))

    def _take(self, effects: list[Any]) -> list[Message]:
        sent: list[Message] = []
        for effect in effects:
            assert isinstance(effect, Transmit)
            generation = generation_of(self.mcu.hardware.firmware)
            for frame in self._receiver.feed(effect.data):
                message = generation.decode(frame)
                assert message is not None
                sent.append(message)
        self.sent += sent
        return sent

    def say(self, message: Message) -> list[Message]:
        return self.feed(BytesReceived(encode_message(message)))

    def run(self, seconds: float) -> list[Message]:
        """Let time pass; the host repeats itself, pilot changes are looked at."""
        first, end = len(self.sent), self.now + seconds
        while True:
            if self._dirty:
                self._dirty = False
                self.feed(InputsChanged())
            if self.says is not None and self.now >= self._spoken_at + 0.1 - 1e-9:
                self._spoken_at = self.now
                self.say(self.says)
            host = self._spoken_at + 0.1 if self.says is not None else end
            self.now = min(end, host, self.mcu.deadline or end)
            self._take(self.mcu.wake(self.now))
            if self.now >= end:
                return self.sent[first:]

    @property
    def state(self) -> ChargeState:
        return self.mcu.charge_state()


def running(hardware: Hardware | None = None) -> Bench:
    bench = Bench(hardware)
    bench.says = PWM
    bench.run(0.2)
    return bench


def charging(hardware: Hardware | None = None) -> Bench:
    bench = running(hardware)
    bench.pilot.car_state = "C"
    bench.says = CLOSE
    bench.run(0.3)
    assert bench.pilot.contactors_closed
    return bench


def test_before_the_first_charge_control_it_says_nothing_by_itself_and_holds_e() -> None:
    bench = Bench()
    assert bench.run(5.0) == []
    assert bench.mcu.state is McuState.INIT
    assert bench.pilot.letter == "E"


def test_an_inquiry_is_answered_in_init_and_starts_nothing() -> None:
    bench = Bench()
    assert bench.say(Inquiry(FirmwareVersion.com_id)) == [CHARGE_SOM]
    assert bench.say(Inquiry(GitHash.com_id)) == [GitHash(bytes.fromhex("7470cd6cb7945af7"))]
    assert bench.say(Inquiry(PartNumber1.com_id)) == [PartNumber1(b"R7FA2E1A")]
    assert bench.say(Inquiry(PartNumber2.com_id)) == [PartNumber2(b"93CFM   ")]
    assert bench.say(Inquiry(ChipInfo.com_id)) == [ChipInfo(1)]
    assert bench.say(Inquiry(0x55)) == []
    assert bench.run(1.0) == []
    assert bench.mcu.state is McuState.INIT


def test_it_is_deaf_for_300_ms_after_a_reset() -> None:
    bench = Bench()
    bench.feed(ResetLine(False))
    bench.feed(ResetLine(True))
    assert bench.say(Inquiry(FirmwareVersion.com_id)) == []
    bench.run(0.29)
    assert bench.say(Inquiry(FirmwareVersion.com_id)) == []
    bench.run(0.02)
    assert bench.say(Inquiry(FirmwareVersion.com_id)) == [CHARGE_SOM]


def test_the_first_charge_control_makes_it_run_and_report_every_100_ms() -> None:
    bench = Bench()
    bench.says = PWM
    said = bench.run(1.05)
    assert [type(one) for one in said[:2]] == [ChargeState, Pt1000State]
    assert sum(isinstance(one, ChargeState) for one in said) == 10
    assert bench.pilot.duty_percent == 5.0


@pytest.mark.parametrize(
    ("control", "letter"), [(ChargeControl(), "E"), (ChargeControl(True, 0.0), "F"), (ChargeControl(True, 100.0), "B")]
)
def test_it_puts_on_the_pilot_what_the_host_says(control: ChargeControl, letter: str) -> None:
    bench = running()
    bench.pilot.car_state = "B"
    bench.says = control
    bench.run(0.2)
    assert bench.pilot.letter == letter
    assert bench.state.cp_state.name == letter


def test_a_silent_host_is_a_safe_state_that_only_a_reset_ends() -> None:
    bench = charging()
    bench.says = None
    bench.run(HOST_SILENCE_S - 0.11)
    assert bench.pilot.contactors_closed
    bench.run(0.15)
    assert bench.state.safe_state_active is SafeStateActive.SAFE_STATE
    assert bench.state.safe_state_reason is SafeStateReason.COMMUNICATION_TIMEOUT
    assert bench.state.cp_state is CpState.F
    assert not bench.pilot.contactors_closed
    bench.says = CLOSE
    said = bench.run(1.0)
    assert any(isinstance(one, ChargeState) for one in said), "it goes on reporting"
    assert bench.mcu.state is McuState.SAFE
    bench.reset()
    bench.run(0.3)
    assert bench.mcu.state is McuState.RUNNING


def test_contactors_close_in_state_c_only_and_follow_with_their_delay() -> None:
    bench = running()
    bench.says = CLOSE
    bench.pilot.car_state = "B"
    bench.run(0.3)
    assert not bench.pilot.contactors_closed
    bench.pilot.car_state = "C"
    bench.run(0.03)
    assert bench.state.hv_ready
    assert bench.state.contactor_1 is ContactorState.OPEN
    bench.run(0.02)
    assert bench.state.contactor_1 is ContactorState.CLOSED
    assert bench.state.contactor_2 is ContactorState.UNUSED
    bench.pilot.car_state = "B"
    bench.run(0.03)
    assert not bench.pilot.contactors_closed


def test_the_reset_line_opens_everything_at_once() -> None:
    bench = charging()
    bench.feed(ResetLine(False))
    assert not bench.pilot.contactors_closed
    assert bench.pilot.letter == "E"
    assert bench.run(1.0) == []


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        (lambda b: setattr(b.pilot, "cp_short", True), SafeStateReason.CONTROL_PILOT_SHORT_CIRCUIT),
        (lambda b: setattr(b.pilot, "diode_fault", True), SafeStateReason.CONTROL_PILOT_DIODE_NOT_DETECTED),
        (lambda b: b.mcu.hardware.estops.__setitem__(1, EstopState.TRIPPED), SafeStateReason.EMERGENCY_INPUT_2),
        (
            lambda b: setattr(b.mcu.hardware.temperatures[0], "value_C", 90.0),
            SafeStateReason.TEMPERATURE_1_OVER_TEMPERATURE,
        ),
        (lambda b: setattr(b.mcu.hardware.temperatures[3], "broken", True), SafeStateReason.TEMPERATURE_4_MALFUNCTION),
        (lambda b: setattr(b.pilot, "residual_current_mA", 6.0), SafeStateReason.RCM_TRIPPED),
    ],
)
def test_any_fault_opens_the_contactors_and_says_why(break_it: Any, reason: SafeStateReason) -> None:
    bench = charging(Hardware(rcm=RcmState.MONITORING))
    break_it(bench)
    bench.feed(InputsChanged())
    bench.run(0.05)
    assert bench.mcu.state is McuState.SAFE
    assert bench.state.safe_state_reason is reason
    assert not bench.pilot.contactors_closed
    assert bench.state.diode_fault is (reason is SafeStateReason.CONTROL_PILOT_DIODE_NOT_DETECTED)
    assert bench.state.cp_short_circuit is (reason is SafeStateReason.CONTROL_PILOT_SHORT_CIRCUIT)


@pytest.mark.parametrize(("fault", "reason_number"), [("welded", 4), ("stuck_open", 2)])
def test_a_contactor_that_does_not_follow_is_noticed_and_named(fault: str, reason_number: int) -> None:
    second = Contactor()
    bench = Bench(Hardware(contactors=[Contactor(), second, Contactor(configured=False)]))
    setattr(second, fault, True)
    bench.says = CLOSE
    bench.pilot.car_state = "C"
    bench.run(0.2)
    bench.says = PWM
    said = bench.run(0.6)
    assert bench.state.safe_state_reason is SafeStateReason.HIGH_VOLTAGE_SWITCH_MALFUNCTION
    assert ErrorMessage(True, 7, reason_number, None, 1) in [*said, *bench.sent]
    assert bench.pilot.contactors_closed is (fault == "welded")


def test_a_self_test_is_confirmed_runs_and_passes() -> None:
    bench = running(Hardware(rcm=RcmState.MONITORING))
    request = Inquiry(Action.com_id, ActionId.RCM_SELF_TEST)
    assert bench.say(request) == [Action(ActionId.RCM_SELF_TEST)]
    assert bench.state.rcm is RcmState.SELF_TEST_RUNNING
    assert bench.say(request) == [Action(ActionId.NONE)], "one at a time"
    bench.run(0.6)
    assert bench.state.rcm is RcmState.MONITORING


def test_a_self_test_may_fail_or_be_impossible() -> None:
    bench = running(Hardware(rcm=RcmState.MONITORING, rcm_self_test_fails=True))
    bench.say(Inquiry(Action.com_id, ActionId.RCM_SELF_TEST))
    bench.run(0.6)
    assert bench.state.safe_state_reason is SafeStateReason.RCM_SELF_TEST_FAILED
    assert bench.state.rcm is RcmState.ERROR
    assert running().say(Inquiry(Action.com_id, ActionId.RCM_SELF_TEST)) == [Action(ActionId.NONE)]


def test_old_firmware_knows_no_part_number_and_lays_contactors_out_its_way() -> None:
    old = FirmwareVersion(0, 2, 5, CHARGE_SOM.platform, CHARGE_SOM.application, 1)
    bench = charging(Hardware(firmware=old))
    assert bench.say(Inquiry(PartNumber1.com_id)) == []
    (state,) = [one for one in bench.run(0.1) if isinstance(one, ChargeState)]
    assert state.contactor_1 is ContactorState.CLOSED


def test_errors_of_the_start_up_follow_the_first_answer() -> None:
    bench = Bench(Hardware(error_messages=[("MW_PARAM", 1, 0xFFFF, 0xFFFF)]))
    assert bench.say(Inquiry(FirmwareVersion.com_id)) == [CHARGE_SOM, ErrorMessage(True, 13, 1)]


@settings(max_examples=60, deadline=None)
@given(chunks=st.lists(st.binary(max_size=30), max_size=10))
def test_whatever_the_host_says_contactors_stay_open_without_a_car(chunks: list[bytes]) -> None:
    bench = Bench()
    for chunk in chunks:
        bench.feed(BytesReceived(chunk))
        bench.run(0.05)
        assert not bench.pilot.contactors_closed
