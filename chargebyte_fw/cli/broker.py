"""The broker that a subcommand looks at, and how long it waits for it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chargebyte_fw.manager.mqtt.client import MqttClient

CONNECT_LIMIT_S = 5.0


def add_broker(parser: argparse.ArgumentParser) -> None:
    """Add `--broker` and `--prefix`."""
    parser.add_argument(
        "--broker", metavar="URL", help="mqtt://HOST:PORT or unix:///PATH (default: the one of this machine)"
    )
    parser.add_argument(
        "--prefix", default="everest/", metavar="TOPIC", help="topic prefix of EVerest's modules (default: everest/)"
    )


def prefix_of(arguments: argparse.Namespace) -> str:
    """Return the prefix with the slash at its end that EVerest gives it."""
    given: str = arguments.prefix
    return given if given.endswith("/") or not given else f"{given}/"


def client_of(arguments: argparse.Namespace) -> MqttClient:
    """Return a client of the broker that is meant; raises ConfigError for an address that is none."""
    import os

    from chargebyte_fw.kernel.errors import ConfigError, Finding
    from chargebyte_fw.kernel.extras import require
    from chargebyte_fw.kernel.log import ModuleLog
    from chargebyte_fw.kernel.paths import root_at
    from chargebyte_fw.manager.mqtt.address import parse_address, usual
    from chargebyte_fw.manager.mqtt.client import MqttClient

    require("paho")
    ModuleLog("mqtt").logger.setLevel("ERROR")
    named = arguments.broker
    if named is None and (host := os.environ.get("MQTT_SERVER_ADDRESS")):
        named = f"mqtt://{host}:{os.environ.get('MQTT_SERVER_PORT', '1883')}"
    if named is None:
        return MqttClient(usual(root_at(arguments.root)))
    try:
        return MqttClient(parse_address(named))
    except ValueError as error:
        raise ConfigError([Finding("--broker", str(error))]) from error


async def connect(client: MqttClient) -> None:
    """Connect; raises Unavailable if there is no broker within 5 s."""
    import asyncio

    from chargebyte_fw.kernel.errors import Unavailable

    there = asyncio.Event()
    client.on_up.append(there.set)
    client.start()
    try:
        async with asyncio.timeout(CONNECT_LIMIT_S):
            await there.wait()
    except TimeoutError:
        await client.stop()
        raise Unavailable(f"there is no MQTT broker at {client.address} (name another with --broker)") from None
