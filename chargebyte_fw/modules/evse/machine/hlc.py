"""SLAC and HLC at the charging state machine: the data link's life, and what HLC allows."""

from __future__ import annotations

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.interfaces.slac import Slac
from chargebyte_fw.contracts.types.slac import State as SlacState
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.kernel.machine import on
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.events import (
    CableCheckStart,
    Charging,
    CurrentDemand,
    DcOpenContactor,
    HlcAllowsClose,
    LinkError,
    LinkPause,
    LinkReady,
    LinkTerminate,
    ServiceSelected,
    SlacErrorRoutine,
    SlacStateChanged,
    V2gSetupFinished,
)
from chargebyte_fw.modules.evse.machine.facts import LinkEnd, PilotStep
from chargebyte_fw.modules.evse.machine.orders import ChargingOrders
from chargebyte_fw.modules.evse.machine.signals import CarBack, RestartLink, SupplyOff

MATCHING = (Charging.WaitingForAuthentication, Charging.PrepareCharging)
"""States in which SLAC's error routine helps."""
RESTARTABLE = (
    *MATCHING,
    Charging.Charging,
    Charging.StoppingCharging,
    Charging.ChargingPausedEV,
    Charging.ChargingPausedEVSE,
)
"""States in which a lost data link is begun anew."""
POWER_ENDED = (Charging.StoppingCharging, Charging.ChargingPausedEV)
"""States of an EV that has ended the power, and may choose its services anew (ISO 15118-20)."""


