"""A wrong reaction is called wrong, a late one late, and what proves nothing is called so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.board.link.messages.charge_som import SafeStateReason
from chargebyte_fw.sim.mcu import VirtualMcu
from chargebyte_fw.sim.mcu_hardware import Hardware
from hil.drivers import plant
from hil.judge import Verdict
from tests.hil.bench import run, shipped, written


def verdicts(result: Any) -> dict[str, Verdict]:
    return {f"{one.step}{'k' if one.kept else ''} {one.that}": one.verdict for one in result.findings}


def test_a_controller_that_ignores_the_emergency_stop_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    real = VirtualMcu._fault

    def deaf(self: VirtualMcu) -> SafeStateReason | None:
        reason = real(self)
        return None if reason is SafeStateReason.EMERGENCY_INPUT_1 else reason

    monkeypatch.setattr(VirtualMcu, "_fault", deaf)
    (result,) = run(shipped("iso2-emergency-stop"))
    assert result.verdict is Verdict.WRONG
    of = verdicts(result)
    assert of["0 contactors is open"] is Verdict.WRONG and of["0k contactors is open"] is Verdict.WRONG
    assert of["0 faults has evse_board_support/MREC8EmergencyStop"] is Verdict.WRONG


def test_contactors_that_open_after_half_a_second_are_late(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow() -> Hardware:
        hardware = Hardware()
        hardware.contactors[0].opening_s = 0.18
        return hardware

    monkeypatch.setattr(plant, "Hardware", slow)
    (result,) = run(shipped("basic-unplugged-under-load"))
    late = next(one for one in result.findings if one.that == "contactors is open" and not one.kept)
    assert late.verdict is Verdict.LATE and late.measured_s == pytest.approx(0.18, abs=0.02)
    assert "0.08 s after the deadline" in late.note


def test_the_charger_that_forgets_its_supply_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault is in the firmware under test, not in the simulated world."""
    from chargebyte_fw.modules.power.dc_supply_simulator import Supply
    from chargebyte_fw.modules.power.messages import SetMode

    async def stays_on(self: Any, mode: Any, phase: Any) -> None:
        if mode.value != "Off" or self.module.pump.machine.current_A < 5:
            self.module.pump.feed(SetMode(mode, phase))

    monkeypatch.setattr(Supply, "setMode", stays_on)
    (result,) = run(shipped("iso2-unplugged-under-load"))
    assert verdicts(result)["0 supply_A below 1"] is Verdict.WRONG


SCENARIO = """
title: test
car: basic
start: charging
steps:
  - event: {event}
    expect:
      - that: {that}
        within_s: 2
        not_before_s: {not_before_s}
        clause: test
"""


def test_what_was_so_before_the_event_proves_nothing(tmp_path: Path) -> None:
    text = SCENARIO.format(event="estop on", that="contactors is closed", not_before_s=0)
    (result,) = run(written(tmp_path, text))
    assert result.verdict is Verdict.WRONG
    assert "before the event" in result.findings[0].note


def test_a_reaction_before_its_time_is_wrong(tmp_path: Path) -> None:
    text = SCENARIO.format(event="estop on", that="contactors is open", not_before_s=1)
    (result,) = run(written(tmp_path, text))
    assert result.verdict is Verdict.WRONG and "too early" in result.findings[0].note


def test_what_comes_after_another_thing_counts_from_there(tmp_path: Path) -> None:
    text = SCENARIO.format(event="estop on", that="faults has MREC8EmergencyStop", not_before_s=0)
    text += "        after: voltage_V above 5000\n"
    (result,) = run(written(tmp_path, text))
    assert result.verdict is Verdict.WRONG and "never so that voltage_V above 5000" in result.findings[0].note
