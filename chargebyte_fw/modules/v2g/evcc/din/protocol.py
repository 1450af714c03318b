"""DIN SPEC 70121 for the car's machine."""

from __future__ import annotations

from collections.abc import Sequence

from chargebyte_fw.modules.v2g import handshake
from chargebyte_fw.modules.v2g.evcc.common.protocol import V2gMessageProtocol
from chargebyte_fw.modules.v2g.evcc.din.session import DinCarSession
from chargebyte_fw.modules.v2g.evcc.facts import CarFacts, CarSettings
from chargebyte_fw.modules.v2g.evcc.protocol import Protocol, Timers
from chargebyte_fw.modules.v2g.handshake import AppProtocol


class Din70121(V2gMessageProtocol):
    """DIN SPEC 70121: DC, authorization by external means."""

    offer = handshake.DIN70121
    message_timeouts_s = {"CurrentDemandReq": 0.25}

    def apps(self, settings: CarSettings) -> Sequence[AppProtocol]:
        """Return the entry of a DC car: DIN knows no AC, and no inlet of another kind."""
        return (self.offer,) if settings.energy_transfer_mode.startswith("DC") else ()

    def new_session(self, app: AppProtocol, settings: CarSettings, facts: CarFacts, timers: Timers) -> DinCarSession:
        """Return a new session."""
        return DinCarSession(settings, facts, timers)


PROTOCOL: Protocol = Din70121()
