"""Messages between the machines of an EVSE; each declares which of them receive it."""

from __future__ import annotations

from typing import Any

import msgspec

from chargebyte_fw.contracts.types.authorization import ProvidedIdToken
from chargebyte_fw.contracts.types.evse_board_support import PowerOnOffReason
from chargebyte_fw.contracts.types.evse_manager import SessionEventEnum, StopTransactionReason
from chargebyte_fw.contracts.types.power_supply_DC import ChargingPhase, Mode
from chargebyte_fw.kernel.composite import received_by
from chargebyte_fw.modules.evse.machine.events import Charging, Cp, Shutdown


@received_by("charging", owner=True)
class CarPluggedIn(msgspec.Struct, frozen=True):
    """The connector is in the EV."""


@received_by("charging", "authorization", "over_voltage", "plausibility", "insulation", owner=True)
class CarUnplugged(msgspec.Struct, frozen=True):
    """The connector is out of the EV."""


@received_by("charging", owner=True)
class CarRequests(msgspec.Struct, frozen=True):
    """The EV asks for power (state C or D) or has stopped to."""

    power: bool


@received_by("charging", owner=True)
class CarLost(msgspec.Struct, frozen=True):
    """The pilot went from B, C or D to E or F."""

    shorted: bool
    """State E."""


@received_by("charging", owner=True)
class CarBack(msgspec.Struct, frozen=True):
    """The pilot went from E or F to B, C or D."""


@received_by("offer")
class OfferDirectCurrent(msgspec.Struct, frozen=True):
    """On AC: have HLC offer direct current (`ac_with_soc`), or again what the hardware can do."""

    offered: bool


@received_by("charging")
class RestartLink(msgspec.Struct, frozen=True):
    """Begin the communication with the EV anew, from the matching on."""


@received_by("lock")
class PilotStateChanged(msgspec.Struct, frozen=True):
    """The pilot's state; F while nothing is known of an EV."""

    state: Cp


@received_by("charging")
class PlugUnwatched(msgspec.Struct, frozen=True):
    """The pilot does not show the plug any more: state E or F, or no link to the board."""


@received_by("charging", "authorization")
class PlugWatched(msgspec.Struct, frozen=True):
    """The pilot shows the plug again.

    `doubt`: meanwhile another EV may have been plugged in; false after a step of the pilot that was ordered.
    """

    doubt: bool


@received_by("authorization")
class EvProven(msgspec.Struct, frozen=True):
    """After a doubt: the EV is the one of this session."""


@received_by("pilot")
class ShowDuty(msgspec.Struct, frozen=True):
    """Show this duty cycle, 0..1."""

    duty: float


@received_by("pilot")
class ShowX1(msgspec.Struct, frozen=True):
    """Show +12 V."""


@received_by("pilot")
class ShowF(msgspec.Struct, frozen=True):
    """Show -12 V."""


@received_by("pilot")
class AllowPower(msgspec.Struct, frozen=True):
    """The contactors may close, or must open."""

    allowed: bool
    reason: PowerOnOffReason = PowerOnOffReason.PowerOff


@received_by("lock")
class LockAuthorized(msgspec.Struct, frozen=True):
    """For the lock in state B: whether the session is authorized."""

    authorized: bool


@received_by("charging", "power_path", owner=True)
class ShutdownChanged(msgspec.Struct, frozen=True):
    """What the active faults demand from now on."""

    kind: Shutdown


@received_by(
    "authorization", "cable_check", "power_path", "insulation", "over_current", "soc_first", "energy", owner=True
)
class StateEntered(msgspec.Struct, frozen=True):
    """The charging state machine has entered this state."""

    state: Charging


@received_by("session", "authorization")
class BeginSession(msgspec.Struct, frozen=True):
    """A session begins, by plug-in or by an authorization."""

    token: ProvidedIdToken | None = None
    reservation_id: int | None = None


@received_by("session")
class EndSession(msgspec.Struct, frozen=True):
    """The session is over."""


@received_by("session")
class BeginTransaction(msgspec.Struct, frozen=True):
    """Energy is to be billed to this token."""

    token: ProvidedIdToken
    tariff_text: str | None = None
    reservation_id: int | None = None


@received_by("session")
class EndTransaction(msgspec.Struct, frozen=True):
    """No more energy is billed."""

    reason: StopTransactionReason
    token: ProvidedIdToken | None = None


@received_by("charging", "authorization", owner=True)
class TransactionChanged(msgspec.Struct, frozen=True):
    """The transaction runs; with `failed` it could not be started."""

    active: bool
    failed: bool = False


@received_by("session")
class SessionEventDue(msgspec.Struct, frozen=True):
    """A session event is to be published, with the session's id and the meter's value added."""

    event: SessionEventEnum
    extra: dict[str, Any] = msgspec.field(default_factory=dict)
    meter: str | None = None
    """Field that carries the meter's value."""


@received_by("power_path")
class SupplyWanted(msgspec.Struct, frozen=True):
    """Set the supply to these values and switch it on; the cable check's way, without ramp."""

    voltage_V: float
    current_A: float


@received_by("power_path")
class SupplyOff(msgspec.Struct, frozen=True):
    """Switch the supply off."""

    at_once: bool = False
    """Overtake everything that waits for the supply."""


@received_by("supply_watch", "present_values")
class SupplyOrdered(msgspec.Struct, frozen=True):
    """The mode that the power path has ordered of the supply."""

    mode: Mode


@received_by("power_path")
class PowerPathUse(msgspec.Struct, frozen=True):
    """What the power path is used for."""

    phase: ChargingPhase


@received_by("power_path")
class PowerPathLimits(msgspec.Struct, frozen=True):
    """What the EVSE allows on the DC path now."""

    voltage_V: float
    current_A: float
    power_W: float
    min_voltage_V: float = 0.0
    discharge_current_A: float = 0.0
    discharge_power_W: float = 0.0


@received_by("over_current")
class PwmLimit(msgspec.Struct, frozen=True):
    """The current that the pilot signals, in A; None without a nominal duty cycle."""

    limit_A: float | None


@received_by("charging")
class ReportLimits(msgspec.Struct, frozen=True):
    """Report the current limits once more, changed or not."""


@received_by("reservation")
class CancelReservation(msgspec.Struct, frozen=True):
    """The reservation is given up, or cannot be kept."""
