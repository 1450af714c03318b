"""A session in a baked root: the charger of its unit, the virtual board and car at the other ends of its wires."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests import netns
from tests.image.conftest import SITE, Image
from tests.manager.broker import MOSQUITTO

LIMIT_S = 120
SPEED = "5"
BROKER = "listener 1883 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\npersistence false\nuser root\n"
CHARGED = r"transaction is over: .* [1-9]\d* Wh"


class Session:
    """The processes; they end with the namespaces."""

    def __init__(
        self,
        image: Image,
        charger: netns.Namespace,
        car: netns.Namespace,
        work: Path,
        inside: Sequence[str] = (),
    ) -> None:
        """Start everything; `inside` is what the charger's command is given to."""
        self.said = work / "charger.log"
        (work / "mosquitto.conf").write_text(BROKER)
        charger.popen([MOSQUITTO, "-c", str(work / "mosquitto.conf")], stderr=subprocess.DEVNULL)
        topic = "everest/modules/token_validator/impl/main/cmd/validate_token/response/#"
        self._answers = work / "answers"
        with self._answers.open("wb") as out:
            # The broker may not be there yet.
            listen = ["sh", "-c", f"until mosquitto_sub -q 2 -t '{topic}'; do sleep 0.1; done"]
            charger.popen(listen, stdout=out, stderr=subprocess.DEVNULL)
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": f"{image.root}{SITE}", "LANG": "C.UTF-8"}
        python = [str(image.python), "-P"]
        options = ["--root", str(image.root), "--speed", SPEED]
        battery = ["--battery-kWh", "1", "--soc-percent", "30", "--target-soc-percent", "32"]
        # The virtual car ends with its standard input.
        self._car = car.popen(
            [*python, "-m", "chargebyte_fw.sim", *options, "--interface", car.interface, *battery],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        unit = (image.root / "usr/lib/systemd/system/everest.service").read_text()
        program, *arguments = re.findall(r"(?m)^ExecStart=(.*)$", unit)[0].split()
        with self.said.open("wb") as log:
            self._charger = charger.popen(
                [*inside, *python, f"{image.root}{program}", *arguments, *options], env=environment, stderr=log
            )

    def answers(self) -> list[str]:
        """What the module answered over the broker, in order."""
        lines = self._answers.read_text().splitlines()
        return [json.loads(line)["data"]["data"]["retval"]["authorization_status"] for line in lines]

    def wait(self, pattern: str) -> str:
        """Wait until the charger has said something; returns all it said."""
        for _ in range(LIMIT_S * 10):
            text = self.said.read_text()
            if re.search(pattern, text):
                return text
            if self._charger.poll() is not None:
                break
            time.sleep(0.1)
        pytest.fail(f"no {pattern}:\n{self.said.read_text()[-3000:]}")


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder with a short name: those of sockets are below it."""
    folder = Path(tempfile.mkdtemp(prefix="secc-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)
