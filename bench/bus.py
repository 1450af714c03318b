"""A command and its answer: on the bus of one process, and through mosquitto in EVerest's wire format."""

from __future__ import annotations

import asyncio
import json
import queue
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from bench.rows import Row, at_most, info, times_less
from chargebyte_fw.kernel.contract import Contract, Var
from chargebyte_fw.kernel.module import Module, provides, requires
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.mqtt.address import BrokerAddress
from chargebyte_fw.manager.mqtt.client import MqttClient
from chargebyte_fw.manager.plan import Connection, ModulePlan
from chargebyte_fw.manager.wire.carrier import Carrier
from chargebyte_fw.manager.wire.publisher import Publisher

ROUNDS = 3000
TURNS = 5
MQTT_ROUNDS = 500
WARM_UP = 100


class Echo(Contract, interface="echo"):
    measured: Var[dict[str, float]]

    @abstractmethod
    async def repeat(self, number: int) -> int: ...


class EchoMain(Echo):
    async def repeat(self, number: int) -> int:
        return number


class Provider(Module):
    main = provides(EchoMain)


class Caller(Module):
    echo = requires(Echo)


def build() -> tuple[Assembly, Caller, Provider]:
    assembly = Assembly(Runtime())
    ends = {"echo": [Connection("provider", "main")]}
    assembly.build(
        [
            ModulePlan("provider", Provider, Provider.Config()),
            ModulePlan("caller", Caller, Caller.Config(), connections=ends),
        ]
    )
    caller, provider = assembly.modules["caller"], assembly.modules["provider"]
    assert isinstance(caller, Caller) and isinstance(provider, Provider)
    return assembly, caller, provider


async def in_process() -> float:
    """Median in microseconds."""
    _, caller, _ = build()
    return await _median_us(lambda: caller.echo.repeat(7))


async def naively() -> float:
    """Median of the same with a queue between the modules and JSON in it, in microseconds."""
    asked: asyncio.Queue[tuple[str, asyncio.Future[str]]] = asyncio.Queue()

    async def serve() -> None:
        while True:
            text, answer = await asked.get()
            answer.set_result(json.dumps({"retval": json.loads(text)["args"]["number"]}))

    async def repeat(number: int) -> int:
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        asked.put_nowait((json.dumps({"cmd": "repeat", "args": {"number": number}}), answer))
        value: int = json.loads(await answer)["retval"]
        return value

    server = asyncio.create_task(serve())
    try:
        return await _median_us(lambda: repeat(7))
    finally:
        server.cancel()


async def _median_us(call: Callable[[], Awaitable[int]]) -> float:
    samples = []
    for _ in range(WARM_UP + ROUNDS):
        began = time.perf_counter_ns()
        await call()
        samples.append(time.perf_counter_ns() - began)
    return statistics.median(samples[WARM_UP:]) / 1e3


@contextmanager
def mosquitto() -> Iterator[int]:
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if program is None:
        raise RuntimeError("mosquitto is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "mosquitto.conf")
        config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nuser root\n")
        with subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL) as process:
            for _ in range(500):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.01)
            try:
                yield port
            finally:
                process.terminate()


async def through_mosquitto(port: int) -> tuple[float, float]:
    """Medians: a call by another client and its answer (ms); the publishing of a variable (us)."""
    assembly, _, provider = build()
    charger, tool = (MqttClient(BrokerAddress("127.0.0.1", port)) for _ in range(2))
    wire = Publisher(Carrier(charger, "everest/"), commands_from=["tool"])
    wire.join(assembly)
    answers: asyncio.Queue[bytes] = asyncio.Queue()
    topic = "everest/modules/provider/impl/main/cmd/repeat"
    tool.subscribe(f"{topic}/response/tool", lambda _, payload: answers.put_nowait(payload))
    charger.start()
    tool.start()
    while not (charger.online and tool.online):
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    samples = []
    for number in range(WARM_UP + MQTT_ROUNDS):
        data = {"id": str(number), "origin": "tool", "args": {"number": number}}
        message = json.dumps({"msg_type": "Cmd", "data": data}).encode()
        began = time.perf_counter_ns()
        tool.publish(topic, message)
        await answers.get()
        samples.append(time.perf_counter_ns() - began)
    costs = []
    for number in range(MQTT_ROUNDS):
        began = time.perf_counter_ns()
        provider.main.measured.publish({"voltage_V": 400.0, "current_A": float(number)})
        # Twice round the loop: once for the subscriber, once for the socket.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        costs.append(time.perf_counter_ns() - began)
    wire.leave()
    await charger.stop()
    await tool.stop()
    return statistics.median(samples[WARM_UP:]) / 1e6, statistics.median(costs) / 1e3


def through_threads_ms(port: int) -> float:
    """Median of the same between two of paho's own threads, in milliseconds: the usual way to use it."""
    server, client = (paho.Client(CallbackAPIVersion.VERSION2) for _ in range(2))
    answers: queue.Queue[bytes] = queue.Queue()

    def echo(_client: Any, _: Any, message: paho.MQTTMessage) -> None:
        number = json.loads(message.payload)["data"]["args"]["number"]
        server.publish("naive/answer", json.dumps({"data": {"retval": number}}))

    server.on_message = echo
    client.on_message = lambda _client, _, message: answers.put(bytes(message.payload))
    for one, topic in ((server, "naive/call"), (client, "naive/answer")):
        one.connect("127.0.0.1", port)
        one.subscribe(topic)
        one.loop_start()
    time.sleep(0.2)
    samples = []
    for number in range(WARM_UP + MQTT_ROUNDS):
        began = time.perf_counter_ns()
        client.publish("naive/call", json.dumps({"data": {"args": {"number": number}}}))
        answers.get(timeout=5)
        samples.append(time.perf_counter_ns() - began)
    for one in (server, client):
        one.disconnect()
        one.loop_stop()
    return statistics.median(samples[WARM_UP:]) / 1e6


def rows() -> list[Row]:
    with mosquitto() as port:
        mqtt_ms, variable_us = asyncio.run(through_mosquitto(port))
        threads_ms = through_threads_ms(port)
    # In turns, so that both see the same of this machine's moods.
    turns = [(asyncio.run(in_process()), asyncio.run(naively())) for _ in range(TURNS)]
    call_us, naive_us = (min(each) for each in zip(*turns, strict=True))
    return [
        at_most(
            f"command and answer, in process (median, best of {TURNS})",
            call_us,
            "us",
            20,
            times_less(call_us, naive_us, "a queue with JSON in it", "us"),
        ),
        at_most(
            "command and answer, MQTT through mosquitto (median)",
            mqtt_ms,
            "ms",
            2,
            times_less(mqtt_ms, threads_ms, "two of paho's threads", "ms"),
        ),
        info("one variable to the wire (median)", variable_us, "us"),
    ]


if __name__ == "__main__":
    for row in rows():
        print(row)
