"""What the charging state machine knows, in structs by lifetime: each is replaced whole when its life ends.

| struct | begins | ends |
| --- | --- | --- |
| `Hardware`, `Energy` | with the process | with the process |
| `PlugIn` | when the connector goes into the EV | when it comes out |
| `HlcLink` | with the first communication for an EV | when the EVSE is idle again |
| `Session` | by plug-in or by an authorization | when the EVSE is idle again |
| `Transaction` | with an authorization | with the session |

What a single state needs lives beside them, in a struct that the state makes when it is entered.
"""

from __future__ import annotations

from enum import Enum

import msgspec

from chargebyte_fw.contracts.types.authorization import ProvidedIdToken
from chargebyte_fw.contracts.types.evse_manager import (
    EnableDisableSource,
    PauseChargingEVSEReasonEnum,
    StopTransactionReason,
)
from chargebyte_fw.contracts.types.slac import State as SlacState
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.allowance import Allowance
from chargebyte_fw.modules.evse.machine.bcb import BcbToggle
from chargebyte_fw.modules.evse.machine.events import Authorized, Charging, ServiceSelected, Shutdown

LONG_AGO_S = -1e9
"""A monotonic second before everything."""
ASKING = (
    Charging.WaitingForAuthentication,
    Charging.PrepareCharging,
    Charging.Charging,
    Charging.ChargingPausedEV,
    Charging.TStepEF,
    Charging.TStepX1,
    Charging.SwitchPhases,
)
"""States that want energy, whatever else is true."""


class Availability(msgspec.Struct, frozen=True):
    """Whether the EVSE is in service, and who decided it."""

    disabled: bool = False
    source: EnableDisableSource | None = None
    connector_id: int | None = None


class Fault(msgspec.Struct):
    """What the active faults demand."""

    shutdown: Shutdown = Shutdown.Nothing
    pulse_shown: bool = False
    """The pulse of state F for this fault has been shown."""
    over_s: float = LONG_AGO_S
    """From this second on the last fault counts as over where it hid the plug."""


class NominalDuty(msgspec.Struct, frozen=True):
    """The nominal duty cycle that the pilot shows."""

    duty: float
    """0..1, IEC 61851-1 table A.7."""
    current_A: float
    """The current per phase that it stands for."""
    since_s: float


class Hardware(msgspec.Struct):
    """The EVSE itself, from the start of the process to its end."""

    dc: bool = False
    """It charges with direct current."""
    hlc: bool = False
    """SLAC and HLC are connected and used."""
    started: bool = False
    """The start is over: the pilot is looked at."""
    availability: Availability = Availability()
    fault: Fault = msgspec.field(default_factory=Fault)
    plug_hidden_s: float | None = 0.0
    """Since when the pilot does not show the plug (state E or F, a lost link to the board); None: it shows it."""
    contactors_closed_s: float | None = None
    """Since when the contactors are closed; None: they are open."""
    power_allowed: bool = False
    """The contactors have the permission to close."""
    supply_known_s: float | None = None
    """When the power supply reported its capabilities for the first time."""
    slac: SlacState = SlacState.UNMATCHED
    nominal: NominalDuty | None = None
    """The nominal duty cycle on the pilot; None with 5 %, X1 and F."""

    @property
    def contactors_closed(self) -> bool:
        """Whether the contactors are reported closed."""
        return self.contactors_closed_s is not None

    @property
    def plug_watched(self) -> bool:
        """Whether the pilot shows the plug."""
        return self.plug_hidden_s is None


class Energy(msgspec.Struct):
    """What the energy management allows, and since when it is asked."""

    allowance: Allowance = msgspec.field(default_factory=Allowance)
    asked_since_s: float | None = None
    """Since when energy is asked for without a break; None: it is not asked for."""


class PlugIn(msgspec.Struct):
    """The EV at the connector, as the pilot shows it."""

    plugged: bool = False
    asks_power: bool = False
    """State C, or D where there is ventilation."""
    names: dict[str, str] = msgspec.field(default_factory=dict)
    """How the EV has named itself: MAC address by the layer that reported it ("SLAC", "HLC")."""


class EvCondition(Enum):
    """Whether the session's EV can be charged."""

    Sound = "sound"
    Faulty = "faulty"
    """Its diode has failed (IEC 61851-1 A.2.2)."""
    Unfit = "unfit"
    """It has failed before: the duty cycle would bring the fault back, so this plug-in is not charged any more."""


