"""A process for one module of ours under a manager of EVerest, from its arguments to a signal (framework: 3.2, 3.9)."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from chargebyte_fw.kernel.decoding import decode_json
from chargebyte_fw.kernel.errors import ConfigError, Finding, Unavailable
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.module import Module
from chargebyte_fw.kernel.paths import PrefixRoot, Root
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager.discovery import discover
from chargebyte_fw.manager.member import ManagerOnWire, Member
from chargebyte_fw.manager.mqtt.address import DEFAULT_PORT, BrokerAddress
from chargebyte_fw.manager.mqtt.client import External, MqttClient
from chargebyte_fw.manager.wire.carrier import Carrier
from chargebyte_fw.manager.wire.dialect import Dialect
from chargebyte_fw.manager.wire.requesting import Find, plan_of

BROKER_LIMIT_S = 10.0
METADATA_LIMIT_S = 10.0
"""EVerest's two attempts of 5 s each."""


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """What EVerest's manager gives to a program."""

    module_id: str
    prefix: str = "/usr"
    broker: BrokerAddress = BrokerAddress()
    everest_prefix: str = "everest/"
    external_prefix: str = ""


def start_of(given: Mapping[str, str | None], environment: Mapping[str, str]) -> Start:
    """Return the start from the arguments of a native program, and for those that are missing from the environment.

    Raises ConfigError without a module's id, or with a port that is none.
    """

    def of(argument: str, variable: str, default: str = "") -> str:
        value = given.get(argument)
        return environment.get(variable, default) if value is None else value

    module_id = of("module", "EV_MODULE")
    if not module_id:
        raise ConfigError([Finding("--module", "no module's id", "EVerest's manager gives it, or sets EV_MODULE")])
    everest = of("mqtt_everest_prefix", "EV_MQTT_EVEREST_PREFIX", "everest")
    socket_path = of("mqtt_broker_socket_path", "EV_MQTT_BROKER_SOCKET_PATH")
    host = environment.get("MQTT_SERVER_ADDRESS") or of("mqtt_broker_host", "EV_MQTT_BROKER_HOST", "localhost")
    port = environment.get("MQTT_SERVER_PORT") or of("mqtt_broker_port", "EV_MQTT_BROKER_PORT", str(DEFAULT_PORT))
    if not (port.isascii() and port.isdecimal() and 0 < int(port) < 1 << 16):
        raise ConfigError([Finding("--mqtt_broker_port", f"{port[:40]} is no port", "a number from 1 to 65535")])
    return Start(
        module_id=module_id,
        prefix=of("prefix", "EV_PREFIX", "/usr"),
        broker=BrokerAddress(socket_path=socket_path) if socket_path else BrokerAddress(host, int(port)),
        everest_prefix=everest if not everest or everest.endswith("/") else f"{everest}/",
        external_prefix=of("mqtt_external_prefix", "EV_MQTT_EXTERNAL_PREFIX"),
    )


def find_module(name: str) -> type[Module]:
    """Return the class of one of our modules; raises ConfigError for any other name."""
    places = discover([]).by_name.get(name)
    if not places:
        raise ConfigError([Finding(name, "is not a module of this product", "`secc modules` lists them")])
    return places[0].load()


def root_of(start: Start) -> Root:
    """Return where the files of the prefix are; `/usr` is the machine itself."""
    prefix = Path(start.prefix)
    if prefix.name == "usr":
        return Root(prefix.parent, prefix.parent)
    return PrefixRoot(prefix, prefix / "var" / start.module_id)


async def run(start: Start, find: Find = find_module) -> int:
    """Run the module until a signal or the manager ends it; exit status 0 as asked, 1 when it has failed.

    Raises Unavailable without a broker or a manager, ConfigError for a configuration that the module does not take.
    """
    client = MqttClient(start.broker)
    carrier = Carrier(client, start.everest_prefix, start.external_prefix, start.prefix)
    client.start()
    try:
        async with asyncio.timeout(BROKER_LIMIT_S):
            await carrier.online()
        dialect = await _dialect_of(carrier)
        return await _run(start, msgspec.structs.replace(carrier, dialect=dialect), find)
    except TimeoutError:
        raise Unavailable(f"no MQTT broker at {start.broker}") from None
    finally:
        await client.stop()


async def _dialect_of(carrier: Carrier) -> Dialect:
    """Return the dialect of what the manager has published."""
    found: asyncio.Future[Dialect] = asyncio.get_running_loop().create_future()

    def take(_topic: str, payload: bytes) -> None:
        try:
            kind = decode_json(payload, dict[str, Any]).get("msg_type") if payload else None
        except msgspec.MsgspecError:
            kind = None
        dialect = next((one for one in Dialect if one.response == kind), None)
        if dialect is not None and not found.done():
            found.set_result(dialect)

    stop = carrier.client.subscribe(f"{carrier.prefix}settings", take)
    try:
        await asyncio.wait({found}, timeout=METADATA_LIMIT_S)
    finally:
        stop()
    if not found.done():
        raise Unavailable(f"no manager of EVerest has published its settings below {carrier.prefix}")
    return found.result()


async def _run(start: Start, carrier: Carrier, find: Find) -> int:
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()
    log = ModuleLog(start.module_id)
    runtime = Runtime(root=root_of(start))
    runtime.mqtt = External(carrier.client, start.external_prefix)
    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, asked.set)
    stop_listening = carrier.client.subscribe(f"{carrier.prefix}shutdown", lambda *_: asked.set())
    plan = await plan_of(carrier, start.module_id, find)
    member = Member(carrier, runtime, [plan], ManagerOnWire(carrier))
    stop = loop.create_task(asked.wait(), name="stop")
    life = loop.create_task(_until_it_fails(member), name="life")
    try:
        await asyncio.wait((stop, life), return_when=asyncio.FIRST_COMPLETED)
        if not life.done():
            return 0
        log.error("has failed; the manager starts it again", exc_info=life.exception() or life.result())
        return 1
    finally:
        stop_listening()
        for task in (stop, life):
            task.cancel()
        await asyncio.gather(stop, life, return_exceptions=True)
        await member.stop()
        for number in signals:
            loop.remove_signal_handler(number)


async def _until_it_fails(member: Member) -> BaseException:
    await member.start()
    _, error = await member.failure()
    return error


def from_environment(given: Mapping[str, str | None]) -> Start:
    """Return the start of this process."""
    return start_of(given, os.environ)
