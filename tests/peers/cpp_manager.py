"""What EVerest's manager in C++ starts for us: `python -m tests.peers.cpp_manager PREFIX`.

A prefix of this product is laid out with each of its modules as a program; `PREFIX/bin/manager` starts those of
`config-sil`, one process each, and configures them over MQTT. A car is plugged in by EVerest's car script, charges and
leaves. Then it starts modules in Python and in C++ side by side (`cpp_python.py`). Prints a line for each of the two,
`passed` or why not; exit status 1 then. Of PREFIX the manager, its database migrations and, for the second, its modules
are used; nothing of them is part of this product.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from chargebyte_fw.cli.main import main as secc
from tests.peers import cpp_python
from tests.peers.cpp_process import READY, START_LIMIT_S, cpp_manager, own_broker
from tests.peers.josev import Failed

SESSION_LIMIT_S = 90.0
SCRIPT = "sleep 1;iec_wait_pwr_ready;sleep 1;draw_power_regulated 16,3;sleep 5;unplug"
CAR = "everest_external/nodered/1/carsim/cmd"
EVENTS = "everest/modules/connector_1/impl/evse/var/session_event"
EXPECTED = ("SessionStarted", "Authorized", "TransactionStarted", "ChargingStarted", "TransactionFinished")


@dataclass(frozen=True)
class Trial:
    """What is started: `run(prefix, folder, log)` returns figures or raises Failed."""

    name: str
    run: Callable[[Path, Path, Path], str]
    needed: tuple[str, ...]
    """Below the prefix."""


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
    began_s = time.monotonic()
    with (
        own_broker(folder) as port,
        cpp_manager(prefix / "bin/manager", ours, ["--config", "config-sil"], log) as manager,
    ):
        tool = Tool(port)
        try:
            manager.until_logged(READY, START_LIMIT_S, "not all modules are ready")
            ready_s = time.monotonic() - began_s
            tool.publish(f"{CAR}/enable", "true")
            tool.publish(f"{CAR}/execute_charging_session", SCRIPT)
            manager.until(lambda: "SessionFinished" in tool.events, SESSION_LIMIT_S, "the session does not end")
            if missing := [event for event in EXPECTED if event not in tool.events]:
                raise Failed(f"no {', '.join(missing)} in {', '.join(tool.events)}")
            manager.stop()
        finally:
            tool.close()
    if b"Traceback" in log.read_bytes():
        raise Failed("a module ended with a traceback (--log has it)")
    modules = sum(1 for line in (ours / "etc/everest/config-sil.yaml").read_text().splitlines() if " module: " in line)
    return f"{modules} modules ready after {ready_s:.1f} s, {len(tool.events)} session events"


TRIALS = (
    Trial("our modules", session, ("bin/manager", "share/everest/migrations")),
    Trial("modules in Python and C++", cpp_python.trial, cpp_python.NEEDED),
)


def main() -> int:
    """Try both; exit status 1 if one failed, 2 if one was not made."""
    parser = argparse.ArgumentParser(description="our modules, and modules in Python, under EVerest's manager in C++")
    parser.add_argument("prefix", type=Path, help="an installed EVerest, whose bin/manager is used")
    parser.add_argument("--log", type=Path, help="file for the output of manager and modules")
    arguments = parser.parse_args()
    prefix = arguments.prefix.resolve()
    statuses = [attempt(trial, prefix, arguments.log) for trial in TRIALS]
    return max(statuses)


def attempt(trial: Trial, prefix: Path, kept: Path | None) -> int:
    """Print what came of a trial: `passed`, with its figures (status 0), or why not (1), or why it was not made (2)."""
    missing = [name for name in trial.needed if not (prefix / name).exists()]
    status = 2 if missing else 0
    outcome = f"not run: there is no {prefix / missing[0]}" if missing else ""
    if not missing:
        with tempfile.TemporaryDirectory(prefix="secc-cpp-") as folder:
            log = Path(folder) / "manager.log"
            log.touch()
            try:
                outcome = f"passed: {trial.run(prefix, Path(folder), log)}"
            except Failed as error:
                outcome, status = f"failed: {error}", 1
            if kept is not None:
                with kept.open("ab") as file:
                    file.write(log.read_bytes())
    print(f"{trial.name} under EVerest's manager: {outcome}", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
