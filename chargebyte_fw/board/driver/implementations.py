"""The driver's interfaces: each command is an order to its machines."""

from __future__ import annotations

from typing import Any, Protocol

from chargebyte_fw.board.driver.events import (
    STATE_E,
    STATE_F,
    STATE_X1,
    AllowPowerOn,
    Enable,
    MovePlugLock,
    PilotOutput,
    ResetTrip,
    SetPilot,
    SwitchPhases,
)
from chargebyte_fw.contracts.interfaces.ac_rcd import AcRcd
from chargebyte_fw.contracts.interfaces.cb_temperatures import CbTemperatures
from chargebyte_fw.contracts.interfaces.connector_lock import ConnectorLock
from chargebyte_fw.contracts.interfaces.evse_board_support import EvseBoardSupport
from chargebyte_fw.contracts.types.evse_board_support import PowerOnOff
from chargebyte_fw.kernel.log import ModuleLog


class Driver(Protocol):
    """What the implementations use of their module."""

    log: ModuleLog

    def order(self, event: Any) -> None:
        """Give an order to the machines that its class names."""

    async def self_test(self) -> None:
        """Begin a self-test of the residual current monitor; return when it is accepted or refused."""


class Board(EvseBoardSupport):
    """Control pilot and contactors."""

    module: Driver

    async def enable(self, value: bool) -> None:
        """Switch the port on (the pilot as ordered last) or off (state F, contactors open)."""
        self.module.order(Enable(value))

    async def pwm_on(self, value: float) -> None:
        """Put PWM of `value` percent on the pilot; 0 is state F, 100 is X1. Raises ValueError outside 0 to 100."""
        if not 0.0 <= value <= 100.0:
            raise ValueError(f"a duty cycle of {value} % does not exist")
        self.module.order(SetPilot(PilotOutput(True, value)))

    async def cp_state_X1(self) -> None:
        """Put +12 V on the pilot; leads a safety controller out of its safe state."""
        self.module.order(SetPilot(STATE_X1))

    async def cp_state_F(self) -> None:
        """Put -12 V on the pilot."""
        self.module.order(SetPilot(STATE_F))

    async def cp_state_E(self) -> None:
        """Put 0 V on the pilot: the generator is off, the link goes on."""
        self.module.order(SetPilot(STATE_E))

    async def allow_power_on(self, value: PowerOnOff) -> None:
        """Permit the safety controller to close the contactors in state C, or open them now."""
        self.module.order(AllowPowerOn(value.allow_power_on, value.reason.value))

    async def ac_switch_three_phases_while_charging(self, value: bool) -> None:
        """Connect three phases (or one); a car that charges is taken off the grid for it by a sequence on the pilot.

        Without wiring for it, or with firmware that is too old, phases stay as they are (see the capabilities).
        """
        self.module.order(SwitchPhases(value))

    async def ac_set_overcurrent_limit_A(self, value: float) -> None:
        """Log it: this board has no over-current trip of its own."""
        self.module.log.debug("over-current limit %g A: no hardware for it", value)


class Rcd(AcRcd):
    """Residual current monitor of the safety controller."""

    module: Driver

    async def self_test(self) -> None:
        """Begin a self-test; return when the safety controller has accepted or refused it."""
        await self.module.self_test()

    async def reset(self) -> bool:
        """Forget a trip without the car being unplugged; the safe state itself is left with `cp_state_X1`."""
        self.module.order(ResetTrip())
        return True


class Temperatures(CbTemperatures):
    """PT1000 channels of the safety controller."""

    module: Driver


class PlugLockMotor(ConnectorLock):
    """The plug lock of a socket, moved by the safety controller."""

    module: Driver

    async def lock(self) -> None:
        """Lock the plug; a lock that does not get there, or does not exist, is a fault."""
        self.module.order(MovePlugLock(True))

    async def unlock(self) -> None:
        """Unlock the plug once no contactor is closed; what was wrong with the lock is forgotten."""
        self.module.order(MovePlugLock(False))