class HlcLinkRows(ChargingOrders):
    """Rows that concern the communication with the EV. They update facts, and pass on what SLAC and HLC must know.

    What takes power away is ordered at once and waits for no state.
    """

    @on(event=CarBack)
    def car_back(self, _: CarBack, now: float) -> None:
        """The pilot shows the EV again: SLAC may match."""
        self.hlc(call(Slac.enter_bcd))

    @on(event=SlacStateChanged)
    def slac_state(self, event: SlacStateChanged, now: float) -> None:
        """Keep SLAC's state."""
        facts = self.facts
        if event.state is not facts.hardware.slac and event.state is SlacState.MATCHED:
            self.info("SLAC matched")
        facts.hardware.slac = event.state
        if event.state is not SlacState.UNMATCHED:
            facts.link.matching_seen, facts.link.answered = True, self.with_ev

    @on(event=LinkReady)
    def link_ready(self, event: LinkReady, now: float) -> None:
        """Pass the state of the data link on to HLC."""
        self.hlc(call(Iso15118Charger.dlink_ready, event.up))

    @on(event=SlacErrorRoutine)
    def slac_error_routine(self, _: SlacErrorRoutine, now: float) -> None:
        """Begin the matching anew by t_step_EF (ISO 15118-3)."""
        if self.state not in MATCHING or not self.facts.plug_in.plugged:
            return
        self.hlc(call(Slac.reset, False))
        if self._gives_up(now):
            return
        self.info("SLAC failed: t_step_EF and another try")
        self.facts.step = PilotStep(returns_to=Charging(self.state))
        self.facts.interruption = Charging.TStepEF

    def _gives_up(self, now: float) -> bool:
        """Count an error routine; without a further one the communication is over as if the EV had ended it.

        [V2G3-M06-07]: an EV that sleeps wakes the EVSE with a BCB toggle, and an authorization gives it another match;
        every other EV waits for its replug.
        """
        link = self.facts.link
        if link.error_routines < timing.C_SEQU_RETRY:
            link.error_routines += 1
            return False
        if link.end is LinkEnd.Terminated or not self.facts.session.five_percent:
            # Logged already; or the nominal duty cycle is shown, with which a car charges without communication.
            return True
        self.warn(
            f"no lasting communication with the EV, error routine done {link.error_routines} times: "
            "waiting for it to be plugged in again [V2G3-M06-07]"
        )
        self.forbid_power()
        self._ended(LinkEnd.Terminated, now)
        return True

    @on(event=RestartLink)
    def restart_communication(self, _: RestartLink, now: float) -> None:
        """Begin the matching anew by t_step_EF (ISO 15118-3): the EV is to see another offer."""
        if self.state not in MATCHING or not self.facts.plug_in.plugged:
            return
        link = self.facts.link
        link.end, link.allows_power, link.offered_s = None, False, now
        self.hlc(call(Slac.reset, False))
        self.facts.step = PilotStep(returns_to=Charging.WaitingForAuthentication)
        self.facts.interruption = Charging.TStepEF

    @on(event=V2gSetupFinished)
    def v2g_setup_finished(self, _: V2gSetupFinished, now: float) -> None:
        """HLC leads from now on."""
        self.facts.link.set_up = self.with_ev

    @on(event=ServiceSelected)
    def service_selected(self, event: ServiceSelected, now: float) -> None:
        """Keep the energy service of ISO 15118-20."""
        self.facts.link.service = event if self.with_ev else None
        self.facts.link.answered = self.with_ev

    @on(event=HlcAllowsClose)
    def allows(self, event: HlcAllowsClose, now: float) -> None:
        """HLC allows or forbids closed contactors; on AC in ISO 15118-20 it may be the EV's renegotiation."""
        link = self.facts.link
        link.allows_power = event.allowed and self.with_ev
        link.answered = self.with_ev
        if event.allowed and link.service is not None and link.service.ac:
            self.facts.charging.renegotiates = self.state in POWER_ENDED

    @on(event=CurrentDemand)
    def current_demand(self, event: CurrentDemand, now: float) -> None:
        """Energy transfer begins or ends; with its end the supply is switched off."""
        link = self.facts.link
        link.current_demand = event.running and self.with_ev
        if event.running:
            return
        self.emit(SupplyOff())
        if self.with_ev:
            link.demand_ended_s = now

    @on(event=CableCheckStart)
    def cable_check_start(self, _: CableCheckStart, now: float) -> None:
        """After the preparation it is the EV's renegotiation.

        In Charging it is that of ISO 15118-2 (PowerDelivery, Renegotiate). In ISO 15118-20 the EV has ended the power
        before it chose its services anew: it pauses.
        """
        self.facts.link.answered = self.with_ev
        self.facts.charging.renegotiates = self.state in (Charging.Charging, *POWER_ENDED)

    @on(event=DcOpenContactor)
    def dc_open_contactor(self, _: DcOpenContactor, now: float) -> None:
        """HLC is done with the power path: the supply is switched off."""
        self.facts.link.allows_power = False
        self.emit(SupplyOff())

    @on(event=LinkError)
    def link_error(self, _: LinkError, now: float) -> None:
        """D-LINK_ERROR: without power, begin the matching anew, unless charging is over anyway."""
        facts = self.facts
        link = facts.link
        link.allows_power = link.current_demand = link.set_up = False
        self.hlc(call(Slac.dlink_error))
        if self.state is Charging.Finished or (self.state is Charging.StoppingCharging and facts.over):
            self.emit(SupplyOff(at_once=True))
            self.forbid_power()
            self.show_x1()
            return
        if not facts.session.five_percent or self.state not in RESTARTABLE:
            return
        self.emit(SupplyOff(at_once=True))
        self.forbid_power()
        if self.state is Charging.ChargingPausedEVSE and facts.must_pause:
            # There is nothing to communicate about until the pause ends, which begins with another matching.
            self._ended(LinkEnd.Terminated, now)
            return
        if self._gives_up(now):
            return
        self.info("connection to the EV was lost: beginning the communication anew")
        facts.step = PilotStep(returns_to=Charging.WaitingForAuthentication, then_ef=True)
        facts.interruption = Charging.TStepX1

    @on(event=LinkPause)
    def link_pause(self, _: LinkPause, now: float) -> None:
        """D-LINK_PAUSE: the EV sleeps and keeps the data link (ISO 15118-3)."""
        self.hlc(call(Slac.dlink_pause))
        self._ended(LinkEnd.Paused, now)

    @on(event=LinkTerminate)
    def link_terminate(self, _: LinkTerminate, now: float) -> None:
        """D-LINK_TERMINATE: the EV has ended the communication (ISO 15118-3)."""
        self.hlc(call(Slac.dlink_terminate))
        self._ended(LinkEnd.Terminated, now)

    def _ended(self, end: LinkEnd, now: float) -> None:
        if not self.with_ev:
            return
        link = self.facts.link
        link.end, link.ended_s = end, now
        link.allows_power = link.current_demand = False
        if end is LinkEnd.Terminated:
            link.service = None
        self.emit(SupplyOff())
        self.show_x1()
