"""ISO 15118-2, from the choice of payment to the authorization (clauses 8.4.3.5 to 8.4.3.8): external or by contract.

A contract is presented with PaymentDetailsReq; AuthorizationReq proves that the car has its key, by a signature with
the challenge of PaymentDetailsRes. Only then the contract is put up for authorization.
"""

from __future__ import annotations

import hmac
from typing import Any

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.contracts.types.authorization import CertificateStatus, ProvidedIdToken
from chargebyte_fw.contracts.types.evse_security import CertificateValidationResult as Result
from chargebyte_fw.modules.v2g import signatures
from chargebyte_fw.modules.v2g.messages import iso2
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from chargebyte_fw.modules.v2g.secc.common.session import CHARGE_SERVICE_ID
from chargebyte_fw.modules.v2g.secc.contracts import Contract, contract_token, read_contract
from chargebyte_fw.modules.v2g.secc.effects import SelectServices, VerifyContract
from chargebyte_fw.modules.v2g.secc.iso2.services import offered_services, sae_service
from chargebyte_fw.modules.v2g.secc.iso2.setup import Iso2SetUp
from chargebyte_fw.modules.v2g.secc.protocol import Answer, Deferred, SessionContext
from chargebyte_fw.modules.v2g.timing import CERTIFICATE_PERFORMANCE_S

CHALLENGE_BYTES = 16
"""Length of GenChallenge ([V2G2-697])."""
_CODES = {
    Result.Expired: "FAILED_CertificateExpired",
    Result.IssuerNotFound: "FAILED_NoCertificateAvailable",
    None: "FAILED",
}
"""Response code by the result of the certificate store; of any other but Valid it is FAILED_CertChainError."""
_LEFT_TO_THE_BACK_END = (Result.IssuerNotFound, None)
"""What a back end may still accept: it knows roots that are not installed here."""
_REFUSED = {
    CertificateStatus.SignatureError: "FAILED_SignatureError",
    CertificateStatus.CertificateExpired: "FAILED_CertificateExpired",
    CertificateStatus.CertificateRevoked: "FAILED_CertificateRevoked",
    CertificateStatus.NoCertificateAvailable: "FAILED_NoCertificateAvailable",
    CertificateStatus.CertChainError: "FAILED_CertChainError",
    CertificateStatus.ContractCancelled: "FAILED_ContractCanceled",
}
"""Response code of a contract that was not authorized, by its certificate's status."""


