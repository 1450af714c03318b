"""A 30-minute session of the shipped DC configuration, all 18 modules and the world around, on a virtual clock."""

from __future__ import annotations

import hashlib
import logging
import tempfile
import time
from pathlib import Path

from bench.rows import Row, at_most, info, times_less
from chargebyte_fw.kernel import clock
from chargebyte_fw.sim.car_models import Model
from tests.session.plant import Plant

CHARGE_S = 1800
PAUSE_S = 0.2
"""From an answer to the car's next request; a car gives up after 0.25 s without an answer."""
EAGER_S = 0.1
SCRIPT = (
    "sleep 1;iso_wait_slac_matched;iso_start_v2g_session DC 86400 0;iso_wait_pwr_ready;"
    f"iso_wait_for_stop {CHARGE_S};iso_wait_v2g_session_stopped;sleep 1;unplug"
)


def session(seed: int, pause_s: float = PAUSE_S) -> tuple[float, float, str, int]:
    """Run one session; returns real seconds, energy in Wh, a digest of the trace, and its number of entries."""

    async def main() -> tuple[float, str, int]:
        with tempfile.TemporaryDirectory() as state:
            async with Plant(Path(state), Model("iso2", demand_pause_s=pause_s), seed=seed) as plant:
                await plant.world.charger_is_ready()
                plant.world.car.run(SCRIPT)
                await plant.car_finished()
                entries = plant.runtime.trace.entries()
                digest = hashlib.sha256()
                for entry in entries:
                    digest.update(repr(entry).encode())
                if plant.failures():
                    raise RuntimeError(plant.failures()[0])
                return plant.world.car.inlet.energy_Wh, digest.hexdigest(), len(entries)

    began_s = time.perf_counter()
    energy_Wh, digest, count = clock.run(main(), speed=None)
    return time.perf_counter() - began_s, energy_Wh, digest, count


def rows() -> list[Row]:
    """Measure twice with one seed."""
    logging.getLogger("secc").setLevel(logging.ERROR)
    first_s, energy_Wh, digest, count = session(7)
    second_s, _, again, _ = session(7)
    same = digest == again and count > 0
    eager_s = session(7, EAGER_S)[0]
    taken_s = min(first_s, second_s)
    return [
        at_most(
            "30-minute session, virtual clock", taken_s, "s", 10.0, times_less(taken_s, CHARGE_S, "real time", "s")
        ),
        at_most(
            "the same with a car that asks every 100 ms",
            eager_s,
            "s",
            10.0,
            times_less(eager_s, CHARGE_S, "real time", "s"),
        ),
        Row("same seed, differing traces", float(not same), "", 0.0, same),
        info("energy of that session", energy_Wh, "Wh"),
    ]
