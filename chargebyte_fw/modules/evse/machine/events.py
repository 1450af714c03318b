"""Events from outside the machines of an EVSE, and the terms that all of them share."""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import Any

import msgspec

from chargebyte_fw.contracts.types.authorization import CertificateStatus, ProvidedIdToken
from chargebyte_fw.contracts.types.board_support_common import ProximityPilotAmpacity
from chargebyte_fw.contracts.types.dc_external_derate import ExternalDerating
from chargebyte_fw.contracts.types.energy import LimitsRes
from chargebyte_fw.contracts.types.evse_board_support import HardwareCapabilities
from chargebyte_fw.contracts.types.evse_manager import (
    EnableDisableSource,
    PlugAndChargeConfiguration,
    StopTransactionReason,
)
from chargebyte_fw.contracts.types.iso15118 import EnergyTransferMode
from chargebyte_fw.contracts.types.isolation_monitor import IsolationMeasurement
from chargebyte_fw.contracts.types.power_supply_DC import Capabilities as SupplyCapabilities
from chargebyte_fw.contracts.types.power_supply_DC import Mode
from chargebyte_fw.contracts.types.powermeter import Powermeter, TransactionStartResponse, TransactionStopResponse
from chargebyte_fw.contracts.types.slac import State as SlacState
from chargebyte_fw.kernel.composite import received_by
from chargebyte_fw.kernel.faults import Severity


class Cp(StrEnum):
    """State of the control pilot, IEC 61851-1 table A.4; `Off` before the board has reported one."""

    Off = "Off"
    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"
    F = "F"


CONNECTED = (Cp.B, Cp.C, Cp.D)
"""States of a connected EV."""
ASKING = (Cp.C, Cp.D)
"""States of an EV that asks for power."""


class Charging(Enum):
    """States of the charging state machine; the values are EVerest's state texts."""

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


@received_by("energy", "offer", "present_values")
class ModuleReady(msgspec.Struct, frozen=True):
    """All modules of the charger are there: commands are taken from now on."""


@received_by("pilot", "charging", "energy", "offer")
class StartUpDone(msgspec.Struct, frozen=True):
    """The EVSE is ready: look at the pilot from now on."""


@received_by("pilot")
class CpReported(msgspec.Struct, frozen=True):
    """The board sees this pilot state."""

    state: Cp


@received_by("energy", "offer")
class BoardReported(msgspec.Struct, frozen=True):
    """The board's capabilities."""

    hardware: HardwareCapabilities


@received_by("energy")
class CableReported(msgspec.Struct, frozen=True):
    """The proximity pilot's coding of the cable in a socket."""

    ampacity: ProximityPilotAmpacity


@received_by("charging", "lock", "cable_check", "power_path", "over_voltage", "plausibility")
class Contactor(msgspec.Struct, frozen=True):
    """Feedback of the contactors."""

    closed: bool


@received_by("charging")
class CableLimit(msgspec.Struct, frozen=True):
    """The proximity pilot's rating in A; 0 is unknown, None is a fixed cable."""

    limit_A: float | None


@received_by("energy")
class SupplyReported(msgspec.Struct, frozen=True):
    """The power supply's capabilities, as it reports them."""

    supply: SupplyCapabilities


@received_by("energy")
class Derated(msgspec.Struct, frozen=True):
    """Limits on the power path from outside, such as those of a hot plug."""

    derating: ExternalDerating


@received_by("charging", "cable_check", "power_path", "over_voltage", "insulation", "offer")
class SupplyCapabilitiesChanged(msgspec.Struct, frozen=True):
    """The power supply's capabilities, after external derating."""

    supply: SupplyCapabilities


@received_by("supply_watch")
class SupplyMode(msgspec.Struct, frozen=True):
    """The mode that the power supply reports."""

    mode: Mode


@received_by("cable_check", "power_path", "plausibility", "insulation", "supply_watch", "present_values")
class SupplyMeasured(msgspec.Struct, frozen=True):
    """Voltage and current at the supply's output."""

    voltage_V: float
    current_A: float


@received_by("cable_check", "plausibility", "insulation")
class InsulationMeasured(msgspec.Struct, frozen=True):
    """A sample of the insulation monitor."""

    sample: IsolationMeasurement


@received_by("cable_check")
class SelfTested(msgspec.Struct, frozen=True):
    """The insulation monitor has tested itself."""

    passed: bool


