"""What the world tells the machines of an EVSE, and the words that all of them share."""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import Any

import msgspec

from chargebyte_fw.contracts.types.authorization import CertificateStatus, ProvidedIdToken
from chargebyte_fw.contracts.types.evse_manager import EnableDisableSource, StopTransactionReason
from chargebyte_fw.contracts.types.isolation_monitor import IsolationMeasurement
from chargebyte_fw.contracts.types.power_supply_DC import Capabilities as SupplyCapabilities
from chargebyte_fw.contracts.types.power_supply_DC import Mode
from chargebyte_fw.contracts.types.powermeter import Powermeter, TransactionStartResponse, TransactionStopResponse
from chargebyte_fw.contracts.types.slac import State as SlacState
from chargebyte_fw.kernel.faults import Severity
from chargebyte_fw.modules.evse.machine.public import Public


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
    PrepareCharging = "PrepareCharging"
    Charging = "Charging"
    ChargingPausedEV = "Car Paused"
    ChargingPausedEVSE = "EVSE Paused"
    StoppingCharging = "StoppingCharging"
    Finished = "Finished"
    TStepEF = "T_step_EF"
    TStepX1 = "T_step_X1"
    SwitchPhases = "SwitchPhases"


class Shutdown(Enum):
    """What the active faults demand."""

    Nothing = 0
    Error = 1
    Emergency = 2


class Begin(msgspec.Struct, frozen=True):
    """The EVSE is ready: look at the pilot from now on."""


class CpReported(msgspec.Struct, frozen=True):
    """The board sees this pilot state."""

    state: Cp


class Contactor(msgspec.Struct, frozen=True):
    """Feedback of the contactors."""

    closed: bool


class CableLimit(msgspec.Struct, frozen=True):
    """The proximity pilot's rating in A; 0 is unknown, None is a fixed cable."""

    limit_A: float | None


class SupplyTold(msgspec.Struct, frozen=True):
    """The power supply's capabilities, after external derating."""

    supply: SupplyCapabilities


class SupplyMode(msgspec.Struct, frozen=True):
    """The mode that the power supply reports."""

    mode: Mode


class SupplyMeasured(msgspec.Struct, frozen=True):
    """Voltage and current at the supply's output."""

    voltage_V: float
    current_A: float


class InsulationMeasured(msgspec.Struct, frozen=True):
    """A sample of the insulation monitor."""

    sample: IsolationMeasurement


class SelfTested(msgspec.Struct, frozen=True):
    """The insulation monitor has tested itself."""

    passed: bool


class MonitorMeasured(msgspec.Struct, frozen=True):
    """A sample of the over-voltage monitor."""

    voltage_V: float


class MeterRead(msgspec.Struct, frozen=True):
    """A sample of the billing meter."""

    value: Powermeter


class MeterStarted(msgspec.Struct, frozen=True):
    """The meter's answer to the start of a transaction; None: there was no answer."""

    answer: TransactionStartResponse | None


class MeterStopped(msgspec.Struct, frozen=True):
    """The meter's answer to the end of a transaction; None: there was no answer."""

    answer: TransactionStopResponse | None


class Budget(msgspec.Struct, frozen=True):
    """What the energy management allows until `until_s`: A per phase for AC, A and W for DC."""

    ac_A: float
    dc_A: float
    dc_W: float
    until_s: float
    phases: int = 3
    limited_by: str = ""
    """Where there is too little of it: how much, and which limit rules."""


class BudgetOver(Public, frozen=True):
    """The budget was not renewed in time: there is none."""


class PhasesWanted(msgspec.Struct, frozen=True):
    """The energy management wants one or three phases."""

    three: bool


class Authorized(msgspec.Struct, frozen=True):
    """Somebody may charge."""

    token: ProvidedIdToken
    tariff_text: str | None = None
    contract: bool = False
    """By Plug and Charge."""


class Withdrawn(msgspec.Struct, frozen=True):
    """The authorization is not valid any more."""