class Iso2Payment(Iso2SetUp):
    """Who pays, and whether it is accepted."""

    def __init__(self, context: SessionContext) -> None:
        super().__init__(context)
        self.payment_option = ""
        """What the car has chosen; empty before."""
        self.sae_selected = False
        """The car gives energy back as SAE J2847/2 has it."""
        self.contract: Contract | None = None
        """The contract that was presented and accepted for authorization."""
        self._token: ProvidedIdToken | None = None
        self._challenge = b""
        self._proven = False
        """The car has signed with the contract's key."""
        self._verifying_since: float | None = None
        """Since when a PaymentDetailsReq waits for the certificate store."""

    @property
    def by_contract(self) -> bool:
        """Whether a contract pays."""
        return self.payment_option == iso15118.PaymentOption.Contract

    def on_PaymentServiceSelectionReq(self, request: iso2.PaymentServiceSelectionReq, now: float) -> Answer:
        """Take the car's choice of payment and services."""
        name, option = "PaymentServiceSelectionReq", request.SelectedPaymentOption
        offered = offered_services(self.facts, with_certificates=self.offers_certificates)
        chosen = {one.ServiceID: one.ParameterSetID for one in request.SelectedServiceList.SelectedService}
        others = {service_id: chosen[service_id] for service_id in chosen if service_id != CHARGE_SERVICE_ID}
        if CHARGE_SERVICE_ID not in chosen:
            # [V2G2-804]
            return self.failed(name, "FAILED_NoChargeServiceSelected", f"services {sorted(chosen)}")
        if unknown := others.keys() - offered.keys():
            # [V2G2-467]
            return self.failed(name, "FAILED_ServiceSelectionInvalid", f"services {sorted(unknown)}")
        if option not in self.offered_options():
            return self.failed(name, "FAILED_PaymentSelectionInvalid", str(option))  # [V2G2-465]
        self.payment_option = str(option)
        self.publish(Iso15118Charger.selected_payment_option, iso15118.PaymentOption(str(option)))
        self.sae_selected = sae_service(self.facts) in others
        if self.sae_selected:
            self.publish(Iso15118Charger.sae_bidi_mode_active, None)
        selected = [(i, parameter_set or 0) for i, parameter_set in others.items() if i in self.facts.offered_services]
        if selected:
            self.effect(SelectServices(tuple(selected)))
        self.enter(State.PAYMENT_DETAILS if self.by_contract else State.AUTHORIZATION)
        return Answer(iso2.PaymentServiceSelectionRes(ResponseCode=self.ok()))

    # -- PaymentDetails

    def on_PaymentDetailsReq(self, request: iso2.PaymentDetailsReq, now: float) -> Answer | Deferred:
        """Take the car's contract, have its chain verified, and give a challenge for the proof of its key."""
        name, given = "PaymentDetailsReq", request.ContractSignatureCertChain
        chain = [given.Certificate, *(given.SubCertificates.Certificate if given.SubCertificates else ())]
        try:
            contract = read_contract(chain)
        except ValueError as error:
            return self.failed(name, "FAILED_CertChainError", str(error))
        if not contract.is_of(request.eMAID):
            why = f"the eMAID {request.eMAID} is not the one of the certificate, {contract.emaid}"
            return self.failed(name, "FAILED_CertChainError", why)
        if self.settings.verify_contract_cert_chain:
            fault = self._fault_of(contract, now)
            if isinstance(fault, Deferred):
                return fault
            if fault is not None:
                return self.failed(name, *fault)
        self.contract = contract
        verification = self.facts.session.contract_verification if self.settings.verify_contract_cert_chain else None
        self._token = contract_token(contract, request.eMAID, verification)
        self._challenge = self.environment.random_bytes(CHALLENGE_BYTES)
        self.enter(State.AUTHORIZATION)
        unverified = "" if self.settings.verify_contract_cert_chain else ", its chain is not verified here"
        self.log(f"contract {self._token.id_token.value}{unverified}")
        return Answer(
            iso2.PaymentDetailsRes(
                ResponseCode=self.ok(),
                GenChallenge=self._challenge,
                EVSETimeStamp=int(self.environment.utc_now().timestamp()),
            )
        )

    def _fault_of(self, contract: Contract, now: float) -> tuple[str, str] | Deferred | None:
        """Return the FAILED code and why, None for a contract that may go on, or Deferred until the store answers."""
        if why := contract.out_of_time(self.environment.utc_now()):
            return "FAILED_CertificateExpired", why  # [V2G2-824]
        session = self.facts.session
        if self._verifying_since is None:
            self._verifying_since = now
            session.contract_verification = None
            self.effect(VerifyContract(contract.chain))
        verification, limit = session.contract_verification, self._verifying_since + CERTIFICATE_PERFORMANCE_S
        answered = verification is not None and verification.chain == contract.chain
        if not answered and now < limit:
            return Deferred(limit)
        self._verifying_since = None
        result = verification.result if verification is not None and answered else None
        if not answered:
            session.contract_verification = None
        if verification is not None and answered and verification.revoked:
            return "FAILED_CertificateRevoked", verification.revoked
        if result is Result.Valid:
            return None
        why = "the certificate store does not answer" if result is None else f"certificate store: {result}"
        if result in _LEFT_TO_THE_BACK_END and self.facts.central_contract_validation:
            self.log(f"{why}; the contract is left to the back end")
            return None
        return _CODES.get(result, "FAILED_CertChainError"), why

    # -- Authorization

    def on_AuthorizationReq(self, request: iso2.AuthorizationReq, now: float) -> Answer:
        """Wait for the authorization of the session; a contract is proven by the first request."""
        name = "AuthorizationReq"
        if not self.by_contract:
            waiting = iso2.EVSEProcessingType.Ongoing_WaitingForCustomerInteraction  # [V2G2-854]
            return self.external_authorization(name, now, waiting)
        # A car repeats its request until it is authorized, with or without challenge and signature.
        if not self._proven:
            code, why = self._not_proven(request)
            if code:
                return self.failed(name, code, why)
            self._proven, self._challenge = True, b""
        return self.authorization(
            name,
            now,
            iso2.EVSEProcessingType.Ongoing,
            self._ask_for_contract,
            self.settings.auth_timeout_pnc_s,
            refused=_REFUSED.get(CertificateStatus(self.facts.session.certificate_status), "FAILED"),
        )

    def _not_proven(self, request: iso2.AuthorizationReq) -> tuple[str, str]:
        """Return the FAILED code and why, where the request does not prove that the car has the contract's key."""
        given, challenge = request.GenChallenge, self._challenge
        if given is None or not challenge or not hmac.compare_digest(given, challenge):
            return "FAILED_ChallengeInvalid", "no challenge" if given is None else "another challenge"  # [V2G2-475]
        header = self.request.message.Header
        why = self.signature_fault(header.Signature, request)
        return ("FAILED_SignatureError", why) if why else ("", "")

    def signature_fault(self, signature: Any, element: Any) -> str:
        """Return why the contract's signature of a request is not valid, or nothing."""
        if self.contract is None:
            return "there is no contract"
        if signature is None or not element.Id:
            return "the request is not signed"
        return signatures.verify("iso2", signature, self.contract.public_key, {type(element).__name__: element})

    def _ask_for_contract(self) -> None:
        assert self._token is not None
        # An answer that came before the question is no answer to it.
        self.facts.session.authorized = None
        self.publish(Iso15118Charger.require_auth_pnc, self._token)
