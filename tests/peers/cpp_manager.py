"""Our modules as programs under EVerest's manager in C++: `python -m tests.peers.cpp_manager PREFIX`.

A prefix of this product is laid out with each of its modules as a program; `PREFIX/bin/manager` starts those of
`config-sil`, one process each, and configures them over MQTT. A car is plugged in by EVerest's car script, charges and
leaves. Prints one line, `passed` or why not; exit status 1 then. Of PREFIX the manager and its database migrations are
used; nothing of them is part of this product.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from chargebyte_fw.cli.main import main as secc
from tests.manager.broker import Mosquitto
from tests.peers.josev import Failed

START_LIMIT_S, SESSION_LIMIT_S, STOP_LIMIT_S = 90.0, 90.0, 15.0
SCRIPT = "sleep 1;iec_wait_pwr_ready;sleep 1;draw_power_regulated 16,3;sleep 5;unplug"
CAR = "everest_external/nodered/1/carsim/cmd"
EVENTS = "everest/modules/connector_1/impl/evse/var/session_event"
EXPECTED = ("SessionStarted", "Authorized", "TransactionStarted", "ChargingStarted", "TransactionFinished")


class Tool:
    """A client of the broker: takes the session events, drives the car."""

    def __init__(self, port: int) -> None:
        self.events: list[str] = []
        self.changed = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._take
        self._client.connect("127.0.0.1", port)
        self._client.subscribe(EVENTS)
        self._client.loop_start()

    def _take(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        self.events.append(json.loads(message.payload)["data"]["data"]["event"])
        self.changed.set()

    def publish(self, topic: str, payload: str) -> None:
        """Publish and wait until it has left."""
        self._client.publish(topic, payload).wait_for_publish(5)

    def close(self) -> None:
        """Leave."""
        self._client.loop_stop()
        self._client.disconnect()


def session(prefix: Path, folder: Path, log: Path) -> str:
    """Charge a car under EVerest's manager; returns the figures, raises Failed."""
    ours = folder / "p"
    with contextlib.redirect_stdout(io.StringIO()):
        if secc(["prefix", str(ours), "--programs", "--no-certificates"]) != 0:
            raise Failed("the prefix cannot be laid out")
    shutil.copytree(prefix / "share/everest/migrations", ours / "share/everest/migrations")
    broker = Mosquitto(folder)
    broker.start()
    began_s = time.monotonic()
    environment = {**os.environ, "MQTT_SERVER_ADDRESS": "127.0.0.1", "MQTT_SERVER_PORT": str(broker.port)}
    with log.open("wb") as output:
        manager = subprocess.Popen(
            [prefix / "bin/manager", "--prefix", ours, "--config", "config-sil"],
            cwd=ours,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        tool = Tool(broker.port)
        try:
            _until(lambda: b"up and running" in log.read_bytes(), START_LIMIT_S, "not all modules are ready", manager)
            ready_s = time.monotonic() - began_s
            tool.publish(f"{CAR}/enable", "true")
            tool.publish(f"{CAR}/execute_charging_session", SCRIPT)
            _until(lambda: "SessionFinished" in tool.events, SESSION_LIMIT_S, "the session does not end", manager)
            if missing := [event for event in EXPECTED if event not in tool.events]:
                raise Failed(f"no {', '.join(missing)} in {', '.join(tool.events)}")
            manager.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                manager.wait(STOP_LIMIT_S)
            if manager.poll() is None:
                raise Failed(f"the manager does not end within {STOP_LIMIT_S:g} s")
        finally:
            tool.close()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(manager.pid, signal.SIGKILL)
            manager.wait()
            broker.kill()
    if b"Traceback" in log.read_bytes():
        raise Failed(f"a module ended with a traceback (see {log})")
    modules = sum(1 for line in (ours / "etc/everest/config-sil.yaml").read_text().splitlines() if " module: " in line)
    return f"{modules} modules ready after {ready_s:.1f} s, {len(tool.events)} session events"


def _until(true: Callable[[], bool], limit_s: float, why: str, manager: subprocess.Popen[bytes]) -> None:
    end_s = time.monotonic() + limit_s
    while not true():
        if manager.poll() is not None:
            raise Failed(f"the manager has ended with status {manager.returncode}")
        if time.monotonic() > end_s:
            raise Failed(f"{why} within {limit_s:g} s")
        time.sleep(0.1)


def main() -> int:
    """Try it; exit status 1 if it failed."""
    parser = argparse.ArgumentParser(description="our modules under EVerest's manager in C++")
    parser.add_argument("prefix", type=Path, help="an installed EVerest, whose bin/manager is used")
    parser.add_argument("--log", type=Path, help="file for the output of manager and modules")
    arguments = parser.parse_args()
    prefix = arguments.prefix.resolve()
    for needed in (prefix / "bin/manager", prefix / "share/everest/migrations"):
        if not needed.exists():
            print(f"our modules under EVerest's manager: not run: there is no {needed}")
            return 2
    with tempfile.TemporaryDirectory(prefix="secc-cpp-") as folder:
        try:
            outcome = f"passed: {session(prefix, Path(folder), arguments.log or Path(folder) / 'manager.log')}"
        except Failed as error:
            outcome = f"failed: {error}"
    print(f"our modules under EVerest's manager: {outcome}")
    return 0 if outcome.startswith("passed") else 1


if __name__ == "__main__":
    sys.exit(main())
