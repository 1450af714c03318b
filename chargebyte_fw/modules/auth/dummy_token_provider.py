"""DummyTokenProvider: publishes the same token whenever an EV is plugged in (free charging, tests)."""

from __future__ import annotations

import asyncio
from typing import Annotated

from msgspec import Meta

from chargebyte_fw.contracts.interfaces.auth_token_provider import AuthTokenProvider
from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.types.authorization import AuthorizationType, IdToken, IdTokenType, ProvidedIdToken
from chargebyte_fw.contracts.types.evse_manager import SessionEvent, SessionEventEnum, StartSessionReason
from chargebyte_fw.kernel.module import Module, ModuleConfig, provides, requires

ID_TYPES = {
    AuthorizationType.OCPP: IdTokenType.Central,
    AuthorizationType.RFID: IdTokenType.ISO14443,
    AuthorizationType.Autocharge: IdTokenType.MacAddress,
    AuthorizationType.PlugAndCharge: IdTokenType.eMAID,
    AuthorizationType.BankCard: IdTokenType.Local,
}
NO_LONGER_WANTED = (
    SessionEventEnum.Authorized,
    SessionEventEnum.TransactionStarted,
    SessionEventEnum.TransactionFinished,
    SessionEventEnum.SessionFinished,
    SessionEventEnum.PluginTimeout,
)


class TokenConfig(ModuleConfig):
    """The token."""

    token: Annotated[
        str, Meta(min_length=1, max_length=20, description="Identifier of the token and of its group.")
    ] = "DEADBEEF"
    type: Annotated[AuthorizationType, Meta(description="How the token is presented.")] = AuthorizationType.RFID
    timeout: Annotated[
        float,
        Meta(
            ge=0,
            le=120,
            description="Time after which the token is presented again to a car that still waits, in s; 0: never.",
        ),
    ] = 10.0
    connector_id: Annotated[int, Meta(ge=0, description="The EVSE that the token is for; 0: any.")] = 0


class Tokens(AuthTokenProvider):
    """The token."""

    config: TokenConfig


class DummyTokenProvider(Module):
    """Presents a configured token when a session begins."""

    main = provides(Tokens, config=TokenConfig, description="The token.")
    evse = requires(EvseManager)

    async def init(self) -> None:
        """Subscribe to the session events of the EVSE."""
        self._again: asyncio.TimerHandle | None = None
        self.evse.session_event.subscribe(self._on_session_event)

    async def stop(self) -> None:
        """Present nothing more."""
        self._stop_repeating()

    def _on_session_event(self, event: SessionEvent) -> None:
        if event.event in NO_LONGER_WANTED:
            self._stop_repeating()
        elif event.event is SessionEventEnum.SessionStarted and event.session_started is not None:
            self._stop_repeating()
            if event.session_started.reason is StartSessionReason.EVConnected:
                self._present()

    def _present(self) -> None:
        config: TokenConfig = self.main.config
        identifier = IdToken(value=config.token, type=ID_TYPES[config.type])
        self.main.provided_token.publish(
            ProvidedIdToken(
                id_token=identifier,
                parent_id_token=identifier,
                authorization_type=config.type,
                connectors=[config.connector_id] if config.connector_id else None,
            )
        )
        self._again = self.after(config.timeout, self._present) if config.timeout else None

    def _stop_repeating(self) -> None:
        if self._again is not None:
            self._again.cancel()
