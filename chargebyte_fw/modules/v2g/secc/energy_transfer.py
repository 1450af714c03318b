"""What every energy transfer has, whatever the protocol: voltage at the car, the charge loop, and their end."""

from __future__ import annotations

from typing import ClassVar

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.kernel.contract import Variable
from chargebyte_fw.modules.v2g.secc.session_output import SessionOutput


class EnergyTransfer:
    """How far the energy transfer of a session is, and how it ends."""

    open_contactor: ClassVar[Variable[None]]

    def __init__(self, output: SessionOutput) -> None:
        self._output = output
        self.energised = False
        """There may be voltage at the car (from the cable check, or the AC contactor, to the contactor's opening)."""
        self.charging = False
        """Between current_demand_started and current_demand_finished."""
        self.stopping = False
        """The car has sent PowerDelivery stop, or what it sent was not understood."""

    def finish_charging(self) -> None:
        """Publish once that the charge loop is over."""
        if self.charging:
            self.charging = False
            self._output.publish(Iso15118Charger.current_demand_finished, None)

    def power_off(self) -> None:
        """Publish once that the energy transfer is over and the contactor must open."""
        self.finish_charging()
        if self.energised:
            self.energised = False
            self._output.publish(self.open_contactor, None)

    def interrupt(self) -> None:
        """Take the power off because a request was not understood."""
        self.stopping = self.stopping or self.energised
        self.power_off()
