"""1,000 simulated stations under the small CSMS on the same machine: all charge, memory of each."""

from __future__ import annotations

import json
import subprocess
import sys

from bench.rows import Row, at_least, at_most, info

STATIONS = 1000
MEMORY_BOUND_MB = 1.5
LIMIT_S = 180.0
WORDS = (
    f"--count={STATIONS}",
    "--ramp=100",
    "--duration-s=15",
    "--charging-s=8",
    "--pause-s=3",
    "--outage=8:2",
    "--json",
)


def rows() -> list[Row]:
    """Return the rows of the table."""
    command = [sys.executable, "-m", "chargebyte_fw.sim.fleet", *WORDS]
    run = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    if not run.stdout:
        raise RuntimeError(run.stderr)
    found = json.loads(run.stdout)
    latency = found["latency_ms"]
    return [
        at_least(
            f"{STATIONS} simulated stations that have charged, through an outage",
            found["charged"],
            "stations",
            STATIONS,
            f"{found['transactions']} transactions, {found['waiting']} messages lost; {found['errors'] or 'no errors'}",
        ),
        at_most("memory of each", found["memory_per_station_kB"] / 1024, "MB", MEMORY_BOUND_MB),
        info(
            "messages of the fleet",
            found["messages_per_s"],
            "1/s",
            f"answers within {latency['p50']} ms (50 %), {latency['p99']} ms (99 %)",
        ),
    ]


if __name__ == "__main__":
    for row in rows():
        print(row)
