"""What the world tells the machines of an EVSE, and the words that all of them share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any

from chargebyte_fw.contracts.types.authorization import CertificateStatus, ProvidedIdToken
from chargebyte_fw.contracts.types.evse_manager import EnableDisableSource, StopTransactionReason
from chargebyte_fw.contracts.types.isolation_monitor import IsolationMeasurement
from chargebyte_fw.contracts.types.power_supply_DC import Capabilities as SupplyCapabilities
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
    """The outcome of all wishes: what holds for the EVSE, and whether its connector is enabled."""

    enabled: bool
    source: EnableDisableSource
    connector_id: int | None = None
    connector_enabled: bool = True


@dataclass(frozen=True, slots=True)
class ForceUnlock:
    """Unlock the connector now."""


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
