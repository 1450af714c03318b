"""What the machines of an EVSE tell each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from chargebyte_fw.contracts.types.authorization import ProvidedIdToken
from chargebyte_fw.contracts.types.evse_board_support import PowerOnOffReason
from chargebyte_fw.contracts.types.evse_manager import SessionEventEnum, StopTransactionReason
from chargebyte_fw.contracts.types.power_supply_DC import ChargingPhase
from chargebyte_fw.modules.evse.messages import Charging, Shutdown


@dataclass(frozen=True, slots=True)
class CarPluggedIn:
    """The connector is in the EV."""


@dataclass(frozen=True, slots=True)
class CarUnplugged:
    """The connector is out of the EV."""


@dataclass(frozen=True, slots=True)
class CarRequests:
    """The EV asks for power (state C or D) or has stopped to."""

    power: bool


@dataclass(frozen=True, slots=True)
class CarLost:
    """The pilot went from B, C or D to E or F."""

    shorted: bool
    """State E."""


@dataclass(frozen=True, slots=True)
class CarBack:
    """The pilot went from E or F to B, C or D."""


@dataclass(frozen=True, slots=True)
class ShowDuty:
    """Show this duty cycle, 0..1."""

    duty: float


@dataclass(frozen=True, slots=True)
class ShowX1:
    """Show +12 V."""


@dataclass(frozen=True, slots=True)
class ShowF:
    """Show -12 V."""


@dataclass(frozen=True, slots=True)
class AllowPower:
    """The contactors may close, or must open."""

    allowed: bool
    reason: PowerOnOffReason = PowerOnOffReason.PowerOff


@dataclass(frozen=True, slots=True)
class LockAuthorized:
    """For the lock in state B: whether the session is authorized."""

    authorized: bool


@dataclass(frozen=True, slots=True)
class ShutdownIs:
    """What the active faults demand from now on."""

    kind: Shutdown


@dataclass(frozen=True, slots=True)
class StateIs:
    """The charging kernel has entered this state."""

    state: Charging


@dataclass(frozen=True, slots=True)
class BeginSession:
    """A session begins, by plug-in or by an authorization."""

    token: ProvidedIdToken | None = None


@dataclass(frozen=True, slots=True)
class EndSession:
    """The session is over."""


@dataclass(frozen=True, slots=True)
class BeginTransaction:
    """Energy is to be billed to this token."""

    token: ProvidedIdToken
    tariff_text: str | None = None


@dataclass(frozen=True, slots=True)
class EndTransaction:
    """No more energy is billed."""

    reason: StopTransactionReason
    token: ProvidedIdToken | None = None


@dataclass(frozen=True, slots=True)
class TransactionIs:
    """The transaction runs; with `failed` it could not be started."""

    active: bool
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """A session event without a machine's help: `Tell` with the session's id and meter value added."""

    event: SessionEventEnum
    extra: dict[str, Any] = field(default_factory=dict)
    meter: str | None = None
    """Field that carries the meter's value."""


@dataclass(frozen=True, slots=True)
class SupplyWanted:
    """Set the supply to these values and switch it on; the cable check's way, without ramp."""

    voltage_V: float
    current_A: float


@dataclass(frozen=True, slots=True)
class SupplyOff:
    """Switch the supply off."""

    at_once: bool = False
    """Overtake everything that waits for the supply."""


@dataclass(frozen=True, slots=True)
class PhaseIs:
    """What the power path is used for."""

    phase: ChargingPhase


@dataclass(frozen=True, slots=True)
class LimitsAre:
    """What the EVSE allows on the DC path now."""

    voltage_V: float
    current_A: float
    power_W: float
    min_voltage_V: float = 0.0
    discharge_current_A: float = 0.0
    discharge_power_W: float = 0.0


@dataclass(frozen=True, slots=True)
class PwmLimit:
    """The current that the pilot signals, in A; None without a nominal duty cycle."""

    limit_A: float | None
