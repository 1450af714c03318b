"""Plug and Charge of OCPP 1.6: requests of 2.0.1 inside of DataTransfer (Open Charge Alliance, application note)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from msgspec.structs import replace

from chargebyte_fw.contracts.interfaces.evse_security import EvseSecurity
from chargebyte_fw.contracts.types import evse_security as security
from chargebyte_fw.contracts.types.authorization import ProvidedIdToken
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.ocpp.authorization.contracts_v2 import Answer, Contracts2
from chargebyte_fw.modules.ocpp.authorization.known import Known
from chargebyte_fw.modules.ocpp.authorization.v16 import Authorization16
from chargebyte_fw.modules.ocpp.connection.settings import ClientFiles
from chargebyte_fw.modules.ocpp.data_transfer.v16 import DataTransfer16
from chargebyte_fw.modules.ocpp.messages.errors import MessageError, NotEncodable
from chargebyte_fw.modules.ocpp.messages.model import Request
from chargebyte_fw.modules.ocpp.messages.v2 import certificates as v2
from chargebyte_fw.modules.ocpp.messages.v2.remote_control import (
    MessageTriggerEnumType,
    TriggerMessageRequest,
    TriggerMessageResponse,
    TriggerMessageStatusEnumType,
)
from chargebyte_fw.modules.ocpp.messages.v2.security import (
    CertificateSignedRequest,
    CertificateSignedResponse,
    CertificateSignedStatusEnumType,
    CertificateSigningUseEnumType,
    SignCertificateRequest,
)
from chargebyte_fw.modules.ocpp.messages.v16.core import DataTransferRequest, DataTransferResponse, DataTransferStatus
from chargebyte_fw.modules.ocpp.messages.v16.plug_and_charge import (
    ACTIONS_FROM_CSMS,
    VENDOR_ID,
    lists_nothing,
    unwrapped,
    unwrapped_response,
    wrapped,
    wrapped_response,
)
from chargebyte_fw.modules.ocpp.provisioning.events import Registered, SecurityEventRaised
from chargebyte_fw.modules.ocpp.security.certificates_v2 import Certificates2
from chargebyte_fw.modules.ocpp.security.signing import Subject
from chargebyte_fw.modules.ocpp.security.vehicle_certificates_v2 import VehicleCertificates2
from chargebyte_fw.modules.ocpp.station import CallFailure, Deferred, RequestRefused, Station, effects, receives
from chargebyte_fw.modules.ocpp.variables.standard.communication import ORGANIZATION_NAME
from chargebyte_fw.modules.ocpp.variables.standard.internal import CHARGE_BOX_SERIAL_NUMBER, V2G_CERTIFICATE_CHECK_DELAY
from chargebyte_fw.modules.ocpp.variables.standard.iso15118 import PNC_ENABLED
from chargebyte_fw.modules.ocpp.variables.standard.legacy import ISO15118_CERTIFICATE_MANAGEMENT_ENABLED

V2G = CertificateSigningUseEnumType.V2GCertificate
SECTION = "PnC"
"""Section of the configuration file without which a station has no Plug and Charge."""


def send_wrapped(station: Station, request: Request, then: Callable[[Any], None]) -> None:
    """Send a request of 2.0.1; `then` takes its response, or a CallFailure."""

    def answered(result: DataTransferResponse | CallFailure) -> None:
        if isinstance(result, CallFailure):
            then(result)
            return
        try:
            response = unwrapped_response(request.action_name, result)
        except MessageError as error:
            then(CallFailure(error.code, error.description))
            return
        then(response)

    try:
        transfer = wrapped(request)
    except NotEncodable as error:
        then(CallFailure("FormationViolation", str(error)))
        return
    station.send(transfer, answered)


class PlugAndCharge16(Certificates2):
    """Contracts that are authorized by the CSMS, V2G certificates, and the requests of the CSMS for them."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        station.block(DataTransfer16).receivers[VENDOR_ID] = self.transferred
        authorization = station.block(Authorization16)
        self._contracts = Contracts2(station, partial(send_wrapped, station), self._known, self._learned)
        authorization.contracts = self._validate

    @property
    def _available(self) -> bool:
        keys = self.station.variables.keys
        return keys is None or SECTION in keys.sections

    # Contracts.

    def _validate(self, token: ProvidedIdToken, answer: Answer) -> None:
        self._contracts.validate(token, self.station.block(Authorization16).online, answer)

    def _known(self, token: ProvidedIdToken) -> Known | None:
        return self.station.block(Authorization16).known_locally(token.id_token.value)

    def _learned(self, token: ProvidedIdToken, known: Known) -> None:
        self.station.block(Authorization16).keep(token.id_token.value, known)

    # Certificates of the station.

    @receives(Registered)
    def registered(self, event: Registered) -> None:
        """Look at the V2G certificate a while after the start, and then regularly."""
        self.check_later(V2G, V2G_CERTIFICATE_CHECK_DELAY)

    @property
    def signs_v2g(self) -> bool:
        """Whether V2G certificates are asked for."""
        get = self.station.variables.get
        return get(PNC_ENABLED) and get(ISO15118_CERTIFICATE_MANAGEMENT_ENABLED)

    def subject(self, use: CertificateSigningUseEnumType) -> Subject:
        """Return the subject of a signing request; as in EVerest, keys that 1.6 may lack have a replacement."""
        found = super().subject(use)
        if use is not V2G:
            return found
        get = self.station.variables.get
        common, organization = get(CHARGE_BOX_SERIAL_NUMBER), get(ORGANIZATION_NAME)
        return replace(
            found,
            common=found.common or common,
            organization=found.organization or organization,
            country=found.country or "DE",
        )

    def send_csr(self, use: CertificateSigningUseEnumType, csr: str, then: Callable[[Any], None]) -> None:
        """Send a signing request."""
        send_wrapped(self.station, SignCertificateRequest(csr=csr, certificate_type=use), then)

    def install_root(self, pem: str, kind: security.CaCertificateType, then: Callable[[Any], None]) -> None:
        """Install a root."""
        self.station.command(call(EvseSecurity.install_ca_certificate, pem, kind), then)

    def before_renewal(self, then: Callable[[ClientFiles | None], None]) -> None:
        """Install it: 1.6 has no fallback to the former certificate."""
        then(None)

    def use_renewed(self, former: ClientFiles | None) -> None:
        """Connect with the client certificate that was installed."""
        self.station.effect(effects.Reconnect("the station has a new certificate"))

    def invalid(self, reason: str) -> CertificateSignedResponse:
        """Refuse a certificate, and raise the security event of 1.6 for it."""
        self.station.notify(SecurityEventRaised("InvalidChargePointCertificate", reason))
        return CertificateSignedResponse(status=CertificateSignedStatusEnumType.Rejected)

    # Requests of the CSMS.

    def answer(self, deferred: Deferred, response: Any) -> None:
        """Answer the DataTransfer."""
        self.station.answer(deferred, wrapped_response(response))

    def transferred(self, transfer: DataTransferRequest) -> DataTransferResponse | Deferred | None:
        """Carry out a request of 2.0.1."""
        if not self._available:
            return None
        if transfer.message_id not in ACTIONS_FROM_CSMS:
            return DataTransferResponse(status=DataTransferStatus.UnknownMessageId)
        if lists_nothing(transfer):
            nothing = v2.GetInstalledCertificateIdsResponse(status=v2.GetInstalledCertificateStatusEnumType.NotFound)
            return wrapped_response(nothing)
        try:
            request = unwrapped(transfer)
        except MessageError as error:
            # The DataTransfer itself is right: its content is refused.
            return DataTransferResponse(status=DataTransferStatus.Rejected, data=error.description)
        response = self._carried_out(request)
        return response if isinstance(response, Deferred) else wrapped_response(response)

    def _carried_out(self, request: Request) -> Any:
        match request:
            case CertificateSignedRequest():
                return self.certificate_signed(request)
            case v2.InstallCertificateRequest():
                return self.install(request)
            case v2.DeleteCertificateRequest():
                return self.delete(request)
            case v2.GetInstalledCertificateIdsRequest():
                return self.installed_ids(request)
            case TriggerMessageRequest():
                return self._triggered(request)
        raise RequestRefused("NotSupported", f"{request.action_name} is not available")

    def _triggered(self, request: TriggerMessageRequest) -> TriggerMessageResponse:
        statuses = TriggerMessageStatusEnumType
        if request.requested_message is not MessageTriggerEnumType.SignV2GCertificate:
            return TriggerMessageResponse(status=statuses.NotImplemented)
        subject = self.subject(V2G)
        if not (subject.common and subject.organization):
            return TriggerMessageResponse(status=statuses.Rejected)
        self.station.after_answer(partial(self.sign, V2G))
        return TriggerMessageResponse(status=statuses.Accepted)


class VehicleCertificates16(VehicleCertificates2):
    """The same for 1.6: requests of cars and OCSP responses by DataTransfer."""

    first_after_s = 60.0

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        station.variables.on_change(ISO15118_CERTIFICATE_MANAGEMENT_ENABLED, lambda _: self.renew_now())

    @property
    def passes_on(self) -> bool:
        """Whether the CSMS can be asked for contract certificates now."""
        return self.online and self.station.variables.get(PNC_ENABLED)

    @property
    def renews(self) -> bool:
        """Whether OCSP responses are renewed."""
        return self.station.variables.get(ISO15118_CERTIFICATE_MANAGEMENT_ENABLED)

    def send(self, request: Request, then: Callable[[Any], None]) -> None:
        """Send a request of 2.0.1."""
        send_wrapped(self.station, request, then)
