"""What a module in another process needs: the MQTT client, the prefixes, EVerest's directories."""

from __future__ import annotations

import asyncio

import msgspec

from chargebyte_fw.manager.mqtt.client import MqttClient


class Carrier(msgspec.Struct, frozen=True):
    """MQTT client, prefixes and directories for foreign modules."""

    client: MqttClient
    prefix: str
    external_prefix: str = ""
    everest_root: str = "/usr"
    """EVerest's `--prefix`."""
    logging_file: str = "/etc/everest/default_logging.cfg"

    async def online(self) -> None:
        """Wait until the broker is there."""
        if self.client.online:
            return
        came = asyncio.Event()
        self.client.on_up.append(came.set)
        try:
            await came.wait()
        finally:
            self.client.on_up.remove(came.set)
