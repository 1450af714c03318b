"""ISO 15118-20, authorization by contract: challenge, signature, chain, and the back end's word (Plug and Charge).

Where the contract is no good the session goes on with a warning, and the car may try another one or external means;
only a wrong signature ends it ([V2G20-2565]).
"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.contracts.types.authorization import CertificateStatus
from chargebyte_fw.contracts.types.evse_security import CertificateValidationResult as Result
from chargebyte_fw.modules.v2g import signatures
from chargebyte_fw.modules.v2g.messages import iso20_common as m
from chargebyte_fw.modules.v2g.messages.iso20_contracts import PnC_AReqAuthorizationModeType
from chargebyte_fw.modules.v2g.messages.iso20_types import processingType
from chargebyte_fw.modules.v2g.secc.contracts import Contract, contract_token, read_contract
from chargebyte_fw.modules.v2g.secc.effects import VerifyContract
from chargebyte_fw.modules.v2g.secc.iso20.authorization import Authorization
from chargebyte_fw.modules.v2g.secc.iso20.timing import EXPIRES_SOON_S, ONGOING_S
from chargebyte_fw.modules.v2g.secc.protocol import Answer, SessionContext

_NAME = "AuthorizationReq"
_LEFT_TO_THE_BACK_END = (Result.IssuerNotFound, None)
"""What a back end may still accept: it knows roots that are not installed here."""
_REFUSED = {
    CertificateStatus.CertificateExpired: "WARNING_CertificateExpired",
    CertificateStatus.CertificateRevoked: "WARNING_CertificateRevoked",
    CertificateStatus.NoCertificateAvailable: "WARNING_NoCertificateAvailable",
    CertificateStatus.CertChainError: "WARNING_CertificateValidationError",
    CertificateStatus.ContractCancelled: "WARNING_NoContractMatchingPCIDFound",
}
"""Response code of a contract that was not authorized, by its certificate's status."""


class ContractAuthorization(Authorization):
    """The car's contract pays."""

    def __init__(self, context: SessionContext) -> None:
        super().__init__(context)
        self.contract: Contract | None = None
        """The contract that the car has proven to have."""
        self._proof: tuple[bytes, tuple[bytes, ...]] | None = None
        """Challenge and chain of the request that is pending: another one is checked anew."""
        self._asked_contract_since: float | None = None
        self._token_published = False

    def by_contract(self, request: m.AuthorizationReq, now: float) -> Answer:
        """Check challenge, chain and signature once, then answer Ongoing until the contract is authorized."""
        mode = request.PnC_AReqAuthorizationMode
        if mode is None:
            return self.warning("WARNING_GeneralPnCAuthorizationError", "there is no contract in the request")
        given = mode.ContractCertificateChain
        proof = (mode.GenChallenge, (given.Certificate, *given.SubCertificates.Certificate))
        if proof != self._proof:
            self._forget_contract()
            code, why = self._fault_of(mode, proof[1])
            if code == "FAILED_SignatureError":
                return self.failed(_NAME, code, why)
            if code:
                return self.warning(code, why)
            self._proof, self._asked_contract_since = proof, now
            self.facts.session.contract_verification = None
            self.effect(VerifyContract(proof[1]))
        return self._pending(now)

    def _forget_contract(self) -> None:
        self.contract, self._proof, self._asked_contract_since = None, None, None
        self._token_published = False
        self.facts.session.authorized = None

    def _fault_of(self, mode: PnC_AReqAuthorizationModeType, chain: tuple[bytes, ...]) -> tuple[str, str]:
        """Return the response code and why, where the request does not prove that the car has a contract."""
        if not self.challenge or not hmac.compare_digest(mode.GenChallenge, self.challenge):
            return "WARNING_ChallengeInvalid", "another challenge"
        try:
            contract = read_contract(chain)
        except ValueError as error:
            return "WARNING_CertificateValidationError", str(error)
        signature = self.request.message.Header.Signature
        element = {"PnC_AReqAuthorizationMode": mode}
        if why := signatures.verify("iso20_common", signature, contract.public_key, element):
            return "FAILED_SignatureError", why
        now = self._utc_now()
        if why := contract.out_of_time(now):
            early = now < contract.not_before
            return "WARNING_CertificateNotYetValid" if early else "WARNING_CertificateExpired", why
        self.contract = contract
        return "", ""

    def _utc_now(self) -> datetime:
        return self.environment.utc_now()

    def _pending(self, now: float) -> Answer:
        assert self.contract is not None and self._asked_contract_since is not None
        session, contract = self.facts.session, self.contract
        if not self._token_published:
            verification = session.contract_verification
            if verification is None or verification.chain != contract.chain:
                return self._ongoing(now)
            if verification.revoked:
                self._forget_contract()
                return self.warning("WARNING_CertificateRevoked", verification.revoked)
            if verification.result is not Result.Valid:
                why = f"certificate store: {verification.result or 'no answer'}"
                if not (verification.result in _LEFT_TO_THE_BACK_END and self.facts.central_contract_validation):
                    self._forget_contract()
                    expired = verification.result is Result.Expired
                    return self.warning(
                        "WARNING_CertificateExpired" if expired else "WARNING_CertificateValidationError", why
                    )
                self.log(f"{why}; the contract is left to the back end")
            self._token_published = True
            token = contract_token(contract, contract.emaid, verification)
            self.log(f"contract {token.id_token.value}")
            # An answer that came before the question is no answer to it.
            session.authorized = None
            self.publish(Iso15118Charger.selected_payment_option, iso15118.PaymentOption.Contract)
            self.publish(Iso15118Charger.require_auth_pnc, token)
            return self._ongoing(now)
        if session.authorized is None:
            return self._ongoing(now)
        if not session.authorized:
            status = CertificateStatus(session.certificate_status)
            self._forget_contract()
            code = _REFUSED.get(status, "WARNING_GeneralPnCAuthorizationError")
            return self.warning(code, f"the contract was refused ({status})")
        soon = contract.not_after - self._utc_now() < timedelta(seconds=EXPIRES_SOON_S)
        return self.authorized("OK_CertificateExpiresSoon" if soon else "OK")

    def _ongoing(self, now: float) -> Answer:
        assert self._asked_contract_since is not None
        if now - self._asked_contract_since >= ONGOING_S:
            return self.failed(_NAME, "FAILED", f"no authorization of the contract within {ONGOING_S:g} s")
        return self.ok(m.AuthorizationRes, EVSEProcessing=processingType.Ongoing)
