"""EVerest's manager in C++ as a process of a trial, on a broker of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.manager.broker import Mosquitto
from tests.peers.josev import Failed

START_LIMIT_S, STOP_LIMIT_S = 90.0, 15.0
READY = b"up and running"
"""What the manager logs when all modules are ready."""


class CppManager:
    """A running manager; `log` has what it and its modules print."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self._log = log

    def until(self, true: Callable[[], bool], limit_s: float, why: str) -> None:
        """Wait until it is true; raises Failed with `why`, or at once when the manager has ended."""
        end_s = time.monotonic() + limit_s
        while not true():
            if self._process.poll() is not None:
                raise Failed(f"the manager has ended with status {self._process.returncode}")
            if time.monotonic() > end_s:
                raise Failed(f"{why} within {limit_s:g} s")
            time.sleep(0.1)

    def until_logged(self, text: bytes, limit_s: float, why: str) -> None:
        """Wait for a line; raises Failed."""
        self.until(lambda: text in self._log.read_bytes(), limit_s, why)

    def stop(self) -> None:
        """End manager and modules as an operator does; raises Failed when it takes too long."""
        self._process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_LIMIT_S)
        if self._process.poll() is None:
            raise Failed(f"the manager does not end within {STOP_LIMIT_S:g} s")


@contextlib.contextmanager
def own_broker(folder: Path) -> Iterator[int]:
    """Run a broker; its port, which this process and whatever it starts find in the environment."""
    broker = Mosquitto(folder)
    broker.start()
    os.environ |= {"MQTT_SERVER_ADDRESS": "127.0.0.1", "MQTT_SERVER_PORT": str(broker.port)}
    try:
        yield broker.port
    finally:
        broker.kill()


@contextlib.contextmanager
def cpp_manager(program: Path, prefix: Path, arguments: list[str | Path], log: Path) -> Iterator[CppManager]:
    """Run `program` in `prefix` with these arguments; whatever is left of it is killed at the end."""
    # The manager starts modules in Python with `python3`.
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [program, "--prefix", prefix, *arguments],
            cwd=prefix,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield CppManager(process, log)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
