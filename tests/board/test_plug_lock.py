"""The plug lock: orders, faults and firmware, against the virtual safety controller."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chargebyte_fw.board.link.messages.charge_som import InletState
from chargebyte_fw.sim.mcu_hardware import PLUG_LOCK_FIRMWARE, Hardware, PlugLockMotor
from tests.board.world import World

LOCK = "connector_lock"
INLET = "APP_INLET"


def with_lock(**motor: Any) -> Hardware:
    return Hardware(firmware=PLUG_LOCK_FIRMWARE, plug_lock=PlugLockMotor(**motor))


def position(world: World) -> InletState:
    motor = world.mcu.mcu.hardware.plug_lock
    assert motor is not None
    return motor.position


def active(world: World) -> set[tuple[str, str]]:
    return {(fault.type, fault.sub_type) for fault in world.driver.connector_lock.faults.active}


def test_it_locks_and_unlocks(play: Any) -> None:
    async def story(world: World) -> None:
        await world.driver.connector_lock.lock()
        await asyncio.sleep(1.0)
        assert position(world) is InletState.CLOSED
        await world.driver.connector_lock.unlock()
        await asyncio.sleep(1.0)
        assert position(world) is InletState.OPEN
        assert not active(world)

    play(story, with_lock())


def test_nothing_moves_before_the_first_order(play: Any) -> None:
    async def story(world: World) -> None:
        await asyncio.sleep(5.0)
        assert position(world) is InletState.CLOSED

    play(story, with_lock(position=InletState.CLOSED))


def test_the_last_order_counts_however_fast_they_come(play: Any) -> None:
    async def story(world: World) -> None:
        for _ in range(3):
            await world.driver.connector_lock.lock()
            await world.driver.connector_lock.unlock()
        await asyncio.sleep(5.0)
        assert position(world) is InletState.OPEN
        await world.driver.connector_lock.unlock()
        await world.driver.connector_lock.lock()
        await asyncio.sleep(5.0)
        assert position(world) is InletState.CLOSED

    play(story, with_lock())


def test_a_plug_under_load_stays_locked_until_the_contactors_are_open(play: Any) -> None:
    async def story(world: World) -> None:
        await world.driver.connector_lock.lock()
        await world.charge()
        await asyncio.sleep(1.0)
        await world.driver.connector_lock.unlock()
        await asyncio.sleep(2.0)
        assert position(world) is InletState.CLOSED
        await world.allow(False)
        await asyncio.sleep(1.0)
        assert position(world) is InletState.OPEN

    play(story, with_lock())


@pytest.mark.parametrize(("lock", "name"), [(True, "ConnectorLockFailedLock"), (False, "ConnectorLockFailedUnlock")])
def test_a_jammed_lock_is_a_fault_that_the_next_unlocking_forgets(play: Any, lock: bool, name: str) -> None:
    async def story(world: World) -> None:
        plug = world.driver.connector_lock
        motor = world.mcu.mcu.hardware.plug_lock
        assert motor is not None
        await (plug.lock() if lock else plug.unlock())
        await asyncio.sleep(1.0)
        assert active(world) == {(f"{LOCK}/{name}", INLET), (f"{LOCK}/MREC1ConnectorLockFailure", INLET)}
        motor.jammed = False
        await plug.unlock()
        await asyncio.sleep(1.0)
        assert not active(world)
        assert position(world) is InletState.OPEN
        motor.jammed = True
        await plug.lock()
        await asyncio.sleep(1.0)
        assert (f"{LOCK}/ConnectorLockFailedLock", INLET) in active(world), "what was cleared can come again"

    play(story, with_lock(jammed=True, position=InletState.OPEN if lock else InletState.CLOSED))


@pytest.mark.parametrize(
    ("reason", "name"),
    [
        (2, "ConnectorLockUnexpectedClose"),
        (3, "ConnectorLockFailedLock"),
        (4, "ConnectorLockUnexpectedOpen"),
        (5, "ConnectorLockFailedUnlock"),
        (7, "VendorWarning"),
        (1, "VendorError"),
    ],
)
def test_each_reason_of_the_controller_has_its_fault_and_can_be_raised_again(play: Any, reason: int, name: str) -> None:
    async def story(world: World) -> None:
        for _ in range(2):
            world.mcu.report_error(INLET, reason)
            await asyncio.sleep(0.1)
            assert active(world) == {(f"{LOCK}/{name}", INLET)}
            assert not world.active, "it is not a fault of the board"
            world.mcu.report_error(INLET, reason, active=False)
            await asyncio.sleep(0.1)
            assert not active(world)

    play(story, with_lock())


def test_faults_end_with_a_reset_and_the_order_is_given_again(play: Any) -> None:
    async def story(world: World) -> None:
        await world.driver.connector_lock.lock()
        await asyncio.sleep(1.0)
        world.mcu.report_error(INLET, 4)
        await asyncio.sleep(0.1)
        assert active(world)
        motor = world.mcu.mcu.hardware.plug_lock
        assert motor is not None
        motor.position = InletState.OPEN
        world.driver.link.reset("a test")
        await asyncio.sleep(3.0)
        assert not active(world)
        assert position(world) is InletState.CLOSED

    play(story, with_lock())


def test_an_order_without_a_link_is_carried_out_when_there_is_one(play: Any) -> None:
    async def story(world: World) -> None:
        world.mcu.cut(3.0)
        await asyncio.sleep(2.0)
        await world.driver.connector_lock.lock()
        await asyncio.sleep(8.0)
        assert position(world) is InletState.CLOSED

    play(story, with_lock())


def test_older_firmware_refuses_to_lock_and_names_what_is_needed(play: Any) -> None:
    async def story(world: World) -> None:
        plug = world.driver.connector_lock
        await plug.unlock()
        await asyncio.sleep(0.5)
        assert not active(world), "an unlocked plug is as ordered"
        await plug.lock()
        await asyncio.sleep(0.5)
        (fault,) = plug.faults.active
        assert fault.type == f"{LOCK}/MREC1ConnectorLockFailure"
        assert "parameter block version 3 or newer; it has 0.4.1 with parameter block version 1" in fault.message
        await plug.unlock()
        assert not active(world)

    play(story)


def test_a_parameter_block_without_a_lock_refuses_to_lock(play: Any) -> None:
    async def story(world: World) -> None:
        await world.driver.connector_lock.lock()
        await asyncio.sleep(0.5)
        (fault,) = world.driver.connector_lock.faults.active
        assert "pluglock" in fault.message

    play(story, Hardware(firmware=PLUG_LOCK_FIRMWARE))


@pytest.mark.parametrize(("lock", "name"), [(True, "UnexpectedOpen"), (False, "UnexpectedClose")])
def test_a_lock_that_leaves_its_place_without_an_order_is_a_fault_until_it_is_back(
    play: Any, lock: bool, name: str
) -> None:
    """The position is an observation: it counts although the controller sends no error message."""

    async def story(world: World) -> None:
        lock_motor = world.driver.connector_lock
        await lock_motor.lock()
        await asyncio.sleep(1.0)
        if not lock:
            await lock_motor.unlock()
            await asyncio.sleep(1.0)
        assert not active(world)
        motor = world.mcu.mcu.hardware.plug_lock
        assert motor is not None
        there = motor.position
        for passing in (InletState.OPENING, InletState.OPEN if lock else InletState.CLOSED):
            motor.position = passing
            world.mcu.inputs_changed()
            await asyncio.sleep(0.3)
        assert active(world) == {(f"{LOCK}/ConnectorLock{name}", INLET)}
        motor.position = there
        world.mcu.inputs_changed()
        await asyncio.sleep(0.3)
        assert not active(world)

    play(story, with_lock())
