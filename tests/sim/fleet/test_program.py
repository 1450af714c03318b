"""`python -m chargebyte_fw.sim.fleet` as a program, whose stations and CSMS are processes of their own."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from chargebyte_fw.sim.fleet.__main__ import main


def fleet(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[int, Any]:
    """Run it; returns exit status and summary."""
    monkeypatch.setattr(sys, "argv", ["fleet", "--json", "--ramp=0", *words])
    status = main()
    return status, json.loads(capsys.readouterr().out)


def test_a_fleet_charges_under_the_small_csms(capsys: Any, monkeypatch: Any) -> None:
    words = ("--count=4", "--duration-s=1.2", "--charging-s=0.4", "--pause-s=0.2")
    status, found = fleet(capsys, monkeypatch, *words)
    assert found["missing"] == [] and status == 0
    assert found["charged"] == 4 and found["waiting"] == 0 and found["errors"] == {}
    assert found["latency_ms"]["p50"] > 0


def test_a_csms_that_is_not_there_is_exit_status_1(capsys: Any, monkeypatch: Any) -> None:
    status, found = fleet(capsys, monkeypatch, "ws://127.0.0.1:9", "--count=2", "--duration-s=0.3")
    assert status == 1
    assert found["missing"][0] == "2 of 2 stations were never connected"
    assert any("127.0.0.1:9 cannot be reached: Connect" in kind for kind in found["errors"])
