"""The life cycle of EVerest's manager, as its tests expect the status lines and exit statuses (framework: 3.5, 9.3)."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.kernel.machine import Unexpected
from chargebyte_fw.manager.everest.lifecycle import (
    GRACE_S,
    AllGone,
    AllReady,
    Begin,
    Configured,
    Exit,
    Hurry,
    Lifecycle,
    Line,
    ModuleEnded,
    Policy,
    ReadAgain,
    RestartAsked,
    Signalled,
    StartModules,
    State,
    StopModules,
)

INT = Signalled("SIGINT")


class Played:
    """A life cycle with what it has written and asked for so far."""

    def __init__(self, **policy: bool) -> None:
        self.machine = Lifecycle(Policy(**policy))
        self.effects: list[Any] = []

    def feed(self, *events: Any, now: float = 0.0) -> list[Any]:
        """Feed events; returns the effects of these, without the lines."""
        found = [effect for event in events for effect in self.machine.feed(event, now)]
        assert not any(isinstance(effect, Unexpected) for effect in found)
        self.effects += found
        return [effect for effect in found if not isinstance(effect, Line)]

    def wake(self, now: float) -> list[Any]:
        found = self.machine.wake(now)
        self.effects += found
        return [effect for effect in found if not isinstance(effect, Line)]

    @property
    def lines(self) -> list[str]:
        return [effect.text for effect in self.effects if isinstance(effect, Line)]

    @property
    def status(self) -> int | None:
        return next((effect.status for effect in self.effects if isinstance(effect, Exit)), None)


def running(**policy: bool) -> Played:
    played = Played(**policy)
    assert played.feed(Begin()) == [ReadAgain()]
    assert played.feed(Configured(2)) == [StartModules()]
    played.feed(AllReady())
    assert played.lines == [
        "MANAGER_INITIALIZING",
        "MANAGER_STARTING_MODULES",
        "MANAGER_RUNNING",
        "ALL_MODULES_STARTED",
    ]
    played.effects.clear()
    return played


def test_a_signal_ends_all_modules_at_once() -> None:
    played = running()
    assert played.feed(INT) == [StopModules()]
    assert played.lines == ["SIGINT_RECEIVED", "MANAGER_SHUTDOWN_REQUESTED", "MANAGER_FORCE_TERMINATING"]
    played.feed(AllGone())
    assert played.lines[3:] == ["MANAGER_SHUTDOWN_FINALIZING", "MANAGER_EXITING"]
    assert played.status == 0


def test_a_graceful_stop_is_reported_as_clean() -> None:
    played = running(graceful=True)
    assert played.feed(INT) == [StopModules()]
    assert played.machine.deadline == GRACE_S
    played.feed(AllGone(), now=1.0)
    assert played.lines[1:] == [
        "MANAGER_SHUTDOWN_REQUESTED",
        "MANAGER_SHUTDOWN_FINALIZING",
        "ALL_MODULES_STOPPED_CLEAN",
        "MANAGER_EXITING",
    ]
    assert played.status == 0


def test_a_module_that_does_not_end_is_waited_for_five_seconds() -> None:
    played = running(graceful=True)
    played.feed(INT)
    assert played.wake(GRACE_S) == [Hurry()]
    assert played.lines[-2:] == ["FORCE_SHUTDOWN_TIMEOUT", "MANAGER_FORCE_TERMINATING"]
    played.feed(AllGone(clean=False))
    assert "ALL_MODULES_STOPPED_CLEAN" not in played.lines
    assert played.status == 0


def test_a_signal_during_the_start_never_leads_to_running() -> None:
    played = Played()
    played.feed(Begin(), Configured(1), INT, AllReady(), AllGone())
    assert "MANAGER_RUNNING" not in played.lines and "ALL_MODULES_STARTED" not in played.lines
    assert played.status == 0


def test_a_second_signal_ends_the_manager() -> None:
    played = running(graceful=True)
    assert played.feed(INT, INT) == [StopModules(), Hurry(), Exit(1)]


def test_a_crash_ends_the_manager() -> None:
    played = running()
    assert played.feed(ModuleEnded("one")) == [StopModules()]
    played.feed(ModuleEnded("two"), AllGone(clean=False))
    assert played.lines == [
        "MANAGER_SHUTDOWN_REQUESTED",
        "MANAGER_CRASH_SHUTDOWN_IN_PROGRESS",
        "MANAGER_FORCE_TERMINATING",
        "MANAGER_SHUTDOWN_FINALIZING",
        "MANAGER_EXITING",
    ]
    assert played.status == 1


@pytest.mark.parametrize("idle", [False, True])
def test_crashes_are_recovered_three_times(idle: bool) -> None:
    played = running(recover=True, graceful=True, idle_on_failure=idle)
    for attempt in (1, 2, 3):
        played.feed(ModuleEnded("one"))
        assert played.feed(AllGone(clean=False)) == [ReadAgain()]
        assert played.lines[-1] == f"CRASH_RECOVERY_ATTEMPT:{attempt}/3"
        assert played.feed(Configured(2)) == [StartModules()]
        played.feed(AllReady())
    played.feed(ModuleEnded("one"), AllGone(clean=False))
    assert played.lines[-2:] == ["CRASH_RECOVERY_EXHAUSTED", "MANAGER_IDLE" if idle else "MANAGER_EXITING"]
    assert played.status == (None if idle else 1)


def test_a_signal_during_a_crash_ends_the_manager_as_failed() -> None:
    played = running(recover=True, graceful=True)
    played.feed(ModuleEnded("one"), INT, AllGone(clean=False))
    assert played.status == 1


@pytest.mark.parametrize(
    ("policy", "modules", "last", "status"),
    [
        ({}, 0, "MANAGER_EXITING", 1),
        ({}, None, "MANAGER_EXITING", 1),
        ({"into_idle": True}, 0, "MANAGER_IDLE", None),
        ({"into_idle": True}, 3, "MANAGER_IDLE", None),
        ({"idle_on_failure": True}, 0, "MANAGER_IDLE", None),
        ({"idle_on_failure": True}, None, "MANAGER_EXITING", 1),
    ],
)
def test_without_modules(policy: dict[str, bool], modules: int | None, last: str, status: int | None) -> None:
    played = Played(**policy)
    played.feed(Begin(), Configured(modules))
    assert played.lines[-1] == last
    assert played.status == status
    if status is None:
        assert played.feed(INT) == [Exit(0)]


def test_a_restart_reads_the_configuration_again() -> None:
    played = running()
    assert played.feed(RestartAsked()) == [StopModules()]
    assert played.feed(RestartAsked(), AllGone()) == [ReadAgain()]
    assert played.feed(Configured(1)) == [StartModules()]
    played.feed(AllReady())
    assert played.machine.state is State.RUNNING
    idle = Played(into_idle=True)
    idle.feed(Begin(), Configured(1))
    assert idle.feed(RestartAsked()) == [ReadAgain()]
    assert idle.feed(Configured(1)) == [StartModules()]


def test_a_restart_becomes_a_stop() -> None:
    played = running(graceful=True)
    played.feed(RestartAsked(), INT, AllGone())
    assert played.status == 0


def test_a_signal_while_the_configuration_is_read_ends_the_manager() -> None:
    played = Played()
    played.feed(Begin(), INT, Configured(2))
    assert played.status == 0
    again = running()
    again.feed(RestartAsked(), AllGone(), INT, Configured(2))
    assert again.status == 0
    assert "MANAGER_STARTING_MODULES" not in again.lines