class Doubt(msgspec.Struct):
    """Whether the EV at the connector is still the session's, after the pilot did not show the plug."""

    raised: bool = False
    """Another EV may have been plugged in; judged as soon as no fault stands any more."""
    names_before: dict[str, str] = msgspec.field(default_factory=dict)
    """How the session's EV had named itself before."""
    prove_until_s: float | None = None
    """By then the EV has to name itself as the session's; None: it does not have to."""


class Session(msgspec.Struct):
    """One session: an EV, or an authorization that waits for one. Without a session it is as new."""

    begun: bool = False
    auth_required_reported: bool = False
    authorization: Authorized | None = None
    authorized_s: float = 0.0
    left_s: float | None = None
    """When its EV left, or may have been exchanged for another one; None: it is there."""
    doubt: Doubt = msgspec.field(default_factory=Doubt)
    ev: EvCondition = EvCondition.Sound
    emergency_stop: bool = False
    """The emergency stop was pressed."""
    five_percent: bool = False
    """HLC leads by a duty cycle of 5 % (ISO 15118-3), also while a step of the pilot hides it."""
    no_energy_since_s: float | None = None
    """Since when its EV may charge but has no energy."""
    no_energy_logged: bool = False
    without_power_logged: bool = False
    """Logged that it goes on without power."""
    cable_unknown_logged: bool = False
    """Logged that it waits for the cable's rating."""


class TransactionState(Enum):
    """Where the transaction is."""

    NotAsked = "not asked"
    Starting = "starting"
    """The meter was asked to begin."""
    Running = "running"
    Ending = "ending"
    """The meter was asked to end."""
    Over = "over"
    """It has ended, or the meter failed to begin it."""


class StopOrder(msgspec.Struct, frozen=True):
    """Why the transaction is to end, and by whose token."""

    reason: StopTransactionReason
    token: ProvidedIdToken | None = None


class Transaction(msgspec.Struct):
    """What is billed to one authorization."""

    state: TransactionState = TransactionState.NotAsked
    stop: StopOrder | None = None
    cancelled: bool = False
    """It was stopped for good: this session takes no further authorization."""
    paused_by_user: bool = False

    @property
    def active(self) -> bool:
        """Whether energy is billed."""
        return self.state in (TransactionState.Running, TransactionState.Ending)

    @property
    def begun(self) -> bool:
        """Whether it is active or starting: what is ordered for it holds already."""
        return self.active or self.state is TransactionState.Starting


class LinkEnd(Enum):
    """How the communication with the EV has ended."""

    Paused = "paused"
    """D-LINK_PAUSE: the data link stays for the EV's return (ISO 15118-3)."""
    Terminated = "terminated"
    """D-LINK_TERMINATE, or no further error routine [V2G3-M06-07]."""


class HlcLink(msgspec.Struct):
    """SLAC and HLC with one EV."""

    begun: bool = False
    """SLAC and HLC have been made ready for this EV."""
    offered_s: float | None = None
    """When the EV's communication was begun, or begun anew for another offer."""
    matching_seen: bool = False
    """SLAC has left UNMATCHED in this plug-in."""
    allows_power: bool = False
    """HLC allows closed contactors."""
    set_up: bool = False
    """The V2G set-up has finished: on AC HLC leads from then on."""
    service: ServiceSelected | None = None
    """The energy service of ISO 15118-20 that the EV has chosen."""
    current_demand: bool = False
    demand_ended_s: float = 0.0
    """When the current demand ended last."""
    end: LinkEnd | None = None
    ended_s: float = LONG_AGO_S
    """When the EV ended or paused the communication last."""
    asked_to_stop: bool = False
    """HLC was asked for the end, or a pause, and that was not taken back."""
    restarted: bool = False
    """It was begun again after a pause or a stop: the EV may be asleep."""
    answered: bool = False
    """The EV communicates since it was begun, or begun again."""
    error_routines: int = 0
    """Error routines (t_step_EF) since the plug-in, or since a session that lasted."""


class Stop(msgspec.Struct):
    """The last stop of charging, until charging is prepared anew."""

    begun_s: float = LONG_AGO_S
    by_evse: bool = False
    """The EVSE decided it: what the EV answers to it is no wish of the EV."""
    forced_s: float | None = None
    """When the contactors were forced open last, because the EV did not follow."""


class Preparation(msgspec.Struct):
    """The way to charging, steps of the pilot included, until energy flows or charging stops."""

    woken_s: float | None = None
    """When the t_step_EF that wakes the EV is over; None: it has not been woken."""


class IdleStay(msgspec.Struct):
    """One stay in Idle."""

    closed_contactor_logged: bool = False
    """Logged that contactors reported closed keep an EV waiting."""


class ChargingStay(msgspec.Struct):
    """One stay in Charging."""

    renegotiates: bool = False
    """HLC asks for a cable check, or on AC for closed contactors: the EV renegotiates."""
    no_power_since_s: float | None = None


