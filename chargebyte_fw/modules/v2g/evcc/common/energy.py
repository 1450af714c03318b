"""What every energy service has on the side of the car: its stages, and what a wish to stop does in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chargebyte_fw.modules.v2g.evcc.common.session import V2gCarSession


class CarEnergyService:
    """How the car gets its energy. The session holds one; its stages are `build_<stage>` and `take_<stage>`."""

    def __init__(self, session: V2gCarSession) -> None:
        self.session = session
        self.settings = session.settings
        self.facts = session.facts
        self.messages = session.messages

    def stop_wanted(self, now: float) -> None:
        """Leave the present stage where car or charger want the session to end; `session.stage` is the next one."""

    def renegotiation_wanted(self, now: float) -> None:
        """Leave the charge loop where car or charger want other parameters."""