@received_by("over_voltage", "plausibility")
class MonitorMeasured(msgspec.Struct, frozen=True):
    """A sample of the over-voltage monitor."""

    voltage_V: float


@received_by("session", "plausibility", "over_current")
class MeterRead(msgspec.Struct, frozen=True):
    """A sample of the billing meter."""

    value: Powermeter


@received_by("session")
class MeterStarted(msgspec.Struct, frozen=True):
    """The meter's answer to the start of a transaction; None: there was no answer."""

    answer: TransactionStartResponse | None


@received_by("session")
class MeterStopped(msgspec.Struct, frozen=True):
    """The meter's answer to the end of a transaction; None: there was no answer."""

    answer: TransactionStopResponse | None


@received_by("energy")
class LimitsEnforced(msgspec.Struct, frozen=True):
    """Limits of the energy management at the root side of the EVSE, for `valid_for_s`."""

    limits: LimitsRes
    valid_for_s: float


@received_by("energy")
class FirstBudget(msgspec.Struct, frozen=True):
    """The EVSE begins: the energy management has some time to answer for the first time."""


@received_by("energy")
class DelayConfigured(msgspec.Struct, frozen=True):
    """Switch the random delay on or off, or change its longest time; None changes nothing."""

    enabled: bool | None = None
    longest_s: int | None = None


@received_by("energy")
class DelayCancelled(msgspec.Struct, frozen=True):
    """End a running random delay."""


@received_by("offer", "energy")
class ModesAllowed(msgspec.Struct, frozen=True):
    """Offer only these energy transfer modes until the session ends."""

    modes: list[EnergyTransferMode]


@received_by("offer")
class DerAvailable(msgspec.Struct, frozen=True):
    """Whether AC_DER_IEC may be offered."""

    available: bool


@received_by("offer")
class PlugAndChargeConfigured(msgspec.Struct, frozen=True):
    """Changes of what is offered from the next session on."""

    changes: PlugAndChargeConfiguration


@received_by("charging")
class Budget(msgspec.Struct, frozen=True):
    """What the energy management allows until `until_s`: A per phase for AC, A and W for DC."""

    ac_A: float
    dc_A: float
    dc_W: float
    until_s: float
    phases: int = 3
    limited_by: str = ""
    """Where there is too little of it: how much, and which limit rules."""
    ac_discharge_A: float = 0.0
    """A per phase that an EV with alternating current is to return; 0: it may draw."""


@received_by("power_path", "energy")
class BudgetOver(msgspec.Struct, frozen=True):
    """The budget was not renewed in time: there is none."""


@received_by("charging")
class PhasesWanted(msgspec.Struct, frozen=True):
    """The energy management wants one or three phases."""

    three: bool


@received_by("reservation")
class ReservationRequested(msgspec.Struct, frozen=True):
    """Keep the EVSE for this reservation; a negative id stands for one of the whole station."""

    reservation_id: int


@received_by("reservation")
class TokenAccepted(msgspec.Struct, frozen=True):
    """The validator accepts a token."""

    token: ProvidedIdToken
    tariff_text: str | None = None
    contract: bool = False
    """By Plug and Charge."""
    reservation_id: int | None = None
    """The reservation that the token names."""


@received_by("charging", "authorization", "offer")
class Authorized(msgspec.Struct, frozen=True):
    """A token was accepted: its owner may charge."""

    token: ProvidedIdToken
    tariff_text: str | None = None
    contract: bool = False
    """By Plug and Charge."""
    reservation_id: int | None = None
    """The reservation that it uses up."""


@received_by("charging", "authorization")
class Withdrawn(msgspec.Struct, frozen=True):
    """The authorization is not valid any more."""


@received_by("charging")
class UserPause(msgspec.Struct, frozen=True):
    """Pause or go on."""

    pause: bool


@received_by("charging", "cable_check")
class Cancel(msgspec.Struct, frozen=True):
    """End the transaction for good."""

    reason: StopTransactionReason
    token: ProvidedIdToken | None = None


@received_by("availability")
class EnableRequested(msgspec.Struct, frozen=True):
    """A source enables or disables the EVSE (connector 0) or its connector."""

    connector_id: int
    source: EnableDisableSource


@received_by("availability")
class ReportAvailability(msgspec.Struct, frozen=True):
    """The start is over: report the outcome of all requests so far."""


@received_by("charging")
class AvailabilityChanged(msgspec.Struct, frozen=True):
    """The outcome of all wishes: what holds for the EVSE, and whether its connector is enabled."""

    enabled: bool
    source: EnableDisableSource
    connector_id: int | None = None
    connector_enabled: bool = True