class EvsePause(msgspec.Struct):
    """One stay in ChargingPausedEVSE."""

    reasons: list[PauseChargingEVSEReasonEnum] | None = None
    """The reasons reported last."""
    pulse_until_s: float = LONG_AGO_S
    """The pulse of state F for a fault lasts until then."""


class PilotStep(msgspec.Struct):
    """A step of the pilot: t_step_EF or t_step_X1 (ISO 15118-3)."""

    returns_to: Charging = Charging.WaitingForAuthentication
    """The state that follows."""
    then_ef: bool = False
    """t_step_EF follows t_step_X1, as after a loss of the data link."""
    x1_shown: bool = False
    """t_step_EF has come to its X1."""


class Facts(msgspec.Struct):
    """All facts of one EVSE, and what follows from several of them."""

    hardware: Hardware
    energy: Energy = msgspec.field(default_factory=Energy)
    plug_in: PlugIn = msgspec.field(default_factory=PlugIn)
    session: Session = msgspec.field(default_factory=Session)
    transaction: Transaction = msgspec.field(default_factory=Transaction)
    link: HlcLink = msgspec.field(default_factory=HlcLink)
    stop: Stop = msgspec.field(default_factory=Stop)
    wake_up: BcbToggle = msgspec.field(default_factory=BcbToggle)
    """Toggles of the EV since it stopped."""
    preparation: Preparation = msgspec.field(default_factory=Preparation)
    idle: IdleStay = msgspec.field(default_factory=IdleStay)
    charging: ChargingStay = msgspec.field(default_factory=ChargingStay)
    pause: EvsePause = msgspec.field(default_factory=EvsePause)
    step: PilotStep = msgspec.field(default_factory=PilotStep)
    interruption: Charging | None = None
    """The step of the pilot, or the switch of phases, that an event asks the present state to go to."""
    three_phases: bool = False
    """The number of phases that SwitchPhases switches to is three, not one."""

    @property
    def ac_hlc(self) -> bool:
        """HLC on AC."""
        return self.hardware.hlc and not self.hardware.dc

    @property
    def hlc_leads(self) -> bool:
        """Whether HLC is active: on DC always, on AC once the V2G set-up has finished."""
        return self.hardware.hlc and (self.hardware.dc or self.link.set_up)

    @property
    def fatal(self) -> bool:
        """Whether a fault keeps the EVSE from charging."""
        return self.hardware.fault.shutdown is not Shutdown.Nothing

    @property
    def power(self) -> bool:
        """Whether there is power to charge with."""
        return self.energy.allowance.available(dc=self.hardware.dc)

    @property
    def disabled(self) -> bool:
        """Whether the EVSE is out of service."""
        return self.hardware.availability.disabled

    @property
    def link_over(self) -> bool:
        """Whether the EV has ended or paused the data link of this plug-in."""
        return self.link.end is not None

    @property
    def gone(self) -> bool:
        """Whether the EV of this session is not there any more."""
        return self.session.left_s is not None or not self.plug_in.plugged

    @property
    def over(self) -> bool:
        """Whether charging cannot go on in this session."""
        return (
            self.session.authorization is None
            or not self.transaction.active
            or self.gone
            or self.disabled
            or self.session.ev is EvCondition.Unfit
        )

    @property
    def must_pause(self) -> bool:
        """Whether the EVSE may not deliver energy now: a fault, no energy, or the user's pause."""
        return self.fatal or not self.power or self.transaction.paused_by_user

    def asks_energy(self, state: Charging) -> bool:
        """Whether energy is wanted in this state: also while nothing but the lack of it holds up the charging."""
        if state in (Charging.StoppingCharging, Charging.ChargingPausedEVSE):
            return not (self.over or self.transaction.paused_by_user or self.fatal)
        return state in ASKING

    def stop_settled_s(self, entered_s: float) -> float:
        """Return when the EV has answered the EVSE's stop, for a pause entered at `entered_s`.

        It leaves state C (IEC 61851-1 sequence 10.1), or ends the communication and sees X1 (ISO 15118-3 t_step_X1).
        """
        if not self.stop.by_evse or self.link.service is not None:
            return LONG_AGO_S
        if not self.hlc_leads:
            return self.stop.begun_s + timing.LEAVE_C_S if self.plug_in.asks_power else LONG_AGO_S
        if self.link.end is LinkEnd.Paused or self.hardware.slac is SlacState.UNMATCHED:
            return self.link.ended_s + timing.T_STEP_X1_S
        return entered_s + timing.STOPPING_S
