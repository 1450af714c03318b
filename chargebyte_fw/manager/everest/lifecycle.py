"""Life cycle of EVerest's `manager` (framework: 3.5): a machine without a process.

All modules are started and stopped together. Each state and each event that test programs wait for is one line of the
status FIFO (framework: 3.6).
"""

from __future__ import annotations

from enum import Enum
from typing import Any

import msgspec

from chargebyte_fw.kernel.machine import Machine, on

GRACE_S = 5.0
"""How long modules may take to end after the shutdown message, before they are ended."""
MAX_RECOVERIES = 3
"""How often modules are started again after one of them has ended by itself, in the life of a manager."""
INTERRUPT = "SIGINT"


class State(Enum):
    """States of the manager; the line of a state is its name after `MANAGER_`."""

    BEGINNING = "BEGINNING"
    INITIALIZING = "INITIALIZING"
    IDLE = "IDLE"
    STARTING_MODULES = "STARTING_MODULES"
    RUNNING = "RUNNING"
    RESTART_REQUESTED = "RESTART_REQUESTED"
    CRASH_SHUTDOWN_IN_PROGRESS = "CRASH_SHUTDOWN_IN_PROGRESS"
    SHUTDOWN_REQUESTED = "SHUTDOWN_REQUESTED"
    FORCE_TERMINATING = "FORCE_TERMINATING"
    SHUTDOWN_FINALIZING = "SHUTDOWN_FINALIZING"
    EXITING = "EXITING"


class Cause(Enum):
    """Why modules are being stopped."""

    NORMAL = "normal"
    RESTART = "restart"
    CRASH = "crash"


class Policy(msgspec.Struct, frozen=True):
    """What the command line asks for."""

    into_idle: bool = False
    """Begin without modules, whatever is configured."""
    idle_on_failure: bool = False
    """Stay without modules where there is nothing to start, in place of ending."""
    recover: bool = False
    """Start all modules again after one has ended by itself."""
    graceful: bool = False
    """Ask modules to end before they are ended."""


class Begin(msgspec.Struct, frozen=True):
    """The command line was read."""


class Configured(msgspec.Struct, frozen=True):
    """The configuration was read; `modules` is how many it has, None where it cannot be used."""

    modules: int | None


class AllReady(msgspec.Struct, frozen=True):
    """Every module has reported ready."""


class ModuleEnded(msgspec.Struct, frozen=True):
    """A module has ended by itself, or could not be started."""

    module_id: str


class Signalled(msgspec.Struct, frozen=True):
    """SIGINT or SIGTERM came."""

    name: str


class RestartAsked(msgspec.Struct, frozen=True):
    """The admin panel asks for a new start of all modules."""


class AllGone(msgspec.Struct, frozen=True):
    """Every module has ended; `clean`: each by itself and without an error."""

    clean: bool = True


class Line(msgspec.Struct, frozen=True):
    """Effect: write a line to the status FIFO."""

    text: str


class StartModules(msgspec.Struct, frozen=True):
    """Effect: start the modules of the configuration that was read last."""


class StopModules(msgspec.Struct, frozen=True):
    """Effect: bring every module into its safe state; AllGone follows."""


class Hurry(msgspec.Struct, frozen=True):
    """Effect: wait no longer for a module that does not end."""


class ReadAgain(msgspec.Struct, frozen=True):
    """Effect: read the configuration; Configured follows."""


class Exit(msgspec.Struct, frozen=True):
    """Effect: end with this exit status."""

    status: int


ACTIVE = (State.STARTING_MODULES, State.RUNNING)
DRAINING = (
    State.RESTART_REQUESTED,
    State.CRASH_SHUTDOWN_IN_PROGRESS,
    State.SHUTDOWN_REQUESTED,
    State.FORCE_TERMINATING,
)


