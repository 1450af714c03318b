"""ISO 15118-2 for the car's machine."""

from __future__ import annotations

from collections.abc import Sequence

from chargebyte_fw.modules.v2g import handshake
from chargebyte_fw.modules.v2g.evcc.common.protocol import V2gMessageProtocol
from chargebyte_fw.modules.v2g.evcc.facts import CarFacts, CarSettings
from chargebyte_fw.modules.v2g.evcc.iso2.session import Iso2CarSession
from chargebyte_fw.modules.v2g.evcc.protocol import Protocol, Timers
from chargebyte_fw.modules.v2g.handshake import AppProtocol


class Iso15118D2(V2gMessageProtocol):
    """ISO 15118-2: AC and DC."""

    offer = handshake.ISO15118D2
    message_timeouts_s = {
        "CurrentDemandReq": 0.25,
        **dict.fromkeys(("ServiceDetailReq", "PaymentDetailsReq", "PowerDeliveryReq"), 5.0),
        **dict.fromkeys(("CertificateInstallationReq", "CertificateUpdateReq"), 5.0),
    }

    def apps(self, settings: CarSettings) -> Sequence[AppProtocol]:
        """Return the entry of a AC or DC car: other inlets came with ISO 15118-20."""
        return (self.offer,) if settings.energy_transfer_mode[:2] in ("AC", "DC") else ()

    def new_session(self, app: AppProtocol, settings: CarSettings, facts: CarFacts, timers: Timers) -> Iso2CarSession:
        """Return a new session."""
        return Iso2CarSession(settings, facts, timers)


PROTOCOL: Protocol = Iso15118D2()
