"""What every energy service of DIN SPEC 70121 and ISO 15118-2 has: its part of the sequence, refusals, EVSE status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from chargebyte_fw.modules.v2g.secc.common.sequence import Sequence
from chargebyte_fw.modules.v2g.secc.energy_transfer import EnergyTransfer

if TYPE_CHECKING:
    from chargebyte_fw.modules.v2g.secc.common.session import V2gSession


class EnergyService(EnergyTransfer):
    """How energy gets to the car. The session holds one; its requests are answered by `on_<Request>` like others."""

    sequence: ClassVar[Sequence]
    early_stop: ClassVar[Sequence] = {}
    """Where a request that takes the power off may come beside `sequence`."""

    def __init__(self, session: V2gSession) -> None:
        super().__init__(session)
        self.session = session
        self.facts = session.facts
        self.messages = session.messages

    def least_content(self, name: str) -> dict[str, Any]:
        """Return the mandatory fields of a refusal, by the name of the request."""
        raise NotImplementedError

    def evse_status(self, normal: str) -> Any:
        """Return DC_EVSEStatus or AC_EVSEStatus, `normal` being the status code without errors and wishes to stop."""
        raise NotImplementedError
