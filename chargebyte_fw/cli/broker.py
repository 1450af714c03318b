"""The broker that a subcommand uses: which one is meant, and how long to wait for it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chargebyte_fw.kernel.paths import Root
    from chargebyte_fw.manager.configuration.settings import Settings
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


def client_of(root: Root, given: str | None, settings: Settings | None = None) -> MqttClient:
    """Return a client of the broker that the command line names, else the configuration or environment, else the usual.

    `given` is `--broker`, `settings` are those of the configuration. Raises ConfigError for an address that is none.
    """
    import os

    from chargebyte_fw.kernel.errors import ConfigError, Finding
    from chargebyte_fw.kernel.extras import require
    from chargebyte_fw.manager.configuration.report import Report
    from chargebyte_fw.manager.configuration.settings import read_settings
    from chargebyte_fw.manager.mqtt.address import BrokerAddress, parse_address, usual
    from chargebyte_fw.manager.mqtt.client import MqttClient

    require("paho")
    if given is not None:
        try:
            return MqttClient(parse_address(given))
        except ValueError as error:
            raise ConfigError([Finding("--broker", str(error))]) from error
    settings = settings or read_settings(None, os.environ, Report())
    if settings.broker_named:
        return MqttClient(BrokerAddress(settings.broker_host, settings.broker_port, settings.broker_socket))
    return MqttClient(usual(root), lambda: usual(root))


def watching_client(arguments: argparse.Namespace) -> MqttClient:
    """Return the client of a subcommand that looks at a running charger; it logs errors alone."""
    from chargebyte_fw.kernel.log import ModuleLog
    from chargebyte_fw.kernel.paths import root_at

    ModuleLog("mqtt").logger.setLevel("ERROR")
    return client_of(root_at(arguments.root), arguments.broker)


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
