"""The authorization of an HLC session: external identification, Plug and Charge, Autocharge."""

from __future__ import annotations

from enum import Enum
from typing import Any

from chargebyte_fw.contracts.interfaces.auth_token_provider import AuthTokenProvider
from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.types.authorization import (
    AuthorizationStatus,
    AuthorizationType,
    CertificateStatus,
    IdToken,
    IdTokenType,
    ProvidedIdToken,
)
from chargebyte_fw.kernel.effects import call, publish
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.evse.config import EvseConfig
from chargebyte_fw.modules.evse.machine.events import (
    Authorized,
    Charging,
    ContractRejected,
    ContractWanted,
    EimWanted,
    EvccId,
    Withdrawn,
)
from chargebyte_fw.modules.evse.machine.signals import (
    BeginSession,
    CarUnplugged,
    EvProven,
    PlugWatched,
    StateEntered,
    TransactionChanged,
)

Effects = list[Any]
STEPS = (Charging.TStepEF, Charging.TStepX1)
FREE_SERVICE = ProvidedIdToken(
    id_token=IdToken(value="FREESERVICE", type=IdTokenType.Local),
    authorization_type=AuthorizationType.RFID,
    prevalidated=True,
)
"""The token of a session with `disable_authentication` (EVerest, module EvseManager)."""
NO_ADDRESS = "00:00:00:00:00:00"
"""What several makes of car and simulation report in place of an address: it identifies none of them."""


def autocharge_token(mac: str, connector_id: int) -> ProvidedIdToken:
    """Make the token of an EV from its MAC address."""
    return ProvidedIdToken(
        id_token=IdToken(value="VID:" + mac.replace(":", "").upper(), type=IdTokenType.MacAddress),
        authorization_type=AuthorizationType.Autocharge,
        connectors=[connector_id],
    )


class Question(Enum):
    """What HLC waits to be answered."""

    Nothing = "nothing"
    External = "external identification"
    Contract = "contract"
    """The contract of Plug and Charge is being validated."""


OPEN = (Question.External, Question.Contract)


class HlcAuthorization(Machine):
    """Answers HLC's question who pays: whichever of question and authorization came first.

    An answer needs an authorization, a running transaction, and an EV about which there is no doubt.
    """

    initial = Question.Nothing

    def __init__(self, config: EvseConfig, *, hlc: bool) -> None:
        super().__init__()
        self._config = config
        self._hlc = hlc
        self._mac: str | None = None
        self._charging = Charging.Idle
        self._authorized: Authorized | None = None
        self._transaction = False
        self._doubt = False
        """Another EV may have been plugged in: what the session's EV was granted is not granted to this one yet."""

    @on(*Question, event=EimWanted, to=(Question.External, Question.Nothing))
    def eim_wanted(self, _: EimWanted, now: float) -> Effects:
        """HLC wants an external identification; with Autocharge the EV's address is offered as one."""
        self.enter(Question.External)
        if self._authorized is None and self._config.enable_autocharge and self._mac not in (None, NO_ADDRESS):
            token = autocharge_token(str(self._mac), self._config.connector_id)
            return [publish(AuthTokenProvider.provided_token, token)]
        return self._confirm()

    @on(*Question, event=ContractWanted, to=(Question.Contract, Question.Nothing))
    def contract_wanted(self, event: ContractWanted, now: float) -> Effects:
        """HLC wants the EV's contract validated."""
        self.enter(Question.Contract)
        if self._authorized is not None and self._authorized.contract:
            return self._confirm()
        token = event.token
        token.connectors = [self._config.connector_id]
        return [publish(AuthTokenProvider.provided_token, token)]

    @on(Question.Contract, event=ContractRejected, to=Question.Nothing)
    def contract_rejected(self, event: ContractRejected, now: float) -> Effects:
        """The validator did not accept the contract."""
        return self.enter(Question.Nothing, *self._answer(event.status, event.certificate))

    @on(Question.Nothing, Question.External, event=ContractRejected)
    def rejected_late(self, _: ContractRejected, now: float) -> None:
        """HLC does not wait for it any more."""

    @on(*Question, event=EvccId)
    def evcc_id(self, event: EvccId, now: float) -> None:
        """Keep the EV's address for Autocharge."""
        self._mac = event.mac

    @on(*Question, event=Authorized, to=Question.Nothing)
    def authorized(self, event: Authorized, now: float) -> Effects:
        """Keep the first authorization of the session, and only a contract's while one is validated."""
        if self._authorized is None and (event.contract or self.state is not Question.Contract):
            self._authorized = event
        return self._confirm()

    @on(*Question, event=TransactionChanged, to=Question.Nothing)
    def transaction(self, event: TransactionChanged, now: float) -> Effects:
        """An authorization holds for one transaction."""
        self._transaction = event.active
        if not event.active:
            self._authorized = None
        return self._confirm()

    @on(*Question, event=StateEntered, to=Question.Nothing)
    def state_is(self, event: StateEntered, now: float) -> Effects:
        """Between two sessions no question is open."""
        self._charging = event.state
        if event.state in (Charging.Idle, Charging.Disabled) and not self._transaction:
            self._doubt, self._authorized = False, None
            return self.enter(Question.Nothing)
        return self._confirm()

    @on(*Question, event=PlugWatched, to=Question.Nothing)
    def watched(self, event: PlugWatched, now: float) -> Effects:
        """After the pilot hid the plug, the EV asks anew, and proves itself first."""
        if not event.doubt:
            return []
        self._doubt = self._transaction or self._authorized is not None
        self._mac = None
        return self.enter(Question.Nothing)

    @on(*Question, event=EvProven, to=Question.Nothing)
    def proven(self, _: EvProven, now: float) -> Effects:
        """The EV is the one of this session."""
        self._doubt = False
        return self._confirm()

    @on(*Question, event=Withdrawn, to=Question.Nothing)
    def withdrawn(self, _: Withdrawn, now: float) -> Effects:
        """Without a transaction the authorization ends; an open question that had none is answered by a refusal."""
        if self._transaction:
            return []
        was, self._authorized = self._authorized, None
        if was is not None or self.state not in OPEN:
            return []
        refused = self._answer(AuthorizationStatus.Unknown, CertificateStatus.NoCertificateAvailable)
        return self.enter(Question.Nothing, *refused)

    @on(*Question, event=BeginSession)
    def free_service(self, event: BeginSession, now: float) -> Effects:
        """Authorize each session that begins by plug-in: with `disable_authentication` no Auth is connected."""
        return [Authorized(FREE_SERVICE)] if self._config.disable_authentication and event.token is None else []

    @on(*Question, event=CarUnplugged, to=Question.Nothing)
    def unplugged(self, _: CarUnplugged, now: float) -> Effects:
        """The EV's question and address are gone with it."""
        self._mac = None
        return self.enter(Question.Nothing)

    def _confirm(self) -> Effects:
        """Answer an open question once a transaction runs."""
        authorized = self._authorized
        if authorized is None or not self._transaction or self._doubt or self.state not in OPEN:
            return []
        if authorized.contract is not (self.state is Question.Contract):
            return []
        certificate = CertificateStatus.Accepted
        if self.state is Question.External:
            certificate = CertificateStatus.NoCertificateAvailable
            if self._config.dbg_hlc_auth_after_tstep and self._charging in (*STEPS, Charging.WaitingForAuthentication):
                return []
        return self.enter(Question.Nothing, *self._answer(AuthorizationStatus.Accepted, certificate))

    def _answer(self, status: AuthorizationStatus, certificate: CertificateStatus) -> Effects:
        return [call(Iso15118Charger.authorization_response, status, certificate)] if self._hlc else []
