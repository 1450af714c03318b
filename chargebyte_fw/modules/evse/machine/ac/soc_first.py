"""`ac_with_soc`: an EV is first offered direct current, of which the messages have its state of charge, then AC."""

from __future__ import annotations

from enum import Enum
from typing import Any

from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.evse.machine.effects import LogLine
from chargebyte_fw.modules.evse.machine.events import Charging, LinkError, LinkTerminate, StateOfChargeRead
from chargebyte_fw.modules.evse.machine.signals import OfferDirectCurrent, RestartLink, StateEntered

Effects = list[Any]


class Offered(Enum):
    """What HLC offers to the EV."""

    DirectCurrent = "direct current"
    """Until the state of charge is known, or cannot be read from this EV."""
    AlternatingCurrent = "alternating current"
    """For the rest of the session."""


DC, AC = Offered.DirectCurrent, Offered.AlternatingCurrent


class SocFirst(Machine):
    """Changes the offer of each session once, and has the EV begin its communication anew."""

    initial = DC

    def __init__(self) -> None:
        super().__init__()
        self._charging = Charging.Idle

    @on(DC, event=StateOfChargeRead, to=AC)
    def read(self, _: StateOfChargeRead, now: float) -> Effects:
        """The state of charge is known: on with alternating current."""
        line = LogLine("the state of charge is known: the EV begins anew with alternating current")
        return self.enter(AC, OfferDirectCurrent(False), RestartLink(), line)

    @on(DC, event=LinkError, to=AC)
    @on(DC, event=LinkTerminate, to=AC)
    def refused(self, _: LinkError | LinkTerminate, now: float) -> Effects:
        """The EV does not charge with direct current; one that has left does not count for the next."""
        if self._charging in (Charging.Idle, Charging.Disabled):
            return []
        line = LogLine("the EV does not report a state of charge: it begins anew with alternating current")
        return self.enter(AC, OfferDirectCurrent(False), RestartLink(), line)

    @on(DC, event=StateEntered, to=AC)
    def without_communication(self, event: StateEntered, now: float) -> Effects:
        """The EV is charged by the nominal duty cycle: should it communicate then, alternating current is offered."""
        self._charging = event.state
        return self.enter(AC, OfferDirectCurrent(False)) if event.state is Charging.PrepareCharging else []

    @on(AC, event=StateEntered, to=DC)
    def next_session(self, event: StateEntered, now: float) -> Effects:
        """The next EV is asked again."""
        self._charging = event.state
        return self.enter(DC, OfferDirectCurrent(True)) if event.state is Charging.Idle else []

    @on(AC, event=StateOfChargeRead)
    @on(AC, event=LinkError)
    @on(AC, event=LinkTerminate)
    def later(self, _: Any, now: float) -> None:
        """The offer of this session has been changed."""
