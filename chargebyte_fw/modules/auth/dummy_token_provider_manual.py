"""DummyTokenProviderManual: presents the tokens that a test or a person sends by MQTT."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from chargebyte_fw.contracts.interfaces.auth_token_provider import AuthTokenProvider
from chargebyte_fw.contracts.types.authorization import ProvidedIdToken
from chargebyte_fw.kernel.decoding import decode_json
from chargebyte_fw.kernel.module import Module, ModuleConfig, provides
from chargebyte_fw.kernel.rate_limited_log import RateLimitedLog


class ManualConfig(ModuleConfig):
    """Where the tokens come from."""

    mqtt_topic: Annotated[
        str, Meta(description="Topic of the tokens; empty: `everest_api/<module id>/cmd/provide`.")
    ] = ""
    token: Annotated[str, Meta(description="Of older configurations (no effect).")] = ""
    type: Annotated[str, Meta(description="Of older configurations (no effect).")] = ""


class ManualTokens(AuthTokenProvider):
    """The tokens."""

    config: ManualConfig


class DummyTokenProviderManual(Module):
    """Presents each token (a `ProvidedIdToken` in JSON) that is sent to its topic."""

    enable_external_mqtt = True
    main = provides(ManualTokens, config=ManualConfig, description="The tokens.")

    async def init(self) -> None:
        """Listen for tokens."""
        self._refused = RateLimitedLog(self.log)
        topic = self.main.config.mqtt_topic or f"everest_api/{self.id}/cmd/provide"
        self._unsubscribe = self.runtime.mqtt.subscribe(topic, self._on_token)

    async def stop(self) -> None:
        """Present nothing more."""
        self._unsubscribe()
        self._refused.close()

    def _on_token(self, topic: str, payload: str) -> None:
        try:
            token = decode_json(payload, ProvidedIdToken)
        except msgspec.DecodeError as error:
            self._refused.write("%s: no token: %s", topic, error)
            return
        self.main.provided_token.publish(token)
