"""What a CHARGE_STATE means to others, look by look: told once when it begins, once when it ends, then again."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from chargebyte_fw.board.driver.board_events import BoardEvents
from chargebyte_fw.board.driver.effects import Log
from chargebyte_fw.board.driver.fault_table import ClearFault, FaultKey, RaiseFault
from chargebyte_fw.board.driver.reports import Reports
from chargebyte_fw.board.link.messages.charge_som import (
    ChargeState,
    ContactorState,
    CpState,
    PpState,
    SafeStateActive,
    SafeStateReason,
)
from chargebyte_fw.kernel.effects import Publish

UNDEFINED, OPEN, CLOSED, UNUSED = ContactorState
NO_CONTACTORS: dict[str, Any] = {"contactor_1": UNUSED, "contactor_2": UNUSED, "contactor_3": UNUSED}
ONE_OPEN: dict[str, Any] = {**NO_CONTACTORS, "contactor_1": OPEN}
ONE_CLOSED: dict[str, Any] = {**NO_CONTACTORS, "contactor_1": CLOSED}
TWO_OPEN: dict[str, Any] = {**ONE_OPEN, "contactor_2": OPEN}
FIRST_OF_TWO: dict[str, Any] = {**TWO_OPEN, "contactor_1": CLOSED}


class Bench:
    """Looks at states; returns events and lines, faults apart."""

    def __init__(self, socket: bool = False) -> None:
        self.reports = Reports(socket)
        self.reset()

    def reset(self) -> None:
        """The controller begins a new life."""
        self.published = BoardEvents()
        self.before: ChargeState | None = None

    def look(self, permitted: bool = False, closing: bool = False, expect_e: bool = False, **fields: Any) -> list[Any]:
        before, self.before = self.before, ChargeState(**fields)
        return self.reports.of_state(
            self.before, before, self.published, permitted=permitted, expect_e=expect_e, closing=closing
        )

    def events(
        self, permitted: bool = False, closing: bool = False, expect_e: bool = False, **fields: Any
    ) -> list[str]:
        effects = self.look(permitted, closing, expect_e, **fields)
        return [one.value.event.value for one in effects if isinstance(one, Publish) and one.variable == "event"]


def contactor_lines(effects: list[Any]) -> list[str]:
    return [one.text % one.values for one in effects if isinstance(one, Log) and one.level == logging.DEBUG]


def test_the_contactors_are_logged_when_one_of_them_changes_and_only_then() -> None:
    bench = Bench()
    assert contactor_lines(bench.look(**TWO_OPEN)) == ["contactors: OPEN, OPEN, UNUSED"]
    assert contactor_lines(bench.look(**TWO_OPEN)) == []
    assert contactor_lines(bench.look(**TWO_OPEN, cp_state=CpState.B)) == []
    assert contactor_lines(bench.look(**FIRST_OF_TWO)) == ["contactors: CLOSED, OPEN, UNUSED"]
    assert contactor_lines(bench.look(**FIRST_OF_TWO)) == []
    bench.reset()
    assert contactor_lines(bench.look(**FIRST_OF_TWO)) == ["contactors: CLOSED, OPEN, UNUSED"], "after a reset anew"


def test_power_is_on_and_off_once_with_the_contactor() -> None:
    bench = Bench()
    assert bench.events(**ONE_OPEN) == ["PowerOff"]
    assert bench.events(**ONE_OPEN) == []
    assert bench.events(**ONE_CLOSED) == ["PowerOn"]
    assert bench.events(**ONE_CLOSED) == []
    assert bench.events(**ONE_OPEN) == ["PowerOff"]


def test_power_is_not_on_while_a_contactor_in_series_is_still_to_close() -> None:
    bench = Bench()
    assert bench.events(**TWO_OPEN, permitted=True, closing=True) == ["PowerOff"]
    assert bench.events(**FIRST_OF_TWO, permitted=True, closing=True) == []
    assert bench.events(**FIRST_OF_TWO, permitted=True) == ["PowerOn"]
    assert bench.events(**FIRST_OF_TWO, permitted=True, closing=True) == [], "power that is on stays on"
    assert bench.events(**TWO_OPEN, permitted=True, closing=True) == ["PowerOff"]


@pytest.mark.parametrize(("hv_ready", "permitted"), [(True, False), (False, True), (False, False)])
def test_without_contactors_power_is_on_when_high_voltage_is_ready_and_ordered(hv_ready: bool, permitted: bool) -> None:
    bench = Bench()
    assert bench.events(**NO_CONTACTORS, hv_ready=True, permitted=True) == ["PowerOn"]
    assert bench.events(**NO_CONTACTORS, hv_ready=hv_ready, permitted=permitted) == ["PowerOff"]


def test_of_contactors_whose_state_is_not_known_nothing_is_told() -> None:
    assert Bench().events(hv_ready=True, permitted=True, contactor_1=UNDEFINED) == []


def test_each_state_of_the_pilot_is_an_event_once_and_no_reading_is_none() -> None:
    bench = Bench()
    told = [
        bench.events(cp_state=state)
        for state in (
            CpState.A,
            CpState.A,
            CpState.B,
            CpState.UNKNOWN,
            CpState.B,
            CpState.INVALID,
            CpState.C,
            CpState.F,
        )
    ]
    assert told == [["A"], [], ["B"], [], [], [], ["C"], ["F"]]


def test_state_e_of_a_controller_that_was_just_reset_is_told_only_when_it_was_ordered() -> None:
    bench = Bench()
    assert bench.events(cp_state=CpState.E) == []
    assert bench.events(cp_state=CpState.B) == ["B"]
    assert bench.events(cp_state=CpState.E) == ["E"]
    assert Bench().events(cp_state=CpState.E, expect_e=True) == ["E"]


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"diode_fault": True}, ("evse_board_support/DiodeFault", "")),
        ({"cp_short_circuit": True}, ("evse_board_support/MREC14PilotFault", "CPShortFault")),
        ({"cp_state": CpState.INVALID}, ("evse_board_support/MREC14PilotFault", "CPOutOfRange")),
        (
            {
                "safe_state_active": SafeStateActive.SAFE_STATE,
                "safe_state_reason": SafeStateReason.EMERGENCY_INPUT_1,
            },
            ("evse_board_support/MREC8EmergencyStop", "emergency input 1"),
        ),
        (
            {
                "safe_state_active": SafeStateActive.SAFE_STATE,
                "safe_state_reason": SafeStateReason.EMERGENCY_INPUT_3,
            },
            ("evse_board_support/MREC8EmergencyStop", "emergency input 3"),
        ),
        (
            {"safe_state_active": SafeStateActive.SAFE_STATE, "safe_state_reason": SafeStateReason.UNDEFINED},
            ("evse_board_support/VendorError", "undefined"),
        ),
        ({"safe_state_active": SafeStateActive.SAFE_STATE}, ("evse_board_support/VendorError", "Safe State")),
    ],
)
def test_a_fault_is_raised_once_cleared_once_and_can_come_again(fields: dict[str, Any], fault: tuple[str, str]) -> None:
    bench = Bench()
    bench.look()

    def faults(**state: Any) -> list[tuple[str, FaultKey]]:
        return [
            (type(one).__name__, one.key) for one in bench.look(**state) if isinstance(one, RaiseFault | ClearFault)
        ]

    for _ in range(2):
        ((word, key),) = faults(**fields)
        assert (word, key.type, key.sub_type) == ("RaiseFault", *fault)
        assert faults(**fields) == []
        assert faults() == [("ClearFault", key)]
        assert faults() == []


@pytest.mark.parametrize(
    ("pp", "ampacity"),
    [
        (PpState.NO_CABLE, "None"),
        (PpState.A_13, "A_13"),
        (PpState.A_20, "A_20"),
        (PpState.A_32, "A_32"),
        (PpState.A_63_3PH_70_1PH, "A_63_3ph_70_1ph"),
    ],
)
def test_a_socket_publishes_what_the_cable_carries_and_a_fixed_cable_nothing(pp: PpState, ampacity: str) -> None:
    socket, fixed = Bench(socket=True), Bench()

    def told(bench: Bench) -> list[str]:
        return [
            one.value.ampacity.value
            for one in bench.look(pp_state=pp)
            if isinstance(one, Publish) and one.variable != "event"
        ]

    assert (told(socket), told(socket), told(fixed)) == ([ampacity], [], [])
