"""ISO 15118-20, SessionSetup (clause 8.3.4.3): a new session, or a paused one that the same car takes up again."""

from __future__ import annotations

import hashlib

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.interfaces.iso15118_extensions import Iso15118Extensions
from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.modules.v2g.messages import iso20_common as m
from chargebyte_fw.modules.v2g.secc.contracts import pem
from chargebyte_fw.modules.v2g.secc.iso20.base import Iso20Base
from chargebyte_fw.modules.v2g.secc.iso20.energy import Selection, Service
from chargebyte_fw.modules.v2g.secc.iso20.parameter_sets import offered_services
from chargebyte_fw.modules.v2g.secc.iso20.refusals import NO_EVSE_ID
from chargebyte_fw.modules.v2g.secc.iso20.sequence import State
from chargebyte_fw.modules.v2g.secc.protocol import Answer

_LONGEST_ID = 255


def vehicle_hash(session_id: bytes, certificate: bytes) -> bytes:
    """Return the hash that binds a paused session to the vehicle certificate (DER)."""
    return hashlib.sha512(session_id + hashlib.sha512(certificate).digest()).digest()


class SetUp(Iso20Base):
    """The beginning of a session."""

    def take_service(self, selection: Selection) -> None:
        """Take up an energy service."""
        raise NotImplementedError

    def on_SessionSetupReq(self, request: m.SessionSetupReq, now: float) -> Answer:
        """Begin a session, or take up the paused one of this car."""
        evcc_id = request.EVCCID  # kept as text: it is no MAC address in this protocol
        self.publish(Iso15118Charger.evcc_id, evcc_id)
        self.log(f"car {evcc_id}")
        self._publish_ev_info(evcc_id)
        paused = self.facts.iso20.paused
        self.facts.forget_paused()
        certificate = self.context.security.peer_certificate
        wanted = self.request.session_id
        known = certificate is not None and paused is not None and vehicle_hash(wanted, certificate) == paused.vehicle
        if paused is not None and known and self._goes_on(service := Service(paused.service)):
            self.session_id = paused.session_id
            self.take_service(Selection(service, paused.set_id, paused.parameters))
            self.select_others(paused.others)
            self.enter(State.RESUMED)
            self.log("took up the paused session")
            return self.ok(m.SessionSetupRes, "OK_OldSessionJoined", EVSEID=self.evse_id())
        self.session_id = self.environment.new_session_id()  # [V2G20-835], [V2G20-2621]
        self.enter(State.AUTHORIZATION_SETUP)
        return self.ok(m.SessionSetupRes, "OK_NewSessionEstablished", EVSEID=self.evse_id())

    def _goes_on(self, service: Service) -> bool:
        """Return whether the service of a paused session is still offered; without it a new one begins."""
        offered = service in offered_services(self.facts)
        if not offered:
            self.log(f"does not take up the paused session: {service.name} is no longer offered")
        return offered

    def evse_id(self) -> str:
        """Return the EVSE id; one that the schema cannot carry is none."""
        known = self.facts.evse_id
        return known if 0 < len(known) <= _LONGEST_ID else NO_EVSE_ID

    def _publish_ev_info(self, evcc_id: str) -> None:
        chain = [pem([der]) for der in self.context.security.peer_chain]
        leaf, sub_1, sub_2, *_ = (*chain, None, None, None)
        self.publish(
            Iso15118Extensions.ev_info,
            iso15118.EvInformation(
                supported_protocols=iso15118.AppProtocols(Protocols=self.context.offered),
                selected_protocol=self.context.selected,
                evcc_id=evcc_id,
                tls_leaf_certificate=leaf,
                tls_sub_ca_1_certificate=sub_1,
                tls_sub_ca_2_certificate=sub_2,
            ),
        )
