"""Variables from one process to another through mosquitto, in EVerest's wire format, and what idle guests cost."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench.bus import EchoMain, mosquitto
from bench.rows import Row, at_least, at_most
from chargebyte_fw.kernel.module import Module, provides
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.mqtt.address import BrokerAddress
from chargebyte_fw.manager.mqtt.client import MqttClient
from chargebyte_fw.manager.plan import ModulePlan
from chargebyte_fw.manager.wire import envelope
from chargebyte_fw.manager.wire.carrier import Carrier
from chargebyte_fw.manager.wire.publisher import Publisher

TOPIC = "everest/modules/provider/impl/main/var/measured"
SAMPLES = 1000
RATE_HZ = 5000
BURST_S = 4.0
SLICE_S = 0.005
GUESTS = 100
MIRRORED = 5000
IDLE_S = 5.0
TICKS = os.sysconf("SC_CLK_TCK")
ROOT = Path(__file__).parents[1]


class Provider(Module):
    main = provides(EchoMain)


RECEIVER = """
import asyncio, json, sys, time
from chargebyte_fw.manager.mqtt.address import BrokerAddress
from chargebyte_fw.manager.mqtt.client import MqttClient
from chargebyte_fw.manager.wire import envelope

async def main():
    samples, numbers, ended = [], [], asyncio.Event()

    def take(_topic, payload):
        value = envelope.read_variable(payload)
        if "end" in value:
            ended.set()
        elif value["sent_s"]:
            samples.append(time.monotonic() - value["sent_s"])
        else:
            numbers.append(value["number"])

    client = MqttClient(BrokerAddress("127.0.0.1", int(sys.argv[1])))
    client.subscribe(sys.argv[2], take)
    client.start()
    while not client.online:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)
    print("ready", flush=True)
    await ended.wait()
    await client.stop()
    print(json.dumps({"samples": samples, "numbers": len(numbers), "in_order": numbers == sorted(numbers)}), flush=True)

asyncio.run(main())
"""
GUEST = """
import asyncio, sys
from chargebyte_fw.manager.mqtt.address import BrokerAddress
from chargebyte_fw.manager.mqtt.client import MqttClient

async def main():
    clients = [MqttClient(BrokerAddress("127.0.0.1", int(sys.argv[1]))) for _ in range(int(sys.argv[2]))]
    for number, client in enumerate(clients):
        client.subscribe(f"everest/modules/guest_{number}/response", lambda *_: None)
        client.start()
    while not all(client.online for client in clients):
        await asyncio.sleep(0.01)
    print("ready", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def child(program: str, *arguments: str) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    if process.stdout is None or process.stdout.readline() != "ready\n":
        raise RuntimeError("the other process does not start")
    return process


async def publish(port: int) -> tuple[int, float]:
    """Publish single values, then a burst; returns how many that was, and its rate in Hz."""
    assembly = Assembly(Runtime())
    assembly.build([ModulePlan("provider", Provider, Provider.Config())])
    client = MqttClient(BrokerAddress("127.0.0.1", port))
    wire = Publisher(Carrier(client, "everest/"))
    wire.join(assembly)
    client.start()
    while not client.online:
        await asyncio.sleep(0.01)
    provider: Any = assembly.modules["provider"]
    measured = provider.main.measured
    for _ in range(SAMPLES):
        measured.publish({"sent_s": time.monotonic(), "voltage_V": 400.0})
        await asyncio.sleep(0.002)
    began_s = time.monotonic()
    sent = 0
    while (passed_s := time.monotonic() - began_s) < BURST_S:
        while sent < passed_s * RATE_HZ:
            measured.publish({"sent_s": 0.0, "number": float(sent), "voltage_V": 400.0})
            sent += 1
        await asyncio.sleep(SLICE_S)
    rate_Hz = sent / (time.monotonic() - began_s)
    await asyncio.sleep(0.5)
    client.publish(TOPIC, envelope.variable({"end": 1.0, "sent": sent}))
    await asyncio.sleep(0.5)
    wire.leave()
    await client.stop()
    return sent, rate_Hz


async def mirrored_us(port: int) -> float:
    """Return the CPU time that a value costs in the process which publishes it, beyond that of the bus alone."""
    assembly = Assembly(Runtime())
    assembly.build([ModulePlan("provider", Provider, Provider.Config())])
    client = MqttClient(BrokerAddress("127.0.0.1", port))
    wire = Publisher(Carrier(client, "everest/"))
    client.start()
    while not client.online:
        await asyncio.sleep(0.01)
    provider: Any = assembly.modules["provider"]

    async def cost_us() -> float:
        began_s = time.process_time()
        for number in range(MIRRORED):
            provider.main.measured.publish({"number": float(number), "voltage_V": 400.0})
            if number % 10 == 9:
                await asyncio.sleep(0)
        await asyncio.sleep(0.1)
        return (time.process_time() - began_s) * 1e6 / MIRRORED

    alone_us = await cost_us()
    wire.join(assembly)
    # The broker states that no one listens.
    await asyncio.sleep(0.2)
    provider.main.measured.publish({"number": 0.0, "voltage_V": 400.0})
    await asyncio.sleep(0.1)
    with_wire_us = await cost_us()
    wire.leave()
    await client.stop()
    return with_wire_us - alone_us


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def idle_percent(port: int) -> float:
    """CPU of the broker's clients at rest, in percent of one core."""
    with child(GUEST, str(port), str(GUESTS)) as guests:
        began_s = cpu_s(guests.pid)
        time.sleep(IDLE_S)
        used_s = cpu_s(guests.pid) - began_s
        guests.kill()
    return 100 * used_s / IDLE_S


def rows() -> list[Row]:
    with mosquitto() as port:
        with child(RECEIVER, str(port), TOPIC) as receiver:
            sent, rate_Hz = asyncio.run(publish(port))
            text, _ = receiver.communicate(timeout=20)
        found = json.loads(text)
        idle = idle_percent(port)
        mirrored = asyncio.run(mirrored_us(port))
    return [
        at_most("variable to another process, median", statistics.median(found["samples"]) * 1e3, "ms", 1.0),
        at_least("variables in a burst", rate_Hz, "Hz", RATE_HZ * 0.99),
        at_most("lost of them, or out of order", sent - found["numbers"] + (not found["in_order"]), "", 0),
        at_most("a value that is published and received by no one", mirrored, "us CPU", 3.0),
        at_most(f"{GUESTS} idle guests", idle, "% CPU", 1.0),
    ]
