"""SLAC and HLC at the charging kernel: the data link's life, and what HLC allows."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.contracts.types.slac import State as SlacState
from chargebyte_fw.kernel.machine import on
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.context import Context
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
    SlacIs,
    V2gSetupFinished,
)
from chargebyte_fw.modules.evse.machine.signals import CarBack, SupplyOff

RESTARTABLE = (
    Charging.WaitingForAuthentication,
    Charging.PrepareCharging,
    Charging.Charging,
    Charging.StoppingCharging,
    Charging.ChargingPausedEV,
    Charging.ChargingPausedEVSE,
)


class HlcLink:
    """Rows of the charging kernel that concern the communication with the EV."""

    c: Context
    state: Any

    def link_unplugged(self) -> None:
        """End SLAC with the plug-in."""
        c = self.c
        c.slac_do("leave_bcd")
        if c.slac is not SlacState.UNMATCHED:
            c.slac_do("reset", False)

    def link_car_lost(self) -> None:
        """State E or F: no communication."""
        self.c.slac_do("leave_bcd")

    @on(event=CarBack)
    def car_back(self, _: CarBack, now: float) -> None:
        self.c.slac_do("enter_bcd")

    @on(event=SlacIs)
    def slac_is(self, event: SlacIs, now: float) -> None:
        c = self.c
        if event.state is not c.slac and event.state is SlacState.MATCHED:
            c.info("SLAC matched")
        c.slac = event.state
        c.matching = c.matching or event.state is not SlacState.UNMATCHED

    @on(event=LinkReady)
    def link_ready(self, event: LinkReady, now: float) -> None:
        self.c.hlc("dlink_ready", event.up)

    @on(event=SlacErrorRoutine)
    def slac_error_routine(self, _: SlacErrorRoutine, now: float) -> None:
        c = self.c
        if self.state not in (Charging.WaitingForAuthentication, Charging.PrepareCharging) or not c.plugged:
            return
        c.slac_do("reset", False)
        if self._gives_up(now):
            return
        c.info("SLAC failed: t_step_EF and another try")
        c.step_return = self.state
        c.step_duty = 0.0
        self._go(Charging.TStepEF, now)

    def link_contactor(self, closed: bool, now: float) -> None:
        """Take a session that lasted as proof of the communication: a later loss has all its error routines again."""
        c = self.c
        if closed:
            c.closed_s = now if c.closed_s is None else c.closed_s
            return
        if c.closed_s is not None and now - c.closed_s >= timing.LINK_PROVEN_S:
            c.link_retries = 0
        c.closed_s = None

    def _gives_up(self, now: float) -> bool:
        """Count an error routine; without a further one the communication is over as if the EV had ended it.

        An EV that sleeps wakes the EVSE with a BCB toggle, and an authorization gives it another match; every other EV
        waits for its replug.
        """
        c = self.c
        if c.link_retries < timing.C_SEQU_RETRY:
            c.link_retries += 1
            return False
        if c.link_ended or not c.five:
            # Said already; or the nominal duty cycle is shown, with which a car charges without communication.
            return True
        c.warn(
            f"no lasting communication with the EV, error routine done {c.link_retries} times: "
            "waiting for it to be plugged in again [V2G3-M06-07]"
        )
        c.link_ended = True
        c.service = None
        c.forbid_power()
        self._link_over(now)
        return True

    def _go(self, state: Charging, now: float) -> None:
        raise NotImplementedError

    @property
    def _with_ev(self) -> bool:
        """False between two EVs: what HLC still says of the last one does not count for the next."""
        return self.state not in (Charging.Idle, Charging.Disabled)

    @on(event=V2gSetupFinished)
    def v2g_setup_finished(self, _: V2gSetupFinished, now: float) -> None:
        self.c.v2g_ready = self._with_ev

    @on(event=ServiceSelected)
    def service_selected(self, event: ServiceSelected, now: float) -> None:
        self.c.service = event

    @on(event=HlcAllowsClose)
    def allows(self, event: HlcAllowsClose, now: float) -> None:
        self.c.hlc_allows = event.allowed and self._with_ev

    @on(event=CurrentDemand)
    def current_demand(self, event: CurrentDemand, now: float) -> None:
        c = self.c
        c.current_demand = event.running and self._with_ev
        if not event.running:
            c.demand_ended_s = now
            c.say(SupplyOff())

    @on(event=CableCheckStart)
    def cable_check_start(self, _: CableCheckStart, now: float) -> None:
        self.c.check_wanted = self.state is Charging.Charging

    @on(event=DcOpenContactor)
    def dc_open_contactor(self, _: DcOpenContactor, now: float) -> None:
        self.c.hlc_allows = False
        self.c.say(SupplyOff())

    @on(event=LinkError)
    def link_error(self, _: LinkError, now: float) -> None:
        """D-LINK_ERROR: without power, begin the matching anew, unless charging is over anyway."""
        c = self.c
        c.hlc_allows = c.current_demand = c.v2g_ready = False
        c.slac_do("dlink_error")
        if self.state is Charging.Finished or (self.state is Charging.StoppingCharging and c.over):
            c.say(SupplyOff(at_once=True))
            c.forbid_power()
            c.show_x1()
            return
        if not c.five or self.state not in RESTARTABLE:
            return
        c.say(SupplyOff(at_once=True))
        c.forbid_power()
        if self._gives_up(now):
            return
        c.info("connection to the EV was lost: beginning the communication anew")
        c.step_return = Charging.WaitingForAuthentication
        c.step_duty = 0.0
        c.step_ef_next = True
        self._go(Charging.TStepX1, now)

    @on(event=LinkPause)
    def link_pause(self, _: LinkPause, now: float) -> None:
        self.c.link_paused = True
        self.c.slac_do("dlink_pause")
        self._link_over(now)

    @on(event=LinkTerminate)
    def link_terminate(self, _: LinkTerminate, now: float) -> None:
        self.c.link_ended = True
        self.c.service = None
        self.c.slac_do("dlink_terminate")
        self._link_over(now)

    def _link_over(self, now: float) -> None:
        c = self.c
        c.link_over_s = now
        c.hlc_allows = c.current_demand = False
        if self._with_ev:
            c.say(SupplyOff())
            c.show_x1()
