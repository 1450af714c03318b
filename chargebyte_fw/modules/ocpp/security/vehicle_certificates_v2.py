"""Contract certificates of cars through the CSMS (use cases M01, M02), and OCSP responses for V2G (M06)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from chargebyte_fw.contracts.interfaces.evse_security import EvseSecurity
from chargebyte_fw.contracts.interfaces.iso15118_extensions import Iso15118Extensions
from chargebyte_fw.contracts.types import evse_security as security
from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.ocpp.messages.model import Request
from chargebyte_fw.modules.ocpp.messages.v2.certificates import (
    CertificateActionEnumType,
    Get15118EVCertificateRequest,
    Get15118EVCertificateResponse,
    GetCertificateStatusEnumType,
    GetCertificateStatusRequest,
    GetCertificateStatusResponse,
    Iso15118EVCertificateStatusEnumType,
)
from chargebyte_fw.modules.ocpp.messages.v2.types.certificate import HashAlgorithmEnumType, OCSPRequestDataType
from chargebyte_fw.modules.ocpp.provisioning.events import BackOnline, Registered, WentOffline
from chargebyte_fw.modules.ocpp.station import Block, events, receives
from chargebyte_fw.modules.ocpp.variables.standard.communication import FIELD_LENGTH_EXI_RESPONSE
from chargebyte_fw.modules.ocpp.variables.standard.internal import OCSP_REQUEST_INTERVAL
from chargebyte_fw.modules.ocpp.variables.standard.iso15118 import (
    CONTRACT_CERTIFICATE_INSTALLATION_ENABLED,
    PNC_ENABLED,
)

LONGEST_EXI_RESPONSE = 17_000
RETRY_S = 3600.0
"""Pause after OCSP responses that could not be had; an hour is early enough for a week's validity (M06)."""
Status = iso15118.ResponseExiStreamStatusStatus


class VehicleCertificates2(Block):
    """Passes the requests of cars on, and the answers back."""

    first_after_s = 0.0
    """Pause between the registration and the first look at OCSP responses."""

    online = False
    """Whether there is a CSMS that has accepted the station."""

    # What OCPP 1.6 has otherwise.

    @property
    def passes_on(self) -> bool:
        """Whether the CSMS can be asked for contract certificates now."""
        return self.online and self.station.variables.get(CONTRACT_CERTIFICATE_INSTALLATION_ENABLED)

    @property
    def renews(self) -> bool:
        """Whether OCSP responses are renewed."""
        return self.station.variables.get(PNC_ENABLED)

    def send(self, request: Request, then: Callable[[Any], None]) -> None:
        """Send a request to the CSMS."""
        self.station.send(request, then)

    @receives(events.FactReceived)
    def fact(self, event: events.FactReceived) -> None:
        """A car at an EVSE asks for a contract certificate."""
        if isinstance(event.value, iso15118.RequestExiStreamSchema):
            self._ask(event.value, event.evse_id)

    def _ask(self, wanted: iso15118.RequestExiStreamSchema, evse_id: int | None) -> None:
        if not self.passes_on:
            self._reply(wanted, evse_id, None)
            return
        request = Get15118EVCertificateRequest(
            iso15118_schema_version=wanted.iso15118_schema_version,
            action=CertificateActionEnumType(wanted.certificate_action.value),
            exi_request=wanted.exi_request,
        )
        self.send(request, partial(self._answered, wanted, evse_id))

    def _answered(
        self,
        wanted: iso15118.RequestExiStreamSchema,
        evse_id: int | None,
        response: Get15118EVCertificateResponse | Any,
    ) -> None:
        longest = self.station.variables.get(FIELD_LENGTH_EXI_RESPONSE) or LONGEST_EXI_RESPONSE
        if not isinstance(response, Get15118EVCertificateResponse) or len(response.exi_response) > longest:
            self._reply(wanted, evse_id, None)
            return
        accepted = response.status is Iso15118EVCertificateStatusEnumType.Accepted
        self._reply(wanted, evse_id, response.exi_response or None, accepted=accepted)

    def _reply(
        self, wanted: iso15118.RequestExiStreamSchema, evse_id: int | None, exi: str | None, *, accepted: bool = False
    ) -> None:
        """Return what the CSMS has answered; a refusal has its message for the car, too."""
        status = Status.Accepted if accepted else Status.Failed
        reply = iso15118.ResponseExiStreamStatus(
            status=status, certificate_action=wanted.certificate_action, exi_response=exi
        )
        self.station.command(call(Iso15118Extensions.set_get_certificate_response, reply), evse_id=evse_id)

    # OCSP.

    @receives(Registered)
    def registered(self, event: Registered) -> None:
        """Renew the OCSP responses of the V2G certificates (M06)."""
        self.online = True
        self.station.start("ocsp", self.station.now + self.first_after_s, self._renew)

    @receives(BackOnline)
    def back_online(self, event: BackOnline) -> None:
        """Pass on the requests of cars again."""
        self.online = True

    @receives(WentOffline)
    def went_offline(self, event: WentOffline) -> None:
        """Refuse the requests of cars."""
        self.online = False

    def renew_now(self) -> None:
        """Renew at once: what decides about it has changed. Before the registration there is nothing to be done."""
        if self.station.due("ocsp") is not None:
            self._renew()

    def _renew(self) -> None:
        interval_s = self.station.variables.get(OCSP_REQUEST_INTERVAL)
        self.station.start("ocsp", self.station.now + max(RETRY_S, interval_s), self._renew)
        if self.renews:
            self.station.command(call(EvseSecurity.get_v2g_ocsp_request_data), self._listed)

    def _listed(self, result: Any) -> None:
        if not isinstance(result, security.OCSPRequestDataList):
            return
        for data in result.ocsp_request_data_list:
            known = data.certificate_hash_data
            if known is not None and data.responder_url:
                wanted = OCSPRequestDataType(
                    hash_algorithm=HashAlgorithmEnumType(known.hash_algorithm.value),
                    issuer_name_hash=known.issuer_name_hash,
                    issuer_key_hash=known.issuer_key_hash,
                    serial_number=known.serial_number,
                    responder_url=data.responder_url,
                )
                request = GetCertificateStatusRequest(ocsp_request_data=wanted)
                self.send(request, partial(self._status, known))

    def _status(self, known: security.CertificateHashData, response: Any) -> None:
        answered = isinstance(response, GetCertificateStatusResponse)
        if not answered or response.status is not GetCertificateStatusEnumType.Accepted or not response.ocsp_result:
            self.station.start("ocsp", self.station.now + RETRY_S, self._renew)
            return
        self.station.command(call(EvseSecurity.update_ocsp_cache, known, response.ocsp_result))
