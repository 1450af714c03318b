"""What board and car report in a process of their own: JSON lines for programs, lines of text for people."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

import msgspec

QUIET = ("CurrentDemand", "ChargingStatus", "ChargeLoop")
"""Messages of the charge loop: the last one of a report's time, with their count, is enough."""
NUMBERS_S = 5.0
"""Least time between two lines with numbers, in real seconds."""


def write_line(line: str) -> None:
    """Write a line to standard output; what cannot be written is dropped from then on."""
    try:
        sys.stdout.buffer.write(line.encode(errors="backslashreplace") + b"\n")
        sys.stdout.buffer.flush()
    except (OSError, ValueError):
        # The process that started this one is gone, and this one ends soon.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class JsonReporter:
    """Writes reports as JSON lines; what comes too often is held until the next report of the instruments."""

    def __init__(self) -> None:
        self._encode = msgspec.json.Encoder().encode
        self._held: dict[str, dict[str, Any]] = {}
        self._shown: dict[str, Any] = {}

    def __call__(self, report: dict[str, Any]) -> None:
        """Report one thing."""
        message = report.get("message", "")
        if not any(word in message for word in QUIET):
            self._write(report)
            return
        name = " ".join(message.split()[:3])
        earlier = self._held.get(name, {"count": 0})
        self._held[name] = {**report, "count": earlier["count"] + 1}

    def instruments(self, numbers: dict[str, Any]) -> None:
        """Report the instruments, and what was held."""
        held, self._held = self._held, {}
        for report in held.values():
            self._write(report)
        if numbers != self._shown:
            self._shown = numbers
            self._write(numbers)

    def _write(self, report: dict[str, Any]) -> None:
        write_line(self._encode(report).decode())


class TextReporter:
    """Writes a line for each step and message, and the instruments now and then."""

    def __init__(self, speed: float = 1.0) -> None:
        loop = asyncio.get_running_loop()
        self._time = loop.time
        self._began_s = loop.time()
        self._numbers_s = NUMBERS_S * speed
        self._numbers_at_s = self._began_s
        self._shown = ""

    def __call__(self, report: dict[str, Any]) -> None:
        """Report one thing."""
        line = text_of(report)
        if line and not any(word in line for word in QUIET):
            self._write(line)

    def instruments(self, numbers: dict[str, Any]) -> None:
        """Report the instruments where they have changed, not too often."""
        if self._time() < self._numbers_at_s:
            return
        self._numbers_at_s = self._time() + self._numbers_s
        line = f"{numbers['voltage_V']:.1f} V  {numbers['current_A']:.1f} A  {numbers['energy_Wh']:.1f} Wh  "
        line += f"{numbers['soc_percent']:.1f} %  pilot {numbers['cp_state']}, contactor {numbers['contactor']}"
        if line != self._shown:
            self._shown = line
            self._write(line)

    def _write(self, line: str) -> None:
        write_line(f"{self._time() - self._began_s:8.2f}  {line}")


def text_of(report: dict[str, Any]) -> str:
    """Return the line of a report; empty for one that has none (instruments, what is for programs)."""
    if "step" in report:
        return f"✓ {report['step']}"
    if "failure" in report or "error" in report:
        return f"✗ {report.get('failure') or report['error']}"
    if "help" in report:
        return "\n".join(report["help"])
    if report.get("script") == "ended":
        return "the script is at its end"
    return str(report.get("message", ""))
