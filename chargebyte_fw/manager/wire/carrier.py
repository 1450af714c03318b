"""What a module in another process needs: the MQTT client, the prefixes, EVerest's directories and settings."""

from __future__ import annotations

import asyncio

import msgspec

from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.manager.mqtt.client import MqttClient
from chargebyte_fw.manager.watched_process import PROGRAM_MEMORY_MB
from chargebyte_fw.manager.wire.dialect import Dialect

LOGGING_FILE = "/etc/everest/default_logging.cfg"


class Carrier(msgspec.Struct, frozen=True):
    """MQTT client, prefixes, directories and settings for foreign modules."""

    client: MqttClient
    prefix: str
    external_prefix: str = ""
    everest_root: str = "/usr"
    """EVerest's `--prefix`."""
    logging_file: str = LOGGING_FILE
    dialect: Dialect = Dialect.V2026_10
    """Of what is published without being asked for; an answer has the dialect of its question."""
    telemetry_prefix: str = "everest-telemetry/"
    telemetry_enabled: bool = False
    validate_schema: bool = False
    forward_exceptions: bool = False
    graceful_shutdown: bool = False
    """Ask programs to end by EVerest's message before they get SIGTERM."""
    program_memory_MB: int = PROGRAM_MEMORY_MB
    """What each program may take."""
    run_as_user: str = ""
    """Under whose name programs run; empty: that of this process."""
    root: Root | None = None
    """Where absolute paths of the configuration are, unless that is `/`."""

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
