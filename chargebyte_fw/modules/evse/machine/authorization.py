"""The hand-shake between HLC and whoever authorizes: external identification, Plug and Charge, Autocharge."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.contracts.types.authorization import (
    AuthorizationStatus,
    AuthorizationType,
    CertificateStatus,
    IdToken,
    IdTokenType,
    ProvidedIdToken,
)
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.evse.config import EvseConfig
from chargebyte_fw.modules.evse.machine.effects import Call, OfferToken
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
    StateIs,
    TransactionIs,
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
"""What several makes of car and simulation say in place of an address: it identifies none of them."""


def autocharge_token(mac: str, connector_id: int) -> ProvidedIdToken:
    """Make the token of an EV from its MAC address."""
    return ProvidedIdToken(
        id_token=IdToken(value="VID:" + mac.replace(":", "").upper(), type=IdTokenType.MacAddress),
        authorization_type=AuthorizationType.Autocharge,
        connectors=[connector_id],
    )


class HlcAuthorization(Machine):
    """Answers HLC's question who pays: whichever of question and authorization came first."""

    def __init__(self, config: EvseConfig, *, hlc: bool) -> None:
        super().__init__(Charging.Idle)
        self._config = config
        self._hlc = hlc
        self._mac: str | None = None
        self._reset()

    def _reset(self) -> None:
        self._waiting_eim = False
        self._waiting_contract = False
        self._authorized: Authorized | None = None
        self._transaction = False
        self._doubt = False
        """Another EV may have been plugged in: what the session's EV was granted is not granted to this one yet."""

    @property
    def waiting_for_contract(self) -> bool:
        """Whether the EV's contract is being looked at."""
        return self._waiting_contract

    def _respond(self, status: AuthorizationStatus, certificate: CertificateStatus) -> Effects:
        return [Call("hlc", "authorization_response", (status, certificate))] if self._hlc else []

    def _look(self) -> Effects:
        """Confirm once a transaction runs."""
        if self._authorized is None or not self._transaction or self._doubt:
            return []
        if self._waiting_contract and self._authorized.contract:
            self._waiting_contract = False
            return self._respond(AuthorizationStatus.Accepted, CertificateStatus.Accepted)
        if self._waiting_eim and not self._authorized.contract:
            if self._config.dbg_hlc_auth_after_tstep and self.state in (*STEPS, Charging.WaitingForAuthentication):
                return []
            self._waiting_eim = False
            return self._respond(AuthorizationStatus.Accepted, CertificateStatus.NoCertificateAvailable)
        return []

    @on(event=EimWanted)
    def eim_wanted(self, _: EimWanted, now: float) -> Effects:
        self._waiting_eim = True
        effects: Effects = []
        if self._authorized is None and self._config.enable_autocharge and self._mac not in (None, NO_ADDRESS):
            effects.append(OfferToken(autocharge_token(str(self._mac), self._config.connector_id)))
        return effects + self._look()

    @on(event=ContractWanted)
    def contract_wanted(self, event: ContractWanted, now: float) -> Effects:
        self._waiting_contract = True
        if self._authorized is not None and self._authorized.contract:
            return self._look()
        token = event.token
        token.connectors = [self._config.connector_id]
        return [OfferToken(token)]

    @on(event=ContractRejected)
    def contract_rejected(self, event: ContractRejected, now: float) -> Effects:
        if not self._waiting_contract:
            return []
        self._waiting_contract = False
        return self._respond(event.status, event.certificate)

    @on(event=EvccId)
    def evcc_id(self, event: EvccId, now: float) -> Effects:
        self._mac = event.mac
        return []

    @on(event=Authorized)
    def authorized(self, event: Authorized, now: float) -> Effects:
        if self._authorized is None and not (self._waiting_contract and not event.contract):
            self._authorized = event
        return self._look()

    @on(event=TransactionIs)
    def transaction(self, event: TransactionIs, now: float) -> Effects:
        self._transaction = event.active
        if not event.active:
            self._authorized = None
        return self._look()

    @on(event=StateIs)
    def state_is(self, event: StateIs, now: float) -> Effects:
        self.state = event.state
        if event.state in (Charging.Idle, Charging.Disabled) and not self._transaction:
            self._doubt = False
            self._waiting_eim = self._waiting_contract = False
            self._authorized = None
        return self._look()

    @on(event=PlugWatched)
    def watched(self, event: PlugWatched, now: float) -> Effects:
        if event.doubt:
            self._doubt = self._transaction or self._authorized is not None
            self._waiting_eim = self._waiting_contract = False
            self._mac = None
        return []

    @on(event=EvProven)
    def proven(self, _: EvProven, now: float) -> Effects:
        self._doubt = False
        return self._look()

    @on(event=Withdrawn)
    def withdrawn(self, _: Withdrawn, now: float) -> Effects:
        if self._transaction:
            return []
        was, self._authorized = self._authorized, None
        if was is None and (self._waiting_eim or self._waiting_contract):
            self._waiting_eim = self._waiting_contract = False
            return self._respond(AuthorizationStatus.Unknown, CertificateStatus.NoCertificateAvailable)
        return []

    @on(event=BeginSession)
    def free_service(self, event: BeginSession, now: float) -> Effects:
        """Authorize each session that begins by plug-in: with `disable_authentication` no Auth is connected."""
        return [Authorized(FREE_SERVICE)] if self._config.disable_authentication and event.token is None else []

    @on(event=CarUnplugged)
    def unplugged(self, _: CarUnplugged, now: float) -> Effects:
        self._waiting_eim = self._waiting_contract = False
        self._mac = None
        return []
