"""Setup: name, mode and language of a unit, on MQTT for the first start (`everest_api/setup/...`)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from chargebyte_fw.contracts.interfaces.kvs import Kvs
from chargebyte_fw.kernel.decoding import SIZE_LIMIT_BYTES, decode_json
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.files import read_regular
from chargebyte_fw.kernel.module import Module, ModuleConfig, requires
from chargebyte_fw.kernel.rate_limited_log import RateLimitedLog

PREFIX = "everest_api/setup/"
HOSTNAME_S = 5.0
APPLICATION_S = 1.0
WAITING_LIMIT = 20
"""Commands that may be under way at a time."""
DEFAULT_LANGUAGE = "everest_localization_default_language"
MODE = "everest_mode"
INITIALIZED = "everest_initialized"
NETWORK_COMMANDS = (
    "scan_wifi",
    "enable_wifi_scanning",
    "disable_wifi_scanning",
    "rfkill_unblock",
    "rfkill_block",
    "list_configured_networks",
    "add_network",
    "enable_network",
    "disable_network",
    "select_network",
    "remove_network",
    "remove_all_networks",
    "enable_ap",
    "disable_ap",
    "check_online_status",
    "reboot",
)
"""Commands of EVerest's module for the network: here the image's own services have it (`docs/image.md`)."""


class SetupConfig(ModuleConfig):
    """What the unit lets a person set up."""

    setup_wifi: Annotated[bool, Meta(description="Offer Wi-Fi; refused, the image's services have the network.")] = (
        False
    )
    localization: Annotated[bool, Meta(description="Offer languages.")] = False
    setup_simulation: Annotated[bool, Meta(description="Offer the mode of a simulation.")] = False
    online_check_host: Annotated[str, Meta(description="Host of the check for internet access (no effect).")] = (
        "lfenergy.org"
    )
    initialized_by_default: Annotated[bool, Meta(description="Whether a new unit counts as set up.")] = True
    release_metadata_file: Annotated[str, Meta(description="File with the release, JSON.")] = "release.json"
    ap_interface: Annotated[str, Meta(description="Interface of an access point (no effect).")] = "wlan0"
    ap_ipv4: Annotated[str, Meta(description="Address of an access point (no effect).")] = "192.168.1.1/24"


class Setup(Module):
    """Publishes name, mode and language of the unit and sets them; the network is the image's."""

    Config = SetupConfig
    enable_external_mqtt = True
    group = "cloud"

    config: SetupConfig
    store = requires(Kvs)

    async def init(self) -> None:
        """Listen for commands."""
        self._refused = RateLimitedLog(self.log)
        self._waiting = 0
        self._language = ""
        self._application: dict[str, Any] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        commands: dict[str, Callable[[str], Awaitable[None]]] = {
            "set_mode": partial(self._set, MODE),
            "set_initialized": lambda _: self.store.store(INITIALIZED, True),
            "reset_initialized": lambda _: self.store.store(INITIALIZED, False),
            "change_default_language": partial(self._set, DEFAULT_LANGUAGE),
            "change_current_language": self._change_language,
            "get_application_info": lambda _: self._read(),
        }
        subscribe = self.runtime.mqtt.subscribe
        self._stops = [
            subscribe(f"{PREFIX}cmd/{name}", partial(self._on_command, name, command))
            for name, command in commands.items()
        ]
        self._stops += [subscribe(f"{PREFIX}cmd/{name}", partial(self._refuse, name)) for name in NETWORK_COMMANDS]

    async def ready(self) -> None:
        """Begin to publish."""
        features = {
            "setup_wifi": False,
            "localization": self.config.localization,
            "setup_simulation": self.config.setup_simulation,
        }
        self._publish("supported_setup_features", features)
        self._every(HOSTNAME_S, "hostname", lambda: self.runtime.mqtt.publish(f"{PREFIX}var/hostname", _hostname()))
        self.spawn(self._begin(), "application")

    async def stop(self) -> None:
        """Publish nothing more."""
        for stop in self._stops:
            stop()
        for timer in self._timers.values():
            timer.cancel()
        self._refused.close()

    async def _begin(self) -> None:
        await self._read()
        self._every(APPLICATION_S, "application", lambda: self._publish("application_info", self._application))

    def _every(self, period_s: float, name: str, publish: Callable[[], None]) -> None:
        publish()
        self._timers[name] = self.after(period_s, partial(self._every, period_s, name, publish))

    def _publish(self, name: str, value: Any) -> None:
        self.runtime.mqtt.publish(f"{PREFIX}var/{name}", msgspec.json.encode(value).decode())

    # The commands.

    def _refuse(self, name: str, topic: str, payload: str) -> None:
        self._refused.write("%s is refused: the image's services have network and power", name)

    def _on_command(self, name: str, command: Callable[[str], Awaitable[None]], topic: str, payload: str) -> None:
        async def carry_out() -> None:
            try:
                await command(payload)
            except CommandError as error:
                self._refused.write("%s failed: %s", name, error)
            finally:
                self._waiting -= 1

        if self._waiting >= WAITING_LIMIT:
            self._refused.write("%s is refused: %d commands are under way", name, WAITING_LIMIT)
            return
        self._waiting += 1
        self.spawn(carry_out(), name)

    async def _set(self, key: str, text: str) -> None:
        await self.store.store(key, text[:100])
        await self._read()

    async def _change_language(self, text: str) -> None:
        self._language = text[:100]
        await self._read()

    async def _read(self) -> None:
        try:
            default = await self.store.load(DEFAULT_LANGUAGE)
            mode = await self.store.load(MODE)
            initialized = await self.store.load(INITIALIZED)
        except CommandError as error:
            self._refused.write("the store does not answer: %s", error)
            default = mode = initialized = None
        if not isinstance(initialized, bool):
            initialized = self.config.initialized_by_default
        language = default if isinstance(default, str) and default else "en"
        self._application = {
            "initialized": initialized,
            "mode": mode if isinstance(mode, str) and mode else "private",
            "default_language": language,
            "current_language": self._language or language,
            "release_metadata": self._release(),
        }

    def _release(self) -> dict[str, Any]:
        try:
            found = decode_json(
                read_regular(self.runtime.root.read(self.config.release_metadata_file), SIZE_LIMIT_BYTES)
            )
        except (OSError, msgspec.DecodeError):
            return {}
        return found if isinstance(found, dict) else {}


def _hostname() -> str:
    return socket.gethostname()
