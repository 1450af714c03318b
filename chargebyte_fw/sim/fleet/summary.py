"""What a fleet has achieved, and whether that is all."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.sim.fleet.options import Options
from chargebyte_fw.sim.fleet.tally import Latencies, Tally

SHARES = (0.5, 0.9, 0.99)


def missing(options: Options, tally: Tally) -> list[str]:
    """Return what a fleet did not reach, in sentences; nothing where it reached all."""
    stations = f"of {options.count} stations"
    wanted = options.count if options.charging_s > 0 else 0
    found = [
        (options.count - tally.were_connected, f"{stations} were never connected"),
        (options.count - tally.were_booted, f"{stations} were never accepted by the CSMS"),
        (wanted - tally.have_charged, f"{stations} have not charged"),
        (tally.waiting, "messages were not answered until the end"),
    ]
    return [f"{number} {what}" for number, what in found if number > 0]


def summary(options: Options, tally: Tally, seconds: float) -> dict[str, Any]:
    """Return the end of a fleet as it is printed, and as `--json` has it."""
    latencies = Latencies(tally.latencies)
    times = {f"p{share * 100:g}": latencies.within_s(share) for share in SHARES}
    return {
        "version": options.version.value,
        "stations": options.count,
        "connected": tally.were_connected,
        "booted": tally.were_booted,
        "charged": tally.have_charged,
        "connections": tally.connections,
        "transactions": tally.transactions,
        "requests": tally.requests,
        "requests_of_csms": tally.commands,
        "messages": tally.sent + tally.received,
        "messages_per_s": round((tally.sent + tally.received) / seconds, 1),
        "waiting": tally.waiting,
        "latency_ms": {name: None if at is None else round(at * 1000, 2) for name, at in times.items()},
        "errors": tally.errors,
        "memory_per_station_kB": round(tally.memory_kB / options.count),
        "seconds": round(seconds, 1),
        "missing": missing(options, tally),
    }
