"""`ManagerLifecycleSimulator` of EVerest: a module that ends, or does not end, when its MQTT topics ask for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.module import Module


class ManagerLifecycleSimulator(Module):
    """Ends by itself, or does not stop, on `everest_api/<id>/cmd/exit` and `.../block`: for tests of a manager."""

    enable_external_mqtt = True
    _stops: list[Callable[[], None]]
    _blocks: bool

    async def init(self) -> None:
        """Wait for the commands."""
        self._blocks = False
        subscribe, at = self.runtime.mqtt.subscribe, f"everest_api/{self.id}/cmd"
        self._stops = [subscribe(f"{at}/exit", self._exit), subscribe(f"{at}/block", self._block)]

    async def stop(self) -> None:
        """Stop, unless it was asked not to."""
        for stop in self._stops:
            stop()
        if self._blocks:
            await asyncio.Event().wait()

    def _exit(self, _topic: str, payload: str) -> None:
        self.crash(Unavailable(f"it was asked to end with the status {payload[:10]}"))

    def _block(self, _topic: str, _payload: str) -> None:
        self._blocks = True
