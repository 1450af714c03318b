"""Run every benchmark (or those named) and print one table; exit status 1 when a bound is missed."""

from __future__ import annotations

import importlib
import sys
import time
import traceback

from rich.console import Console
from rich.table import Table

from bench.rows import Row, favoured

BENCHES = (
    "exi",
    "exi_iso20",
    "bus",
    "wire",
    "startup",
    "grouped",
    "three_protocols",
    "v2g_latency",
    "mcu_cycle",
    "virtual_session",
    "recorder",
    "pnc",
    "tls",
    "iso20_loop_tls",
    "ocpp",
    "ocpp_smart_charging",
    "ocpp_queue",
    "ocpp_charger",
    "ocpp_fleet",
)
WEIGHTED = "all processes with the weight that everest.service has (CPUWeight=800)"
PLAIN = "all processes with the weight of any other program (more takes root)"


def main(names: list[str]) -> int:
    if unknown := [name for name in names if name not in BENCHES]:
        print(f"bench: there is no {', '.join(unknown)}; there are {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    console = Console()
    table = Table(title="chargebyte_fw benchmarks")
    for column, justify in (
        ("what", "left"),
        ("measured", "right"),
        ("bound", "right"),
        ("", "left"),
        ("beside", "left"),
    ):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    began = time.monotonic()
    with favoured() as allowed:
        passed = [_run(name, table, console) for name in names or BENCHES]
    table.caption = f"{WEIGHTED if allowed else PLAIN}; {time.monotonic() - began:.0f} s"
    console.print(table)
    return 0 if all(passed) else 1


def _run(name: str, table: Table, console: Console) -> bool:
    console.print(f"[dim]measuring {name} ...[/dim]")
    table.add_section()
    try:
        rows: list[Row] = importlib.import_module(f"bench.{name}").rows()
    except Exception:
        traceback.print_exc()
        table.add_row(name, "failed", "", "[red]error[/red]")
        return False
    for row in rows:
        limit = "" if row.bound is None else f"{row.bound:g} {row.unit}"
        verdict = "" if row.bound is None else ("[green]ok[/green]" if row.ok else "[red]missed[/red]")
        table.add_row(row.name, f"{row.value:.4g} {row.unit}", limit, verdict, row.beside)
    return all(row.ok for row in rows)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
