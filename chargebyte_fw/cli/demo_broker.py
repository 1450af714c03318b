"""The demo's MQTT broker: mosquitto on a private port where it is installed, the embedded one otherwise."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.manager.mqtt import embedded

HOST = embedded.HOST
PORT = 1883


def choose(wanted: str) -> str:
    """Return `mosquitto` or `embedded`; raises Unavailable when the wanted one is not installed."""
    mosquitto = find_mosquitto()
    if wanted in ("auto", "mosquitto") and mosquitto:
        return "mosquitto"
    if wanted in ("auto", "embedded") and embedded.installed():
        return "embedded"
    advice = {
        "mosquitto": "apt-get install mosquitto, or --broker embedded",
        "embedded": f"{embedded.ADVICE}, or --broker mosquitto",
        "auto": f"apt-get install mosquitto, or {embedded.ADVICE}",
    }
    raise Unavailable(f"there is no MQTT broker ({wanted}): {advice[wanted]}")


def find_mosquitto() -> str | None:
    """Return the program's path; Debian puts it where an ordinary user's PATH does not look."""
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
    return shutil.which("mosquitto", path=path)


def command(kind: str, folder: Path) -> list[str]:
    """Return how to start the broker; writes its settings into `folder`."""
    if kind == "embedded":
        return embedded.command(PORT)
    settings = folder / "mosquitto.conf"
    settings.write_text(
        f"listener {PORT} {HOST}\nallow_anonymous true\nset_tcp_nodelay true\npersistence false\n"
        f"listener 0 {folder / 'mqtt.socket'}\nallow_anonymous true\nlog_dest stderr\nuser root\n"
    )
    return [find_mosquitto() or "mosquitto", "-c", str(settings)]


async def wait_until_open(given_up: Callable[[], bool]) -> None:
    """Wait until the broker accepts connections, or it is no longer wanted; raises Unavailable."""
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + embedded.START_LIMIT_S
    while loop.time() < give_up_at:
        if given_up():
            return
        with socket.socket() as probe:
            if probe.connect_ex((HOST, PORT)) == 0:
                return
        await asyncio.sleep(0.05)
    raise Unavailable(f"the MQTT broker does not answer on {HOST}:{PORT}")