@received_by("lock")
class ForceUnlock(msgspec.Struct, frozen=True):
    """Unlock the connector now."""


@received_by("charging")
class SlacStateChanged(msgspec.Struct, frozen=True):
    """State of SLAC."""

    state: SlacState


@received_by("charging")
class LinkReady(msgspec.Struct, frozen=True):
    """The data link is up or down."""

    up: bool


@received_by("charging")
class SlacErrorRoutine(msgspec.Struct, frozen=True):
    """SLAC asks for its error routine."""


@received_by("charging", "soc_first")
class LinkError(msgspec.Struct, frozen=True):
    """D-LINK_ERROR of HLC."""


@received_by("charging")
class LinkPause(msgspec.Struct, frozen=True):
    """D-LINK_PAUSE of HLC."""


@received_by("charging", "soc_first")
class LinkTerminate(msgspec.Struct, frozen=True):
    """D-LINK_TERMINATE of HLC."""


@received_by("soc_first")
class StateOfChargeRead(msgspec.Struct, frozen=True):
    """An EV that was offered direct current has reported its state of charge, or has gone past that message."""


@received_by("charging")
class V2gSetupFinished(msgspec.Struct, frozen=True):
    """HLC has agreed on everything: it leads from now on."""


@received_by("authorization")
class EimWanted(msgspec.Struct, frozen=True):
    """HLC wants an external identification."""


@received_by("authorization")
class ContractWanted(msgspec.Struct, frozen=True):
    """HLC wants the contract of this token validated."""

    token: ProvidedIdToken


@received_by("authorization")
class ContractRejected(msgspec.Struct, frozen=True):
    """The validator did not accept the contract."""

    status: Any
    certificate: CertificateStatus


@received_by("authorization")
class EvccId(msgspec.Struct, frozen=True):
    """MAC address that names the EV, `AA:BB:...`."""

    mac: str


@received_by("charging")
class EvIdentified(msgspec.Struct, frozen=True):
    """The EV has named itself on the data link. `by`: "SLAC" (its MAC address) or "HLC" (EVCCID)."""

    by: str
    mac: str


@received_by("charging")
class HlcAllowsClose(msgspec.Struct, frozen=True):
    """HLC allows or forbids closed contactors."""

    allowed: bool


@received_by("charging", "cable_check")
class CableCheckStart(msgspec.Struct, frozen=True):
    """The EV waits for the cable check."""


@received_by("power_path")
class PreChargeStart(msgspec.Struct, frozen=True):
    """The EV begins to precharge."""


@received_by("charging", "cable_check", "power_path", "over_voltage", "plausibility")
class CurrentDemand(msgspec.Struct, frozen=True):
    """The EV's current demand loop has begun or ended."""

    running: bool


@received_by("charging", "cable_check", "insulation")
class DcOpenContactor(msgspec.Struct, frozen=True):
    """HLC is done with the power path."""


@received_by("power_path")
class EvTargets(msgspec.Struct, frozen=True):
    """What the EV asks for."""

    voltage_V: float
    current_A: float


@received_by("cable_check", "power_path", "over_voltage")
class EvMaximum(msgspec.Struct, frozen=True):
    """What the EV can take."""

    voltage_V: float | None
    current_A: float | None
    power_W: float | None


@received_by("power_path")
class DynamicLimits(msgspec.Struct, frozen=True):
    """Limits of the EV in the dynamic mode of ISO 15118-20."""

    max_voltage_V: float
    min_voltage_V: float
    max_current_A: float
    max_power_W: float
    discharge_current_A: float | None = None
    discharge_power_W: float | None = None


@received_by("charging", "power_path", "energy")
class ServiceSelected(msgspec.Struct, frozen=True):
    """The EV has chosen a service of ISO 15118-20."""

    bidirectional: bool
    ac: bool = False


@received_by("power_path", "energy")
class SaeBidi(msgspec.Struct, frozen=True):
    """An SAE J2847/2 EV discharges."""


@received_by("fault_policy", "pilot", "charging")
class FaultRaised(msgspec.Struct, frozen=True):
    """A fault of another implementation is active."""

    interface: str
    type: str
    sub_type: str
    severity: Severity
    vendor_id: str
    origin: str


@received_by("fault_policy", "pilot")
class FaultCleared(msgspec.Struct, frozen=True):
    """A fault of another implementation is over."""

    type: str
    sub_type: str
    origin: str
