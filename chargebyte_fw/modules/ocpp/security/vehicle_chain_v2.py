"""The status of a car's certificate chain, by the CSMS (OCPP 2.1, use case M07).

With ISO 15118-20 the car has shown its vehicle certificate in the TLS handshake, when its session begins. A revoked one
ends its transaction, and each one that begins until the car has left.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from chargebyte_fw.contracts.interfaces.evse_security import EvseSecurity
from chargebyte_fw.contracts.interfaces.iso15118_extensions import Iso15118Extensions
from chargebyte_fw.contracts.types import evse_manager as evse
from chargebyte_fw.contracts.types import evse_security as security
from chargebyte_fw.contracts.types.iso15118 import EvInformation
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.ocpp.messages.v2.certificates import (
    CertificateStatusEnumType,
    CertificateStatusRequestInfoType,
    CertificateStatusSourceEnumType,
    CertificateStatusType,
    GetCertificateChainStatusRequest,
    GetCertificateChainStatusResponse,
)
from chargebyte_fw.modules.ocpp.messages.v2.types.certificate import CertificateHashDataType, HashAlgorithmEnumType
from chargebyte_fw.modules.ocpp.provisioning.v2 import Provisioning2
from chargebyte_fw.modules.ocpp.station import Block, CallFailure, Station, events, receives
from chargebyte_fw.modules.ocpp.transactions.events import TransactionBegan
from chargebyte_fw.modules.ocpp.transactions.v2 import Transactions2
from chargebyte_fw.modules.ocpp.version import Version

KEPT_FOR = timedelta(days=7)
"""Longest time for which a status is used again ([M07.FR.09])."""
MOST_KEPT = 100
MOST_REQUESTED = 4
Key = tuple[str, str, str]


class VehicleChains2(Block):
    """Asks for the status of the certificates of a car, and ends what a revoked one has begun."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._known: dict[Key, tuple[CertificateStatusEnumType, datetime]] = {}
        self._revoked: set[int] = set()

    @receives(events.FactReceived)
    def fact(self, event: events.FactReceived) -> None:
        """Find the responders of the chain that a car has shown."""
        if event.interface != Iso15118Extensions.interface or not isinstance(event.value, EvInformation):
            return
        found = event.value
        chain = [found.tls_leaf_certificate, found.tls_sub_ca_1_certificate, found.tls_sub_ca_2_certificate]
        pem = "".join(one for one in chain if one)
        if event.evse_id is None or not pem or self.station.version is not Version.V21:
            return
        self._revoked.discard(event.evse_id)
        command = call(EvseSecurity.get_mo_ocsp_request_data, pem)
        self.station.command(command, partial(self._named, event.evse_id))

    def _named(self, evse_id: int, result: Any) -> None:
        data = result.ocsp_request_data_list if isinstance(result, security.OCSPRequestDataList) else []
        wanted = []
        for one in data:
            info = _request(one)
            if info is None:
                continue
            known = self._known.get(_key(info.certificate_hash_data))
            if known is None or known[1] <= self.station.utc:
                wanted.append(info)
            elif known[0] is CertificateStatusEnumType.Revoked:
                self._end(evse_id)
        if wanted and self.station.block(Provisioning2).online:
            request = GetCertificateChainStatusRequest(certificate_status_requests=wanted[:MOST_REQUESTED])
            self.station.send(request, partial(self._answered, evse_id))

    def _answered(self, evse_id: int, response: GetCertificateChainStatusResponse | CallFailure) -> None:
        """Take what the CSMS has found; a status that it could not find changes nothing."""
        if isinstance(response, CallFailure):
            return
        for one in response.certificate_status:
            self._keep(one)
            if one.status is CertificateStatusEnumType.Revoked:
                self._end(evse_id)

    def _keep(self, found: CertificateStatusType) -> None:
        if found.status not in (CertificateStatusEnumType.Good, CertificateStatusEnumType.Revoked):
            return
        while len(self._known) >= MOST_KEPT:
            self._known.pop(next(iter(self._known)))
        until = min(found.next_update, self.station.utc + KEPT_FOR)
        self._known[_key(found.certificate_hash_data)] = found.status, until

    def _end(self, evse_id: int) -> None:
        self._revoked.add(evse_id)
        transactions = self.station.block(Transactions2)
        transaction = transactions.at(evse_id)
        if transaction is not None:
            transactions.stop(transaction, evse.StopTransactionReason.DeAuthorized)

    @receives(TransactionBegan)
    def began(self, event: TransactionBegan) -> None:
        """End what a car with a revoked certificate begins."""
        if event.evse_id in self._revoked:
            self._end(event.evse_id)

    @receives(events.SessionEventReceived)
    def session(self, event: events.SessionEventReceived) -> None:
        """The car has left."""
        if event.event.event is evse.SessionEventEnum.SessionFinished:
            self._revoked.discard(event.evse_id)


def _request(data: security.OCSPRequestData) -> CertificateStatusRequestInfoType | None:
    known = data.certificate_hash_data
    if known is None or not data.responder_url:
        return None
    return CertificateStatusRequestInfoType(
        certificate_hash_data=CertificateHashDataType(
            hash_algorithm=HashAlgorithmEnumType(known.hash_algorithm.value),
            issuer_name_hash=known.issuer_name_hash,
            issuer_key_hash=known.issuer_key_hash,
            serial_number=known.serial_number,
        ),
        source=CertificateStatusSourceEnumType.OCSP,
        urls=[data.responder_url],
    )


def _key(found: CertificateHashDataType) -> Key:
    return found.issuer_name_hash.lower(), found.issuer_key_hash.lower(), found.serial_number.lower()
