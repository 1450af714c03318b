"""Run every benchmark (or those named) and print one table; exit status 1 when a bound is missed."""

from __future__ import annotations

import importlib
import sys
import traceback

from rich.console import Console
from rich.table import Table

BENCHES = ("exi", "bus", "startup", "v2g_latency", "mcu_cycle", "virtual_session", "recorder")


def main(names: list[str]) -> int:
    console = Console()
    table = Table(title="chargebyte_fw benchmarks")
    for column, justify in (("what", "left"), ("measured", "right"), ("bound", "right"), ("", "left")):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    failed = False
    for name in names or BENCHES:
        console.print(f"[dim]measuring {name} ...[/dim]")
        try:
            rows = importlib.import_module(f"bench.{name}").rows()
        except Exception:
            traceback.print_exc()
            table.add_row(name, "failed", "", "[red]error[/red]")
            failed = True
            continue
        table.add_section()
        for what, value, unit, bound, ok in rows:
            limit = "" if bound is None else f"{bound:g} {unit}"
            verdict = "" if bound is None else ("[green]ok[/green]" if ok else "[red]missed[/red]")
            table.add_row(what, f"{value:.4g} {unit}", limit, verdict)
            failed = failed or not ok
    console.print(table)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
