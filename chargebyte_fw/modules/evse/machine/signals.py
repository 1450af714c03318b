"""What the machines of an EVSE tell each other."""

from __future__ import annotations

from typing import Any

import msgspec

from chargebyte_fw.contracts.types.authorization import ProvidedIdToken
from chargebyte_fw.contracts.types.evse_board_support import PowerOnOffReason
from chargebyte_fw.contracts.types.evse_manager import SessionEventEnum, StopTransactionReason
from chargebyte_fw.contracts.types.power_supply_DC import ChargingPhase, Mode
from chargebyte_fw.modules.evse.machine.events import Charging, Shutdown
from chargebyte_fw.modules.evse.machine.public import Public


class CarPluggedIn(Public, frozen=True):
    """The connector is in the EV."""


class CarUnplugged(Public, frozen=True):
    """The connector is out of the EV."""


class CarRequests(Public, frozen=True):
    """The EV asks for power (state C or D) or has stopped to."""

    power: bool


class CarLost(Public, frozen=True):
    """The pilot went from B, C or D to E or F."""

    shorted: bool
    """State E."""


class CarBack(Public, frozen=True):
    """The pilot went from E or F to B, C or D."""


class PlugUnwatched(msgspec.Struct, frozen=True):
    """The pilot does not show the plug any more: state E or F, or no link to the board."""


class PlugWatched(msgspec.Struct, frozen=True):
    """The pilot shows the plug again.

    `doubt`: meanwhile another EV may have been plugged in; false after a step of the pilot that was ordered.
    """

    doubt: bool


class EvProven(msgspec.Struct, frozen=True):
    """After a doubt: the EV is the one of this session."""


class ShowDuty(msgspec.Struct, frozen=True):
    """Show this duty cycle, 0..1."""

    duty: float


class ShowX1(msgspec.Struct, frozen=True):
    """Show +12 V."""


class ShowF(msgspec.Struct, frozen=True):
    """Show -12 V."""


class AllowPower(msgspec.Struct, frozen=True):
    """The contactors may close, or must open."""

    allowed: bool
    reason: PowerOnOffReason = PowerOnOffReason.PowerOff


class LockAuthorized(msgspec.Struct, frozen=True):
    """For the lock in state B: whether the session is authorized."""

    authorized: bool


class ShutdownIs(Public, frozen=True):
    """What the active faults demand from now on."""

    kind: Shutdown


class StateIs(Public, frozen=True):
    """The charging kernel has entered this state."""

    state: Charging


class BeginSession(msgspec.Struct, frozen=True):
    """A session begins, by plug-in or by an authorization."""

    token: ProvidedIdToken | None = None


class EndSession(msgspec.Struct, frozen=True):
    """The session is over."""


class BeginTransaction(msgspec.Struct, frozen=True):
    """Energy is to be billed to this token."""

    token: ProvidedIdToken
    tariff_text: str | None = None


class EndTransaction(msgspec.Struct, frozen=True):
    """No more energy is billed."""

    reason: StopTransactionReason
    token: ProvidedIdToken | None = None


class TransactionIs(Public, frozen=True):
    """The transaction runs; with `failed` it could not be started."""

    active: bool
    failed: bool = False


class Note(msgspec.Struct, frozen=True):
    """A session event without a machine's help: `Tell` with the session's id and meter value added."""

    event: SessionEventEnum
    extra: dict[str, Any] = msgspec.field(default_factory=dict)
    meter: str | None = None
    """Field that carries the meter's value."""


class SupplyWanted(msgspec.Struct, frozen=True):
    """Set the supply to these values and switch it on; the cable check's way, without ramp."""

    voltage_V: float
    current_A: float


class SupplyOff(msgspec.Struct, frozen=True):
    """Switch the supply off."""

    at_once: bool = False
    """Overtake everything that waits for the supply."""


class SupplyOrdered(msgspec.Struct, frozen=True):
    """The mode that the power path has ordered of the supply."""

    mode: Mode


class PhaseIs(msgspec.Struct, frozen=True):
    """What the power path is used for."""

    phase: ChargingPhase


class LimitsAre(msgspec.Struct, frozen=True):
    """What the EVSE allows on the DC path now."""

    voltage_V: float
    current_A: float
    power_W: float
    min_voltage_V: float = 0.0
    discharge_current_A: float = 0.0
    discharge_power_W: float = 0.0


class PwmLimit(msgspec.Struct, frozen=True):
    """The current that the pilot signals, in A; None without a nominal duty cycle."""

    limit_A: float | None
