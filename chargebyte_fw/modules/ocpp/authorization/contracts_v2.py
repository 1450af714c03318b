"""Authorization by contract certificate (use case C07): what is asked of the CSMS, and what is decided here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from chargebyte_fw.contracts.interfaces.evse_security import EvseSecurity
from chargebyte_fw.contracts.types import evse_security as security
from chargebyte_fw.contracts.types.authorization import (
    AuthorizationStatus,
    CertificateStatus,
    ProvidedIdToken,
    ValidationResult,
)
from chargebyte_fw.contracts.types.iso15118 import CertificateHashDataInfo
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.ocpp.authorization.conversion_v2 import known_of, result_of, to_wire
from chargebyte_fw.modules.ocpp.authorization.known import Known
from chargebyte_fw.modules.ocpp.messages.v2.authorization import AuthorizeRequest, AuthorizeResponse
from chargebyte_fw.modules.ocpp.messages.v2.types.certificate import HashAlgorithmEnumType, OCSPRequestDataType
from chargebyte_fw.modules.ocpp.station import CallFailure, Station
from chargebyte_fw.modules.ocpp.station.named import named
from chargebyte_fw.modules.ocpp.variables.standard.authorization import OFFLINE_TX_FOR_UNKNOWN_ID_ENABLED
from chargebyte_fw.modules.ocpp.variables.standard.iso15118 import (
    CENTRAL_CONTRACT_VALIDATION_ALLOWED,
    CONTRACT_VALIDATION_OFFLINE,
    PNC_ENABLED,
)

Answer = Callable[[ValidationResult], None]
Send = Callable[[AuthorizeRequest, Callable[[Any], None]], object]
ROOTS = [security.LeafCertificateType.MO, security.LeafCertificateType.V2G]
"""A contract chain ends at a root of its operator, or at a V2G root (C07)."""
_BEGIN = "BEGIN CERTIFICATE"
_REFUSED = {
    security.CertificateValidationResult.Expired: (AuthorizationStatus.Expired, CertificateStatus.CertificateExpired),
    security.CertificateValidationResult.InvalidSignature: (
        AuthorizationStatus.Invalid,
        CertificateStatus.SignatureError,
    ),
    security.CertificateValidationResult.InvalidLeafSignature: (
        AuthorizationStatus.Invalid,
        CertificateStatus.SignatureError,
    ),
}


def _refusal(result: Any) -> ValidationResult:
    invalid = (AuthorizationStatus.Invalid, CertificateStatus.CertChainError)
    status, certificate = _REFUSED.get(result, invalid)
    return result_of(Known(status), certificate)


class Contracts2:
    """Decides about tokens that come with a contract certificate chain, or with the hashes of one.

    `send` sends an Authorize of OCPP 2.x (1.6 has it in a DataTransfer); `locally` returns what list and cache have;
    `learned` keeps an answer.
    """

    def __init__(
        self,
        station: Station,
        send: Send,
        locally: Callable[[ProvidedIdToken], Known | None],
        learned: Callable[[ProvidedIdToken, Known], None],
    ) -> None:
        self._station = station
        self._send = send
        self._locally = locally
        self._learned = learned

    def validate(self, token: ProvidedIdToken, online: bool, answer: Answer) -> None:
        """Call `answer` with the result, at once or when the CSMS has answered."""
        get = self._station.variables.get
        if not get(PNC_ENABLED):
            answer(result_of(Known(AuthorizationStatus.Unknown)))
        elif not online and not get(CONTRACT_VALIDATION_OFFLINE):
            answer(result_of(Known(AuthorizationStatus.NotAtThisTime)))
        elif not online:
            self._verify(token, partial(self._verified_offline, token, answer))
        elif token.iso15118CertificateHashData:
            self._ask(token, answer, [_of_car(one) for one in token.iso15118CertificateHashData])
        elif not token.certificate:
            self._authorize(token, answer)
        else:
            command = call(EvseSecurity.get_mo_ocsp_request_data, token.certificate)
            self._station.command(command, partial(self._hashed, token, answer))

    def _hashed(self, token: ProvidedIdToken, answer: Answer, result: Any) -> None:
        found = result.ocsp_request_data_list if isinstance(result, security.OCSPRequestDataList) else []
        self._ask(token, answer, [one for one in map(_of_store, found) if one is not None])

    def _ask(self, token: ProvidedIdToken, answer: Answer, hashes: list[OCSPRequestDataType]) -> None:
        """With a hash of every certificate the CSMS can look at the chain itself (C07).

        The one that a root has signed has no hash where this root is not installed.
        """
        if hashes and len(hashes) >= (token.certificate or "").count(_BEGIN):
            self._authorize(token, answer, hashes=hashes)
        else:
            self._verify(token, partial(self._verified_online, token, answer, hashes))

    def _verify(self, token: ProvidedIdToken, then: Callable[[Any], None]) -> None:
        if token.certificate:
            self._station.command(call(EvseSecurity.verify_certificate, token.certificate, ROOTS), then)
        else:
            # What the car sent was verified by the SECC, which passes on hashes alone.
            then(security.CertificateValidationResult.Valid)

    def _verified_online(
        self, token: ProvidedIdToken, answer: Answer, hashes: list[OCSPRequestDataType], result: Any
    ) -> None:
        if result is security.CertificateValidationResult.Valid:
            self._authorize(token, answer, hashes=hashes or None)
        elif result is security.CertificateValidationResult.IssuerNotFound and self._station.variables.get(
            CENTRAL_CONTRACT_VALIDATION_ALLOWED
        ):
            self._authorize(token, answer, certificate=token.certificate)
        else:
            answer(_refusal(result))

    def _verified_offline(self, token: ProvidedIdToken, answer: Answer, result: Any) -> None:
        if result is not security.CertificateValidationResult.Valid:
            answer(_refusal(result))
            return
        known = self._locally(token)
        if known is None:
            # [C07.FR.12]
            unknown = self._station.variables.get(OFFLINE_TX_FOR_UNKNOWN_ID_ENABLED)
            known = Known(AuthorizationStatus.Accepted if unknown else AuthorizationStatus.Unknown)
        answer(result_of(known, CertificateStatus.Accepted))

    def _authorize(
        self,
        token: ProvidedIdToken,
        answer: Answer,
        *,
        hashes: list[OCSPRequestDataType] | None = None,
        certificate: str | None = None,
    ) -> None:
        request = AuthorizeRequest(
            id_token=to_wire(token.id_token), certificate=certificate, iso15118_certificate_hash_data=hashes
        )
        self._send(request, partial(self._answered, token, answer))

    def _answered(self, token: ProvidedIdToken, answer: Answer, response: AuthorizeResponse | CallFailure) -> None:
        if isinstance(response, CallFailure):
            answer(result_of(Known(AuthorizationStatus.Invalid)))
            return
        known = known_of(response.id_token_info)
        self._learned(token, known)
        status = None
        if response.certificate_status is not None:
            status = named(CertificateStatus, response.certificate_status, CertificateStatus.CertChainError)
        if known.accepted and status not in (None, CertificateStatus.Accepted):
            # A token is accepted only together with its certificate (C07).
            known = Known(AuthorizationStatus.Invalid)
        answer(result_of(known, status, response.allowed_energy_transfer))


def _of_car(data: CertificateHashDataInfo) -> OCSPRequestDataType:
    return OCSPRequestDataType(
        hash_algorithm=HashAlgorithmEnumType(data.hashAlgorithm.value),
        issuer_name_hash=data.issuerNameHash,
        issuer_key_hash=data.issuerKeyHash,
        serial_number=data.serialNumber,
        responder_url=data.responderURL,
    )


def _of_store(data: security.OCSPRequestData) -> OCSPRequestDataType | None:
    known = data.certificate_hash_data
    if known is None or not data.responder_url:
        return None
    return OCSPRequestDataType(
        hash_algorithm=HashAlgorithmEnumType(known.hash_algorithm.value),
        issuer_name_hash=known.issuer_name_hash,
        issuer_key_hash=known.issuer_key_hash,
        serial_number=known.serial_number,
        responder_url=data.responder_url,
    )
