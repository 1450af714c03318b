"""What the machines of an EVSE tell each other and the world."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Any

from chargebyte_fw.contracts.types.authorization import CertificateStatus, ProvidedIdToken
from chargebyte_fw.contracts.types.evse_board_support import HardwareCapabilities, PowerOnOffReason
from chargebyte_fw.contracts.types.evse_manager import EnableDisableSource, SessionEventEnum, StopTransactionReason
from chargebyte_fw.contracts.types.isolation_monitor import IsolationMeasurement
from chargebyte_fw.contracts.types.power_supply_DC import Capabilities as SupplyCapabilities
from chargebyte_fw.contracts.types.power_supply_DC import ChargingPhase
from chargebyte_fw.contracts.types.powermeter import Powermeter, TransactionStartResponse, TransactionStopResponse
from chargebyte_fw.contracts.types.slac import State as SlacState
from chargebyte_fw.kernel.faults import Severity


class Cp(StrEnum):
    """State of the control pilot, IEC 61851-1 table A.4; `Off` before the board has said anything."""

    Off = "Off"
    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"
    F = "F"


class Charging(Enum):
    """States of the charging kernel; the values are EVerest's state texts."""

    Disabled = "Disabled"
    Idle = "Idle"
    WaitingForAuthentication = "Wait for Auth"
    PrepareCharging = "Prepare Charging"
    Charging = "Charging"
    ChargingPausedEV = "Car Paused"
    ChargingPausedEVSE = "EVSE Paused"
    StoppingCharging = "Stopping"
    Finished = "Finished"
    TStepEF = "T_step_EF"
    TStepX1 = "T_step_X1"
    SwitchPhases = "SwitchPhases"


class Shutdown(Enum):
    """What the active faults demand."""

    Nothing = 0
    Error = 1
    Emergency = 2


# What the world says.


@dataclass(frozen=True, slots=True)
class Begin:
    """The EVSE is ready: look at the pilot from now on."""


@dataclass(frozen=True, slots=True)
class CpReported:
    """The board sees this pilot state."""

    state: Cp


@dataclass(frozen=True, slots=True)
class Contactor:
    """Feedback of the contactors."""

    closed: bool


@dataclass(frozen=True, slots=True)
class CableLimit:
    """The proximity pilot's rating in A; 0 is unknown, None is a fixed cable."""

    limit_A: float | None


@dataclass(frozen=True, slots=True)
class HardwareTold:
    """The board's capabilities."""

    hardware: HardwareCapabilities


@dataclass(frozen=True, slots=True)
class SupplyTold:
    """The power supply's capabilities, after external derating."""

    supply: SupplyCapabilities


@dataclass(frozen=True, slots=True)
class SupplyMeasured:
    """Voltage and current at the supply's output."""

    voltage_V: float
    current_A: float


@dataclass(frozen=True, slots=True)
class InsulationMeasured:
    """A sample of the insulation monitor."""

    sample: IsolationMeasurement


@dataclass(frozen=True, slots=True)
class SelfTested:
    """The insulation monitor has tested itself."""

    passed: bool


@dataclass(frozen=True, slots=True)
class MonitorMeasured:
    """A sample of the over-voltage monitor."""

    voltage_V: float


@dataclass(frozen=True, slots=True)
class MeterRead:
    """A sample of the billing meter."""

    value: Powermeter


@dataclass(frozen=True, slots=True)
class MeterStarted:
    """The meter's answer to the start of a transaction; None: there was no answer."""

    answer: TransactionStartResponse | None


@dataclass(frozen=True, slots=True)
class MeterStopped:
    """The meter's answer to the end of a transaction; None: there was no answer."""

    answer: TransactionStopResponse | None


@dataclass(frozen=True, slots=True)
class Budget:
    """What the energy management allows until `until_s`: A per phase for AC, A and W for DC."""

    ac_A: float
    dc_A: float
    dc_W: float
    until_s: float
    phases: int = 3
    exporting: bool = False


@dataclass(frozen=True, slots=True)
class BudgetOver:
    """The budget was not renewed in time: there is none."""


@dataclass(frozen=True, slots=True)
class PhasesWanted:
    """The energy management wants one or three phases."""

    three: bool


@dataclass(frozen=True, slots=True)
class Authorized:
    """Somebody may charge."""

    token: ProvidedIdToken
    tariff_text: str | None = None
    contract: bool = False
    """By Plug and Charge."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The authorization is not valid any more."""


@dataclass(frozen=True, slots=True)
class UserPause:
    """Pause or go on."""

    pause: bool


@dataclass(frozen=True, slots=True)
class Cancel:
    """End the transaction for good."""

    reason: StopTransactionReason
    token: ProvidedIdToken | None = None


@dataclass(frozen=True, slots=True)
class Enabling:
    """The winning source enables or disables; `on_connector` False concerns the EVSE as a whole."""

    enabled: bool
    source: EnableDisableSource
    connector_id: int | None = None
    connector_enabled: bool = True


@dataclass(frozen=True, slots=True)
class ForceUnlock:
    """Unlock the connector now."""


# SLAC and HLC.


@dataclass(frozen=True, slots=True)
class SlacIs:
    """State of SLAC."""

    state: SlacState


@dataclass(frozen=True, slots=True)
class LinkReady:
    """The data link is up or down."""

    up: bool