class Lifecycle(Machine):
    """One manager, from its start to its exit status."""

    initial = State.BEGINNING

    def __init__(self, policy: Policy) -> None:
        super().__init__()
        self._policy = policy
        self._cause = Cause.NORMAL
        self._signalled = False
        self._recoveries = 0

    def _go(self, state: State, *effects: Any) -> list[Any]:
        if state is self.state:
            return list(effects)
        return self.enter(state, Line(f"MANAGER_{state.value}"), *effects)

    @on(State.BEGINNING, event=Begin, to=State.INITIALIZING)
    def begin(self, event: Begin, now: float) -> list[Any]:
        """Read the configuration first."""
        return self._go(State.INITIALIZING, ReadAgain())

    @on(State.INITIALIZING, event=Configured, to=(State.STARTING_MODULES, State.IDLE, State.EXITING))
    def configured(self, event: Configured, now: float) -> list[Any]:
        """Start what is configured. A configuration that cannot be used ends the manager."""
        if event.modules is None:
            return self._go(State.EXITING, Exit(1))
        if self._policy.into_idle:
            return self._go(State.IDLE)
        return self._start_or_not(event.modules)

    @on(State.SHUTDOWN_FINALIZING, event=Configured, to=(State.STARTING_MODULES, State.IDLE, State.EXITING))
    def configured_again(self, event: Configured, now: float) -> list[Any]:
        """Start all modules again, from what is configured now, unless a signal came meanwhile."""
        if self._signalled:
            return self._go(State.EXITING, Exit(1 if self._cause is Cause.CRASH else 0))
        return self._start_or_not(event.modules or 0)

    @on(State.EXITING, event=Configured)
    def configured_too_late(self, event: Configured, now: float) -> list[Any]:
        """A signal came while the configuration was being read."""
        return []

    def _start_or_not(self, modules: int) -> list[Any]:
        if modules:
            return self._go(State.STARTING_MODULES, StartModules())
        if self._policy.idle_on_failure:
            return self._go(State.IDLE)
        return self._go(State.EXITING, Exit(1))

    @on(State.STARTING_MODULES, event=AllReady, to=State.RUNNING)
    def all_ready(self, event: AllReady, now: float) -> list[Any]:
        """Report that the modules run."""
        return self._go(State.RUNNING, Line("ALL_MODULES_STARTED"))

    @on(State.RUNNING, event=AllReady)
    def ready_again(self, event: AllReady, now: float) -> list[Any]:
        """A module that was started from outside is ready again: repeat the report."""
        return [Line("ALL_MODULES_STARTED")]

    @on(*DRAINING, State.SHUTDOWN_FINALIZING, event=AllReady)
    def ready_too_late(self, event: AllReady, now: float) -> list[Any]:
        """What is being stopped is not running any more."""
        return []

    @on(
        *ACTIVE,
        event=ModuleEnded,
        to=(State.SHUTDOWN_REQUESTED, State.CRASH_SHUTDOWN_IN_PROGRESS, State.FORCE_TERMINATING),
    )
    def crash(self, event: ModuleEnded, now: float) -> list[Any]:
        """One module has ended: stop the others, too."""
        self._cause = Cause.CRASH
        return [
            *self._go(State.SHUTDOWN_REQUESTED),
            *self._go(State.CRASH_SHUTDOWN_IN_PROGRESS),
            *self._drain(now),
        ]

    @on(*DRAINING, State.SHUTDOWN_FINALIZING, State.IDLE, State.EXITING, event=ModuleEnded)
    def ended_as_asked(self, event: ModuleEnded, now: float) -> list[Any]:
        """A module ends while all are being stopped."""
        return []

    def _drain(self, now: float) -> list[Any]:
        if self._policy.graceful:
            self.start("grace", now + GRACE_S)
            return [StopModules()]
        return [*self._go(State.FORCE_TERMINATING), StopModules()]

    @on(*ACTIVE, event=Signalled, to=(State.SHUTDOWN_REQUESTED, State.FORCE_TERMINATING))
    def stop_asked(self, event: Signalled, now: float) -> list[Any]:
        """Stop all modules, then end."""
        self._cause, self._signalled = Cause.NORMAL, True
        return [*_received(event), *self._go(State.SHUTDOWN_REQUESTED), *self._drain(now)]

    @on(State.BEGINNING, State.INITIALIZING, State.IDLE, event=Signalled, to=State.EXITING)
    def stop_without_modules(self, event: Signalled, now: float) -> list[Any]:
        """End at once: nothing runs."""
        return [*_received(event), *self._go(State.EXITING, Exit(0))]

    @on(*DRAINING, State.SHUTDOWN_FINALIZING, event=Signalled, to=(State.SHUTDOWN_REQUESTED, State.EXITING))
    def stop_asked_again(self, event: Signalled, now: float) -> list[Any]:
        """The second signal ends the manager at once; the first one makes a restart a stop."""
        if self._signalled:
            return [*_received(event), Hurry(), *self._go(State.EXITING, Exit(1))]
        self._signalled = True
        if self._cause is Cause.RESTART:
            self._cause = Cause.NORMAL
        on_the_way = self.state in (State.RESTART_REQUESTED, State.CRASH_SHUTDOWN_IN_PROGRESS)
        return [*_received(event), *(self._go(State.SHUTDOWN_REQUESTED) if on_the_way else ())]

    @on(*ACTIVE, event=RestartAsked, to=(State.RESTART_REQUESTED, State.FORCE_TERMINATING))
    def restart_asked(self, event: RestartAsked, now: float) -> list[Any]:
        """Stop all modules, then start them again."""
        self._cause = Cause.RESTART
        return [*self._go(State.RESTART_REQUESTED), *self._drain(now)]

    @on(State.IDLE, event=RestartAsked, to=(State.RESTART_REQUESTED, State.SHUTDOWN_FINALIZING))
    def start_asked(self, event: RestartAsked, now: float) -> list[Any]:
        """Start from what is configured now: nothing is to be stopped first."""
        self._cause = Cause.RESTART
        return [*self._go(State.RESTART_REQUESTED), *self._go(State.SHUTDOWN_FINALIZING, ReadAgain())]

    @on(*DRAINING, State.SHUTDOWN_FINALIZING, State.EXITING, event=RestartAsked)
    def restart_too_late(self, event: RestartAsked, now: float) -> list[Any]:
        """All modules are being stopped already."""
        return []

    @on(
        State.RESTART_REQUESTED,
        State.CRASH_SHUTDOWN_IN_PROGRESS,
        State.SHUTDOWN_REQUESTED,
        timer="grace",
        to=State.FORCE_TERMINATING,
    )
    def out_of_grace(self, now: float) -> list[Any]:
        """Some module does not end when it is asked to."""
        return [Line("FORCE_SHUTDOWN_TIMEOUT"), *self._go(State.FORCE_TERMINATING, Hurry())]

    @on(*DRAINING, event=AllGone, to=(State.SHUTDOWN_FINALIZING, State.EXITING, State.IDLE))
    def all_gone(self, event: AllGone, now: float) -> list[Any]:
        """End, or start again."""
        asked = self._cause is Cause.NORMAL and self._policy.graceful and self.state is not State.FORCE_TERMINATING
        effects = self._go(State.SHUTDOWN_FINALIZING)
        if asked and event.clean:
            effects.append(Line("ALL_MODULES_STOPPED_CLEAN"))
        if self._cause is Cause.RESTART:
            return [*effects, ReadAgain()]
        if self._cause is Cause.NORMAL:
            return [*effects, *self._go(State.EXITING, Exit(0))]
        return [*effects, *self._after_crash()]

    def _after_crash(self) -> list[Any]:
        if not self._policy.recover or self._signalled:
            return self._go(State.EXITING, Exit(1))
        if self._recoveries < MAX_RECOVERIES:
            self._recoveries += 1
            return [Line(f"CRASH_RECOVERY_ATTEMPT:{self._recoveries}/{MAX_RECOVERIES}"), ReadAgain()]
        exhausted = Line("CRASH_RECOVERY_EXHAUSTED")
        if self._policy.idle_on_failure:
            return [exhausted, *self._go(State.IDLE)]
        return [exhausted, *self._go(State.EXITING, Exit(1))]


def _received(event: Signalled) -> list[Any]:
    return [Line("SIGINT_RECEIVED")] if event.name == INTERRUPT else []
