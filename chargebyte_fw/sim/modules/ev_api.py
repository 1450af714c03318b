"""`EvAPI` of EVerest: what simulated cars see, on MQTT for integrators (`everest_api/<id>/var/...`)."""

from __future__ import annotations

import asyncio
from functools import partial

import msgspec

from chargebyte_fw.contracts.interfaces.ev_manager import EvManager
from chargebyte_fw.contracts.types.board_support_common import BspEvent
from chargebyte_fw.contracts.types.evse_manager import EVInfo
from chargebyte_fw.kernel.clock import rfc3339, utc_now
from chargebyte_fw.kernel.module import Module, requires_many

PREFIX = "everest_api"
PERIOD_S = 1.0


class EvAPI(Module):
    """Publishes the state of every simulated car on MQTT, once a second and on change."""

    enable_external_mqtt = True
    group = "cloud"

    ev_manager = requires_many(EvManager, 1)

    async def init(self) -> None:
        """Follow every car."""
        self._timer: asyncio.TimerHandle | None = None
        self._states: dict[str, str] = {}
        for one in self.ev_manager:
            self._states[one.module_id] = "Unknown"
            one.ev_info.subscribe(partial(self._on_info, one.module_id))
            one.bsp_event.subscribe(partial(self._on_event, one.module_id))

    async def ready(self) -> None:
        """Begin to publish."""
        self._tick()

    async def stop(self) -> None:
        """Publish nothing more."""
        if self._timer is not None:
            self._timer.cancel()

    def _tick(self) -> None:
        self._timer = self.after(PERIOD_S, self._tick)
        self.runtime.mqtt.publish(f"{PREFIX}/ev_connectors", _json(list(self._states)))
        for ev in self._states:
            self.runtime.mqtt.publish(f"{PREFIX}/{ev}/var/datetime", rfc3339(utc_now()))
            self._publish_session(ev)

    def _on_info(self, ev: str, info: EVInfo) -> None:
        self.runtime.mqtt.publish(f"{PREFIX}/{ev}/var/ev_info", _json(info))

    def _on_event(self, ev: str, event: BspEvent) -> None:
        self._states[ev] = event.event.value
        self._publish_session(ev)

    def _publish_session(self, ev: str) -> None:
        state = {"state": self._states[ev], "datetime": rfc3339(utc_now())}
        self.runtime.mqtt.publish(f"{PREFIX}/{ev}/var/session_info", _json(state))


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
