"""`secc run` as a process with a real broker: a module of `cloud` fails, and the process goes on."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from chargebyte_fw.kernel.clock import run as run_loop
from chargebyte_fw.manager.mqtt.address import BrokerAddress
from chargebyte_fw.manager.mqtt.client import MqttClient
from tests.manager.broker import Mosquitto
from tests.manager.test_mqtt import until

FAILING = '''
"""Publishes who it is; fails when it is asked to."""
import asyncio, itertools, json, os
from chargebyte_fw.kernel.module import Module

numbers = itertools.count()


class Failing(Module):
    """Fails on demand."""

    group = "cloud"
    enable_external_mqtt = True

    async def ready(self):
        self.number = next(numbers)
        self.runtime.mqtt.subscribe("fail", lambda topic, payload: self.spawn(self.fail()))
        self.spawn(self.publish())

    async def publish(self):
        while True:
            self.runtime.mqtt.publish("alive", json.dumps([os.getpid(), self.number]))
            await asyncio.sleep(0.05)

    async def fail(self):
        raise RuntimeError("asked to")
'''
CONFIG = """\
active_modules:
  failing: {module: Failing}
  history: {module: ErrorHistory, config_implementation: {error_history: {database_path: /history.db}}}
"""


def test_a_module_fails_and_comes_back_in_the_same_process(mosquitto: Mosquitto, tmp_path: Path) -> None:
    root = tmp_path / "root"
    folder = root / "usr/libexec/everest/modules/Failing"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(FAILING)
    (folder / "manifest.yaml").write_text("description: Fails on demand\n")
    (root / "etc/everest").mkdir(parents=True)
    (root / "etc/everest/config.yaml").write_text(CONFIG)
    secc = [str(Path(sys.executable).parent / "secc"), "run", "--root", str(root)]
    command = [*secc, "--broker", f"mqtt://127.0.0.1:{mosquitto.port}"]

    async def main(process: subprocess.Popen[bytes]) -> None:
        client = MqttClient(BrokerAddress("127.0.0.1", mosquitto.port))
        heard: list[list[int]] = []
        client.subscribe("alive", lambda _, payload: heard.append(json.loads(payload)))
        client.start()
        await until(lambda: bool(heard), 30)
        for number in range(2):
            assert heard[-1] == [process.pid, number]
            asked_s = time.monotonic()
            client.publish("fail", b"")
            heard.clear()
            await until(lambda: bool(heard) and heard[-1][1] == number + 1, 10)  # noqa: B023
            assert 1 <= time.monotonic() - asked_s < 10
            await asyncio.sleep(0.2)
        await client.stop()

    with (tmp_path / "log").open("wb") as log, subprocess.Popen(command, stderr=log) as process:
        try:
            run_loop(main(process))
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    text = (tmp_path / "log").read_text()
    assert text.count("failing failed; it is started again alone") == 2 and "failing is back" in text
    with contextlib.closing(sqlite3.connect(root / "history.db")) as history:
        rows = history.execute("SELECT type, state, origin_module FROM errors").fetchall()
    assert rows[0] == ("generic/CommunicationFault", "ClearedByModule", "failing")