class UserPause(msgspec.Struct, frozen=True):
    """Pause or go on."""

    pause: bool


class Cancel(msgspec.Struct, frozen=True):
    """End the transaction for good."""

    reason: StopTransactionReason
    token: ProvidedIdToken | None = None


class Enabling(msgspec.Struct, frozen=True):
    """The outcome of all wishes: what holds for the EVSE, and whether its connector is enabled."""

    enabled: bool
    source: EnableDisableSource
    connector_id: int | None = None
    connector_enabled: bool = True


class ForceUnlock(msgspec.Struct, frozen=True):
    """Unlock the connector now."""


class SlacIs(msgspec.Struct, frozen=True):
    """State of SLAC."""

    state: SlacState


class LinkReady(msgspec.Struct, frozen=True):
    """The data link is up or down."""

    up: bool


class SlacErrorRoutine(msgspec.Struct, frozen=True):
    """SLAC asks for its error routine."""


class LinkError(msgspec.Struct, frozen=True):
    """D-LINK_ERROR of HLC."""


class LinkPause(msgspec.Struct, frozen=True):
    """D-LINK_PAUSE of HLC."""


class LinkTerminate(msgspec.Struct, frozen=True):
    """D-LINK_TERMINATE of HLC."""


class V2gSetupFinished(msgspec.Struct, frozen=True):
    """HLC has agreed on everything: it leads from now on."""


class EimWanted(msgspec.Struct, frozen=True):
    """HLC wants an external identification."""


class ContractWanted(msgspec.Struct, frozen=True):
    """HLC wants the contract of this token validated."""

    token: ProvidedIdToken


class ContractRejected(msgspec.Struct, frozen=True):
    """The validator did not accept the contract."""

    status: Any
    certificate: CertificateStatus


class EvccId(msgspec.Struct, frozen=True):
    """MAC address that names the EV, `AA:BB:...`."""

    mac: str


class EvIdentified(msgspec.Struct, frozen=True):
    """The EV has named itself on the data link. `by`: "SLAC" (its MAC address) or "HLC" (EVCCID)."""

    by: str
    mac: str


class HlcAllowsClose(msgspec.Struct, frozen=True):
    """HLC allows or forbids closed contactors."""

    allowed: bool


class CableCheckStart(msgspec.Struct, frozen=True):
    """The EV waits for the cable check."""


class PreChargeStart(msgspec.Struct, frozen=True):
    """The EV begins to precharge."""


class CurrentDemand(msgspec.Struct, frozen=True):
    """The EV's current demand loop has begun or ended."""

    running: bool


class DcOpenContactor(msgspec.Struct, frozen=True):
    """HLC is done with the power path."""


class EvTargets(msgspec.Struct, frozen=True):
    """What the EV asks for."""

    voltage_V: float
    current_A: float


class EvMaximum(msgspec.Struct, frozen=True):
    """What the EV can take."""

    voltage_V: float | None
    current_A: float | None
    power_W: float | None


class Dynamic(msgspec.Struct, frozen=True):
    """Limits of the EV in the dynamic mode of ISO 15118-20."""

    max_voltage_V: float
    min_voltage_V: float
    max_current_A: float
    max_power_W: float
    discharge_current_A: float | None = None
    discharge_power_W: float | None = None


class ServiceSelected(msgspec.Struct, frozen=True):
    """The EV has chosen a service of ISO 15118-20."""

    bidirectional: bool
    ac: bool = False


class SaeBidi(msgspec.Struct, frozen=True):
    """An SAE J2847/2 EV discharges."""


class FaultSeen(msgspec.Struct, frozen=True):
    """A fault of somebody is active."""

    interface: str
    type: str
    sub_type: str
    severity: Severity
    vendor_id: str
    origin: str


class FaultGone(msgspec.Struct, frozen=True):
    """A fault of somebody is over."""

    type: str
    sub_type: str
    origin: str
