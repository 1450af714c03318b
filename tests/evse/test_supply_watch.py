"""A power supply that is on without an order of the EVSE is a fault, and it is switched off."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.interfaces.power_supply_dc import PowerSupplyDC
from chargebyte_fw.contracts.types.power_supply_DC import ChargingPhase, Mode
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.dc.supply_watch import SUB_TYPE, SupplyWatch
from chargebyte_fw.modules.evse.machine.effects import ClearFault, RaiseFault
from chargebyte_fw.modules.evse.machine.events import Shutdown, SupplyMeasured, SupplyMode
from chargebyte_fw.modules.evse.machine.fault_policy import FaultPolicy
from chargebyte_fw.modules.evse.machine.signals import ShutdownChanged, SupplyOrdered

OFF = call(PowerSupplyDC.setMode, Mode.Off, ChargingPhase.Other).urgently()


def idle() -> SupplyWatch:
    machine = SupplyWatch()
    machine.feed(SupplyMode(Mode.Off), 0.0)
    machine.feed(SupplyOrdered(Mode.Export), 1.0)
    machine.feed(SupplyOrdered(Mode.Off), 10.0)
    return machine


def faults(effects: list[Any]) -> list[RaiseFault]:
    return [effect for effect in effects if isinstance(effect, RaiseFault)]


@pytest.mark.parametrize("mode", [Mode.Export, Mode.Import])
def test_a_supply_that_reports_on_in_idle_is_a_fault_at_once_and_is_ordered_off(mode: Mode) -> None:
    effects = idle().feed(SupplyMode(mode), 60.0)
    assert effects[0] == OFF
    (fault,) = faults(effects)
    assert (fault.name, fault.sub_type) == ("Internal", SUB_TYPE)
    assert mode.value in fault.message


def test_the_order_is_repeated_at_a_bounded_pace_until_it_is_off() -> None:
    machine = idle()
    machine.feed(SupplyMode(Mode.Export), 60.0)
    sent = []
    for tenth in range(601, 700):
        now = tenth / 10
        effects = [*machine.feed(SupplyMeasured(400.0, 10.0), now), *machine.wake(now)]
        assert not faults(effects)
        sent += [now for effect in effects if effect == OFF]
    assert sent == pytest.approx([62.0, 64.0, 66.0, 68.0])
    assert timing.SUPPLY_OFF_AGAIN_S == 2.0


def test_the_order_is_repeated_also_where_the_supply_reports_nothing_more() -> None:
    """Its report of the fault may be the last one: the time alone repeats the order, until the report is Off."""
    machine = idle()
    machine.feed(SupplyMode(Mode.Export), 60.0)
    for repeated_s in (62.0, 64.0, 66.0):
        assert machine.deadline == repeated_s
        assert machine.wake(repeated_s - 0.1) == []
        assert machine.wake(repeated_s) == [OFF]
    assert machine.feed(SupplyMode(Mode.Off), 66.5) == []
    assert machine.deadline == 66.5 + timing.SUPPLY_QUIET_S


def test_an_order_to_be_on_ends_the_repetition() -> None:
    machine = idle()
    machine.feed(SupplyMode(Mode.Export), 60.0)
    machine.feed(SupplyOrdered(Mode.Export), 61.0)
    assert machine.deadline is None and machine.wake(62.0) == []


def test_the_fault_ends_when_the_supply_has_stayed_off_and_begins_again_when_it_does_not() -> None:
    machine = idle()
    machine.feed(SupplyMode(Mode.Export), 60.0)
    machine.feed(SupplyMode(Mode.Off), 61.0)
    assert machine.wake(70.9) == []
    machine.feed(SupplyMode(Mode.Export), 70.9)
    machine.feed(SupplyMode(Mode.Off), 71.0)
    assert machine.wake(80.9) == []
    assert ClearFault("Internal") in machine.wake(81.0)
    assert faults(machine.feed(SupplyMode(Mode.Export), 90.0))


def test_the_time_that_an_order_takes_is_no_fault_and_longer_is_one() -> None:
    machine = SupplyWatch()
    machine.feed(SupplyOrdered(Mode.Export), 1.0)
    machine.feed(SupplyMode(Mode.Export), 1.1)
    assert machine.feed(SupplyMeasured(400.0, 50.0), 5.0) == []
    machine.feed(SupplyOrdered(Mode.Off), 10.0)
    assert machine.feed(SupplyMeasured(400.0, 20.0), 11.9) == []
    assert faults(machine.wake(12.0))


def test_a_current_is_evidence_where_the_mode_is_not_reported() -> None:
    machine = idle()
    assert machine.feed(SupplyMeasured(400.0, 4.9), 60.0) == []
    assert faults(machine.feed(SupplyMeasured(400.0, 5.1), 60.5))


def test_a_voltage_alone_is_no_evidence() -> None:
    """Capacitors keep one, and through closed contactors it may be the EV's."""
    machine = SupplyWatch()
    machine.feed(SupplyOrdered(Mode.Export), 1.0)
    machine.feed(SupplyMeasured(400.0, 50.0), 5.0)
    machine.feed(SupplyOrdered(Mode.Off), 10.0)
    for second in range(11, 60):
        assert machine.feed(SupplyMeasured(400.0 if second % 2 else 0.0, 0.0), float(second)) == []


def test_what_an_earlier_process_left_on_is_switched_off_without_a_fault() -> None:
    machine = SupplyWatch()
    assert machine.feed(SupplyMode(Mode.Export), 0.5) == [OFF]
    machine.feed(SupplyMode(Mode.Off), 0.7)
    assert machine.wake(30.0) == []
    other = SupplyWatch()
    other.feed(SupplyMode(Mode.Export), 0.5)
    assert faults(other.wake(2.5)), "it did not obey"


def test_a_replug_does_not_clear_it() -> None:
    book = FaultPolicy()
    book.feed(RaiseFault("Internal", "on", SUB_TYPE), 0.0)
    book.feed(RaiseFault("MREC4OverCurrentFailure", "20 A"), 0.0)
    assert not any(isinstance(effect, ShutdownChanged) for effect in book.feed(ClearFault(""), 1.0))
    assert ShutdownChanged(Shutdown.Nothing) in book.feed(ClearFault("Internal"), 2.0)
