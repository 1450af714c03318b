"""What a person sees of a fleet, on a terminal and in a file."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from chargebyte_fw.sim.fleet import screen as module
from chargebyte_fw.sim.fleet.options import Options
from chargebyte_fw.sim.fleet.screen import Screen, print_summary
from chargebyte_fw.sim.fleet.summary import summary
from chargebyte_fw.sim.fleet.tally import Latencies, Tally

OPTIONS = Options(count=1000, duration_s=60.0)


def tally() -> Tally:
    found = Tally(stations=1000, connected=900, booted=800, charging=700, sent=5000, received=5000, waiting=3)
    found.error("no connection: the CSMS refuses: HTTP 503")
    for _ in range(100):
        Latencies(found.latencies).add(0.05)
    return found


def console(terminal: bool) -> tuple[Console, io.StringIO]:
    file = io.StringIO()
    return Console(file=file, force_terminal=terminal, width=100, color_system=None), file


def test_a_terminal_shows_bars_latencies_and_errors() -> None:
    made, file = console(True)
    with Screen(OPTIONS, made) as screen:
        screen.show(tally())
    for words in ("900 of 1000", "800 of 1000", "700 of 1000", "50% 5", "99% 5", "HTTP 503", "messages/s"):
        assert words in file.getvalue()


def test_a_file_has_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    made, file = console(False)
    monkeypatch.setattr(module, "QUIET_S", 0.0)
    with Screen(OPTIONS, made) as screen:
        screen.show(tally())
    assert "900 connected, 800 booted, 700 charging" in file.getvalue() and "1 errors" in file.getvalue()


def test_the_summary_ends_with_what_is_missing() -> None:
    made, file = console(False)
    print_summary(made, summary(OPTIONS, tally(), 60.0), tally())
    lines = file.getvalue().splitlines()
    assert lines[-1] == "3 messages were not answered until the end"
    assert "1000 of 1000 stations were never connected" in lines
