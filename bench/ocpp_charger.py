"""What a version of OCPP adds to the charger: memory, connected to a CSMS and registered, and time of the start.

The shipped AC configuration with OCPP beside the same one without: its module is left out, and tokens are validated by
DummyTokenValidator.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec
import yaml

from bench.bus import mosquitto
from bench.rows import Row, at_most
from bench.startup import charger, memory_MB

CONFIGURATIONS = {"1.6": ("config-ac-ocpp16.yaml", "OCPP"), "2.0.1": ("config-ac-ocpp201.yaml", "OCPP201")}
STARTS = 4
SETTLE_S = 6.0
MEMORY_BOUND_MB, START_BOUND_S = 14.0, 0.5
SHIPPED_URL = "ws://localhost:9000"
LIMIT_S = 30.0


class Start(NamedTuple):
    """One start."""

    ready_s: float
    cpu_s: float
    resident_MB: float


@contextmanager
def csms(version: str) -> Iterator[tuple[str, Callable[[str], None]]]:
    """Run the small CSMS; yields its URL, and a function that waits for a line with some words."""
    command = [sys.executable, "-m", "chargebyte_fw.sim.csms", "--ocpp", version, "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = process.stdout

        def wait_for(words: str) -> None:
            until = time.monotonic() + LIMIT_S
            while words not in lines.readline():
                if time.monotonic() > until or process.poll() is not None:
                    raise RuntimeError(f"the charger did not send {words}")

        try:
            yield msgspec.json.decode(lines.readline())["listening"], wait_for
        finally:
            process.terminate()


def configure(root: Path, version: str, url: str) -> None:
    """Let the charger below `root` have the configuration of a version, without OCPP where there is no URL."""
    name, module = CONFIGURATIONS[version]
    folder = root / "etc/everest"
    modules = yaml.safe_load((folder / name).read_text())["active_modules"]
    if url:
        for file in (root / "usr/share/everest/modules" / module).rglob("*.json"):
            file.write_text(file.read_text().replace(SHIPPED_URL, url))
    else:
        del modules["ocpp"]
        ends = modules["auth"]["connections"]
        ends["token_provider"] = [end for end in ends["token_provider"] if end["module_id"] != "ocpp"]
        ends["token_validator"] = [{"module_id": "validator", "implementation_id": "main"}]
        modules["validator"] = {"module": "DummyTokenValidator"}
    for place in ("config.yaml", name):
        (folder / place).unlink()
    (folder / "config.yaml").write_text(yaml.safe_dump({"active_modules": modules}, sort_keys=False))


def start(port: int, byte_code: str, version: str, url: str, registered: Callable[[str], None] | None) -> Start:
    """Start the charger; measure it when it has settled."""

    def prepare(root: Path) -> None:
        configure(root, version, url)

    with charger(port, byte_code, prepare) as (process, ready_s, cpu_s):
        if registered is not None:
            registered("BootNotification")
        time.sleep(SETTLE_S)
        return Start(ready_s, cpu_s, memory_MB(process.pid, "Rss"))


def rows() -> list[Row]:
    """Return the rows of the table."""
    table = []
    with mosquitto() as port, tempfile.TemporaryDirectory() as byte_code:
        for version in CONFIGURATIONS:
            without = [start(port, byte_code, version, "", None) for _ in range(STARTS)][1:]
            with csms(version) as (url, registered):
                with_it = [start(port, byte_code, version, url, registered) for _ in range(STARTS)][1:]
            before_MB, after_MB = (min(one.resident_MB for one in each) for each in (without, with_it))
            before_s, after_s = (min(one.ready_s for one in each) for each in (without, with_it))
            cpu_s = min(one.cpu_s for one in with_it) - min(one.cpu_s for one in without)
            beside = f"{after_MB:.1f} MB with it"
            table += [
                at_most(
                    f"OCPP {version} adds to the charger, registered at a CSMS",
                    after_MB - before_MB,
                    "MB",
                    MEMORY_BOUND_MB,
                    beside,
                ),
                at_most(
                    f"OCPP {version} adds to its start (best of {STARTS - 1})",
                    after_s - before_s,
                    "s",
                    START_BOUND_S,
                    f"{after_s:.2f} s with it; CPU until ready {cpu_s:.2f} s more",
                ),
            ]
    return table


if __name__ == "__main__":
    for row in rows():
        print(row)
