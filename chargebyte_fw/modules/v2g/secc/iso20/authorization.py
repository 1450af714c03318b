"""ISO 15118-20, AuthorizationSetup and Authorization (clause 8.3.4.3), by external means or by contract."""

from __future__ import annotations

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.modules.v2g.messages import iso20_common as m
from chargebyte_fw.modules.v2g.messages.iso20_contracts import (
    EIM_ASResAuthorizationModeType,
    PnC_ASResAuthorizationModeType,
)
from chargebyte_fw.modules.v2g.messages.iso20_types import processingType
from chargebyte_fw.modules.v2g.secc.iso20.base import Iso20Base
from chargebyte_fw.modules.v2g.secc.iso20.sequence import State
from chargebyte_fw.modules.v2g.secc.iso20.timing import EIM_AUTHORIZATION_S
from chargebyte_fw.modules.v2g.secc.protocol import Answer, SessionContext

_NAME = "AuthorizationReq"
_Kind = m.authorizationType
CHALLENGE_BYTES = 16


class Authorization(Iso20Base):
    """Who pays."""

    def __init__(self, context: SessionContext) -> None:
        super().__init__(context)
        self.challenge = b""
        """What the car signs with its contract; empty where none was offered."""
        self._offered: list[m.authorizationType] = []
        """What this car was offered: later changes are for the next one."""
        self._asked_since: float | None = None
        """Since when an authorization by external means is waited for."""

    def offered_kinds(self) -> list[m.authorizationType]:
        """Return the authorization services of this connection: a contract needs TLS."""
        options, kinds = self.facts.payment_options, []
        if iso15118.PaymentOption.ExternalPayment in options:
            kinds.append(_Kind.EIM)
        if iso15118.PaymentOption.Contract in options and self.context.security.tls_version:
            kinds.append(_Kind.PnC)
        return kinds

    @property
    def offers_certificates(self) -> bool:
        """Whether cars may get a contract on this connection."""
        return self.facts.certificate_service and _Kind.PnC in self.offered_kinds()

    # -- AuthorizationSetup

    def on_AuthorizationSetupReq(self, request: m.AuthorizationSetupReq, now: float) -> Answer:
        """Offer the authorization services, and the challenge for a contract."""
        kinds = self.offered_kinds()
        if not kinds:
            return self.failed("AuthorizationSetupReq", "FAILED", "only contracts are taken, and they need TLS")
        self._offered = kinds
        self.enter(State.AUTHORIZATION)
        if _Kind.PnC not in kinds:
            self._ask_external(now)
            return self.ok(
                m.AuthorizationSetupRes,
                AuthorizationServices=kinds,
                CertificateInstallationService=False,
                EIM_ASResAuthorizationMode=EIM_ASResAuthorizationModeType(),
            )
        self.challenge = self.environment.random_bytes(CHALLENGE_BYTES)  # [V2G20-698]
        return self.ok(
            m.AuthorizationSetupRes,
            AuthorizationServices=kinds,
            CertificateInstallationService=self.offers_certificates,
            PnC_ASResAuthorizationMode=PnC_ASResAuthorizationModeType(GenChallenge=self.challenge),
        )

    def _ask_external(self, now: float) -> None:
        if self._asked_since is not None:
            return
        self._asked_since = now
        self.publish(Iso15118Charger.selected_payment_option, iso15118.PaymentOption.ExternalPayment)
        self.publish(Iso15118Charger.require_auth_eim, None)
        if self.facts.session.authorized is None:
            self.log("waiting for authorization")

    # -- Authorization

    def on_AuthorizationReq(self, request: m.AuthorizationReq, now: float) -> Answer:
        """Answer Ongoing until it is decided; a refusal lets the car try another way."""
        wanted = request.SelectedAuthorizationService
        if wanted not in self._offered:
            return self.warning("WARNING_AuthorizationSelectionInvalid", f"{wanted} is not offered")
        if wanted is _Kind.PnC:
            return self.by_contract(request, now)
        return self._by_external_means(now)

    def _by_external_means(self, now: float) -> Answer:
        self._ask_external(now)
        assert self._asked_since is not None
        facts = self.facts.session
        if facts.authorized is None:
            if now - self._asked_since >= EIM_AUTHORIZATION_S:
                return self.failed(_NAME, "FAILED", f"no authorization within {EIM_AUTHORIZATION_S:g} s")
            # Without this kind of Ongoing a car gives up after 60 s.
            waiting = processingType.Ongoing_WaitingForCustomerInteraction
            return self.ok(m.AuthorizationRes, EVSEProcessing=waiting)
        self._asked_since = None
        if not facts.authorized:
            facts.authorized = None
            return self.warning("WARNING_EIMAuthorizationFailure", "authorization was refused")
        return self.authorized()

    def by_contract(self, request: m.AuthorizationReq, now: float) -> Answer:
        """Check the contract, the challenge and the signature, and ask for the authorization."""
        raise NotImplementedError

    def authorized(self, code: str = "OK") -> Answer:
        """Go on to the services."""
        self.enter(State.SERVICE_DISCOVERY)
        self.log("authorized")
        return self.ok(m.AuthorizationRes, code, EVSEProcessing=processingType.Finished)

    def warning(self, code: str, why: str) -> Answer:
        """Answer that it is decided, and how: the car may try another way."""
        answer = self.ok(m.AuthorizationRes, code, EVSEProcessing=processingType.Finished)
        answer.log = f"{_NAME}: {code} ({why})"
        return answer
