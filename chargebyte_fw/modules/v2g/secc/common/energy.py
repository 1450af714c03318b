"""What every energy service has: its part of the sequence, the contactor, the end of the energy transfer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.kernel.contract import Variable
from chargebyte_fw.modules.v2g.secc.common.sequence import Sequence

if TYPE_CHECKING:
    from chargebyte_fw.modules.v2g.secc.common.session import V2gSession


class EnergyService:
    """How energy gets to the car. The session holds one; its requests are answered by `on_<Request>` like others."""

    sequence: ClassVar[Sequence]
    early_stop: ClassVar[Sequence] = {}
    """Where a request that takes the power off may come beside `sequence`."""
    open_contactor: ClassVar[Variable[None]]

    def __init__(self, session: V2gSession) -> None:
        self.session = session
        self.facts = session.facts
        self.messages = session.messages
        self.energised = False
        """There may be voltage at the car (from the cable check, or the AC contactor, to the contactor's opening)."""
        self.charging = False
        """Between current_demand_started and current_demand_finished."""
        self.stopping = False
        """The car has sent PowerDelivery stop, or what it sent was not understood."""

    def least_content(self, name: str) -> dict[str, Any]:
        """Return the mandatory fields of a refusal, by the name of the request."""
        return {}

    def evse_status(self, normal: str) -> Any:
        """Return DC_EVSEStatus or AC_EVSEStatus, `normal` being the status code without errors and wishes to stop."""
        raise NotImplementedError

    def finish_charging(self) -> None:
        """Publish once that the charge loop is over."""
        if self.charging:
            self.charging = False
            self.session.publish(Iso15118Charger.current_demand_finished, None)

    def power_off(self) -> None:
        """Publish once that the energy transfer is over and the contactor must open."""
        self.finish_charging()
        if self.energised:
            self.energised = False
            self.session.publish(self.open_contactor, None)

    def interrupt(self) -> None:
        """Take the power off because a request was not understood."""
        self.stopping = self.stopping or self.energised
        self.power_off()