@dataclass(frozen=True, slots=True)
class SlacErrorRoutine:
    """SLAC asks for its error routine."""


@dataclass(frozen=True, slots=True)
class LinkError:
    """D-LINK_ERROR of HLC."""


@dataclass(frozen=True, slots=True)
class LinkPause:
    """D-LINK_PAUSE of HLC."""


@dataclass(frozen=True, slots=True)
class LinkTerminate:
    """D-LINK_TERMINATE of HLC."""


@dataclass(frozen=True, slots=True)
class V2gSetupFinished:
    """HLC has agreed on everything: it leads from now on."""


@dataclass(frozen=True, slots=True)
class EimWanted:
    """HLC wants an external identification."""


@dataclass(frozen=True, slots=True)
class ContractWanted:
    """HLC wants the contract of this token validated."""

    token: ProvidedIdToken


@dataclass(frozen=True, slots=True)
class ContractRejected:
    """The validator did not accept the contract."""

    status: Any
    certificate: CertificateStatus


@dataclass(frozen=True, slots=True)
class EvccId:
    """MAC address that names the EV, `AA:BB:...`."""

    mac: str


@dataclass(frozen=True, slots=True)
class HlcAllowsClose:
    """HLC allows or forbids closed contactors."""

    allowed: bool


@dataclass(frozen=True, slots=True)
class CableCheckStart:
    """The EV waits for the cable check."""


@dataclass(frozen=True, slots=True)
class PreChargeStart:
    """The EV begins to precharge."""


@dataclass(frozen=True, slots=True)
class CurrentDemand:
    """The EV's current demand loop has begun or ended."""

    running: bool


@dataclass(frozen=True, slots=True)
class DcOpenContactor:
    """HLC is done with the power path."""


@dataclass(frozen=True, slots=True)
class EvTargets:
    """What the EV asks for."""

    voltage_V: float
    current_A: float


@dataclass(frozen=True, slots=True)
class EvMaximum:
    """What the EV can take."""

    voltage_V: float | None
    current_A: float | None
    power_W: float | None


@dataclass(frozen=True, slots=True)
class Dynamic:
    """Limits of the EV in the dynamic mode of ISO 15118-20."""

    max_voltage_V: float
    min_voltage_V: float
    max_current_A: float
    max_power_W: float
    discharge_current_A: float | None = None
    discharge_power_W: float | None = None


@dataclass(frozen=True, slots=True)
class ServiceSelected:
    """The EV has chosen a service of ISO 15118-20."""

    bidirectional: bool
    ac: bool = False


@dataclass(frozen=True, slots=True)
class SaeBidi:
    """An SAE J2847/2 EV discharges."""


# Faults.


@dataclass(frozen=True, slots=True)
class FaultSeen:
    """A fault of somebody is active."""

    interface: str
    type: str
    sub_type: str
    severity: Severity
    vendor_id: str
    origin: str


@dataclass(frozen=True, slots=True)
class FaultGone:
    """A fault of somebody is over."""

    type: str
    sub_type: str
    origin: str


# Between the machines.


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


# What the world is asked to do.


@dataclass(frozen=True, slots=True)
class Call:
    """Effect: a command to a neighbour (`bsp`, `hlc`, `slac`, `supply`, `imd`, `monitor`, `lock`)."""

    peer: str
    command: str
    args: tuple[Any, ...] = ()
    urgent: bool = False
    """Overtake, and drop, what still waits for this neighbour."""


@dataclass(frozen=True, slots=True)
class StartMeter:
    """Effect: ask the billing meter to begin; answer with MeterStarted."""

    session_id: str
    token: ProvidedIdToken
    tariff_text: str | None


@dataclass(frozen=True, slots=True)
class StopMeter:
    """Effect: ask the billing meter to end; answer with MeterStopped."""

    session_id: str


@dataclass(frozen=True, slots=True)
class Keep:
    """Effect: remember the id of the running transaction over a loss of power; empty forgets it."""

    session_id: str


@dataclass(frozen=True, slots=True)
class Tell:
    """Effect: publish a session event; a meter value without time is stamped by the owner."""

    event: SessionEventEnum
    session_id: str
    extra: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SessionIs:
    """Effect: the session's id, empty without one (the log and the EV's data follow it)."""

    session_id: str


@dataclass(frozen=True, slots=True)
class OfferToken:
    """Effect: publish a token."""

    token: ProvidedIdToken


@dataclass(frozen=True, slots=True)
class SetUpSession:
    """Effect: tell HLC the payment options: everything configured, or external payment only."""

    external_only: bool


@dataclass(frozen=True, slots=True)
class Raise:
    """Effect: raise a fault of the EVSE."""

    name: str
    message: str
    sub_type: str = ""
    severity: Severity = Severity.High
    vendor_id: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Clear:
    """Effect: clear a fault of the EVSE, with every sub-type; an empty name clears all but Inoperative."""

    name: str


@dataclass(frozen=True, slots=True)
class Say:
    """Effect: a line for the log."""

    text: str
    level: str = "info"


@dataclass(frozen=True, slots=True)
class LimitsChanged:
    """Effect: current and phases that the EV may use."""

    limit_A: float
    phases: int


@dataclass(frozen=True, slots=True)
class AskEnergy:
    """Effect: tell the energy management at once what is wanted."""


@dataclass(frozen=True, slots=True)
class CancelReservation:
    """Effect: the reservation cannot be kept."""
