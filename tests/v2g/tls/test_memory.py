"""What TLS costs where there are no certificates: OpenSSL is not loaded, though TLS is allowed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
PROGRAM = """
import asyncio, sys, pathlib, tempfile
from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.modules.v2g import evse15118_d20, evse_v2g

loaded = "cryptography" in sys.modules
from tests.conftest import assembler
from tests.v2g.station import Car
from tests.v2g.test_evse_v2g import World
from chargebyte_fw.modules.v2g.evcc import CarSettings

async def main(folder):
    runtime = Runtime(root=Root(folder, folder))
    async with World(assembler(runtime), runtime) as world:
        await world.manager.hlc.dlink_ready(True)
        car = Car(world.host, CarSettings(protocols=("ISO15118D2",)))
        car.start()
        await car.until("charging")

with tempfile.TemporaryDirectory() as folder:
    clock.run(main(pathlib.Path(folder)), speed=None)
print(loaded, "OpenSSL" in sys.modules)
"""


def test_without_a_chain_neither_library_is_imported() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"
