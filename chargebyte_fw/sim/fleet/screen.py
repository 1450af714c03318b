"""What a person sees of a fleet: a screen that is drawn anew each second, and a summary at the end."""

from __future__ import annotations

import time
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from chargebyte_fw.sim.fleet.options import Options
from chargebyte_fw.sim.fleet.summary import SHARES
from chargebyte_fw.sim.fleet.tally import Latencies, Tally

QUIET_S = 10.0
"""Time between two lines where there is no screen."""


class Screen:
    """Shows a tally a second. Where the output is a file or a pipe, it is a line every `QUIET_S`."""

    def __init__(self, options: Options, console: Console) -> None:
        self._options = options
        self._console = console
        self._live = Live(console=console, refresh_per_second=4, transient=True) if console.is_terminal else None
        self._began_s = self._last_s = self._line_s = time.monotonic()
        self._frames = 0
        self._a_second = 0.0

    def __enter__(self) -> Screen:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: Any) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, tally: Tally) -> None:
        """Show how it stands."""
        now, frames = time.monotonic(), tally.sent + tally.received
        if now - self._last_s >= 0.9:
            self._a_second = (frames - self._frames) / (now - self._last_s)
            self._last_s, self._frames = now, frames
        if self._live is not None:
            self._live.update(self._drawn(tally, now - self._began_s))
        elif now - self._line_s >= QUIET_S:
            self._line_s = now
            self._console.print(
                f"{now - self._began_s:.0f} s: {tally.connected} connected, {tally.booted} booted, "
                f"{tally.charging} charging, {self._a_second:.0f} messages/s, {sum(tally.errors.values())} errors",
                highlight=False,
            )

    def _drawn(self, tally: Tally, passed_s: float) -> Group:
        options = self._options
        bars = Table.grid(padding=(0, 2))
        for name, number in (
            ("time", min(passed_s, options.whole_s) / options.whole_s * options.count),
            ("connected", tally.connected),
            ("booted", tally.booted),
            ("charging", tally.charging),
        ):
            shown = f"{passed_s:.0f} of {options.whole_s:.0f} s" if name == "time" else f"{number} of {options.count}"
            bars.add_row(name, ProgressBar(options.count, number, width=40), shown)
        numbers = Table.grid(padding=(0, 2))
        numbers.add_row("messages/s", f"{self._a_second:.0f}", "waiting", str(tally.waiting))
        numbers.add_row("transactions", str(tally.transactions), "requests of the CSMS", str(tally.commands))
        latencies = Latencies(tally.latencies)
        times = [f"{share:.0%} {_ms(latencies.within_s(share))}" for share in SHARES]
        numbers.add_row("answers within", ", ".join(times))
        return Group(bars, numbers, *_errors(tally))


def _ms(latency_s: float | None) -> str:
    return "-" if latency_s is None else f"{latency_s * 1000:.3g} ms"


def _errors(tally: Tally) -> list[Table]:
    if not tally.errors:
        return []
    table = Table("errors", "", show_header=True, box=None)
    for kind, number in sorted(tally.errors.items(), key=lambda one: -one[1])[:10]:
        table.add_row(str(number), kind)
    return [table]


def print_summary(console: Console, summary: dict[str, Any], tally: Tally) -> None:
    """Print the end."""
    table = Table.grid(padding=(0, 2))
    for name, value in summary.items():
        if name not in ("errors", "missing", "latency_ms"):
            table.add_row(name.replace("_", " "), str(value))
    table.add_row("answers within ms", ", ".join(f"{name}: {value}" for name, value in summary["latency_ms"].items()))
    console.print(table, *_errors(tally), sep="\n")
    for line in summary["missing"]:
        console.print(f"[red]{line}[/red]")
