"""The demo's screen: the running session, drawn with rich, as wide and high as the terminal."""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from chargebyte_fw.cli.demo_state import FRAMES_SHOWN, MESSAGES_SHOWN, DemoState
from chargebyte_fw.cli.table import COLUMNS, Size, cut, sign

_TITLE = {
    "iso2": "DC, ISO 15118-2",
    "din": "DC, DIN SPEC 70121",
    "basic": "AC, IEC 61851 by pilot alone",
    "iso2-ac": "AC, ISO 15118-2",
    "iso20-dc": "DC, ISO 15118-20",
    "iso20-ac": "AC, ISO 15118-20",
    "iso20-dc-bpt": "DC in both directions, ISO 15118-20",
    "iso20-ac-bpt": "AC in both directions, ISO 15118-20",
    "mcs": "megawatt charging, ISO 15118-20",
    "mcs-bpt": "megawatt charging in both directions, ISO 15118-20",
}
_FRAME, _WIDE_FRAME = 4, 6
"""Columns of a panel's border and padding."""
_WIDE = 84
"""From so many columns on the numbers stand four in a row."""
_LABEL = 21
"""Columns of the summary's labels, with the gap."""
_BORDERS = 2
_ENOUGH = Size(104, 60)
_STYLE = {"": "bold cyan", "into the car": "bold cyan", "out of the car": "bold magenta"}
_ARROW = {"": "", "into the car": " → car", "out of the car": " → grid"}


def _lines_of(parts: Sequence[tuple[str, str]], separator: str, columns: int) -> Text:
    """Put parts, each with its style, on as many lines as they need; none is broken."""
    text, taken = Text(), 0
    for place, (part, style) in enumerate(parts):
        if place:
            text.append(separator, style="dim")
            taken += len(separator)
            # The separator stays at the end of its line.
            if taken + len(part) + len(separator.rstrip()) > columns:
                text.rstrip()
                text.append("\n")
                taken = 0
        text.append(part, style=style)
        taken += len(part)
    return text


def _steps(state: DemoState, columns: int) -> Text:
    current = state.current_step
    styles = [
        (f"✓ {step}", "green")
        if step in state.done
        else (f"• {step}", "bold yellow")
        if step == current
        else (step, "dim")
        for step in state.steps
    ]
    return _lines_of(styles, " → ", columns)


def _grid(cells: Sequence[Text], in_a_row: int) -> Table:
    table = Table.grid(padding=(0, 3), expand=True)
    for _ in range(in_a_row):
        table.add_column(justify="left")
    for place in range(0, len(cells), in_a_row):
        table.add_row(*cells[place : place + in_a_row])
    return table


def _numbers(state: DemoState, columns: int) -> Table:
    where = state.direction
    contactor = Text(state.contactor, style="bold red" if state.contactor == "closed" else "green")
    cells = [
        Text.assemble("Voltage ", (f"{state.voltage_V:6.1f} V", "bold cyan")),
        Text.assemble("Current ", (f"{state.current_A:6.1f} A", "bold cyan")),
        Text.assemble("Power ", (f"{state.power_W / 1000:6.2f} kW", _STYLE[where]), _ARROW[where]),
        Text.assemble("Energy ", (f"{state.energy_Wh:7.1f} Wh", "bold cyan")),
        Text.assemble("Pilot ", (f"{state.cp_state}, {state.duty_percent:g} %", "bold")),
        Text.assemble("Contactor ", contactor),
        Text.assemble("Charger ", (state.charger_state, "bold")),
        Text.assemble("Time ", (f"{state.now_s:7.1f} s", "bold")),
    ]
    return _grid(cells, 4 if columns >= _WIDE else 2)


def agreed(state: DemoState) -> str:
    """Return protocol, TLS version and service of the session; empty before the handshake."""
    if not state.speaks:
        return ""
    tls = f"TLS {state.tls_version}" if state.tls_version else "plain TCP"
    return ", ".join(part for part in (state.speaks, tls, state.service) if part)


def _session(state: DemoState, columns: int) -> Table:
    """Show what car and charger agreed on."""
    cells = [
        Text.assemble("Speaks ", (agreed(state) or "–", "bold")),
        Text.assemble("Paid by ", (state.identity or "–", "bold")),
        Text.assemble("Price ", (state.price or "none announced", "bold")),
    ]
    return _grid(cells, 3 if columns >= _WIDE else 1)


def _battery(state: DemoState) -> Table:
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(width=16)
    table.add_column(ratio=1)
    table.add_column(width=14, justify="right")
    table.add_row(
        Text.assemble("Battery ", (f"{state.soc_percent:5.1f} %", "bold green")),
        ProgressBar(total=1.0, completed=state.progress, complete_style="green", finished_style="bold green"),
        Text(f"target {state.target_soc_percent:g} %", style="dim"),
    )
    return table


def _newest(title: str, lines: Sequence[str], nothing: str, height: int) -> list[RenderableType]:
    """Show the newest lines in a panel of this height; nothing where there is no room for one."""
    if height <= _BORDERS:
        return []
    shown = Text("\n".join(list(lines)[2 - height :]) or nothing, no_wrap=True, overflow="ellipsis")
    shown.stylize("white" if lines else "dim")
    return [Panel(shown, title=title, border_style="dim", height=height)]


def _facts(state: DemoState, columns: int, *, narrow: bool) -> Panel:
    """Draw the upper panel: the way, what was agreed, the numbers, the battery, the faults."""
    inner = columns - (_FRAME if narrow else _WIDE_FRAME)
    parts: list[RenderableType] = [_steps(state, inner)]
    if state.protocol != "basic":
        parts.append(_session(state, columns))
    parts += [_numbers(state, columns), _battery(state)]
    if state.faults:
        parts.append(Text("Faults: " + ", ".join(state.faults), style="bold red"))
    apart = [part for one in parts for part in (one, Text())][:-1]
    return Panel(
        Group(*(parts if narrow else apart)),
        title=f"[bold]chargebyte_fw[/bold] · {_TITLE.get(state.protocol, state.protocol)}",
        border_style="blue",
        padding=(0, 1) if narrow else (1, 2),
    )


def _height(what: RenderableType, columns: int) -> int:
    console = Console(width=columns, file=io.StringIO(), force_terminal=False)
    return len(console.render_lines(what))


def screen(state: DemoState, size: Size = _ENOUGH) -> RenderableType:
    """Draw the whole screen for one moment, in at most these columns and lines.

    The numbers are always there; of messages and hints there are as many as have room.
    """
    columns, lines = size
    prompt = [cut(f"> {state.typed}", columns - 1) + "█"] if state.prompt else []
    lines -= len(prompt)
    facts = _facts(state, columns, narrow=False)
    wanted = MESSAGES_SHOWN + _BORDERS + (FRAMES_SHOWN + _BORDERS if state.ocpp else 0)
    if _height(facts, columns) + wanted > lines:
        facts = _facts(state, columns, narrow=True)
    left = lines - _height(facts, columns)
    hint = [cut(line, columns) for line in state.hint.split("\n")] if state.hint else []
    if len(hint) > left:
        hint = [*hint[: max(0, left - 1)], sign()][: max(0, left)]
    left -= len(hint)
    frames = min(FRAMES_SHOWN + _BORDERS, left // 2) if state.ocpp else 0
    messages = [str(message) for message in state.messages]
    below = [Text("\n".join(hint), style="dim")] if hint else []
    below += [Text("\n".join(prompt), style="bold")] if prompt else []
    return Group(
        facts,
        *_newest("last messages", messages, "nothing on the wire yet", min(MESSAGES_SHOWN + _BORDERS, left - frames)),
        *_newest(f"CSMS, OCPP {state.ocpp}", state.conversation, "no station is connected yet", frames),
        *below,
    )


def summary(state: DemoState, columns: int = COLUMNS) -> RenderableType:
    """Draw what remains when the session is over: the last one, and all of them where there were more."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column()
    more = len(state.sessions)
    if more:
        table.add_row(Text("Last session", style="bold"), f"number {more + 1}")
    good = "the car charged, and the CSMS stopped it" if state.ocpp else "the car charged and left"
    result = Text(good, style="bold green") if state.succeeded else Text(state.reason, style="bold red")
    table.add_row("Result", result)
    first = state.first_soc_percent or 0.0
    table.add_row("State of charge", f"{first:.1f} % → {state.soc_percent:.1f} %")
    if agreed(state):
        table.add_row("Session by", agreed(state))
        table.add_row("Paid by", ", ".join(part for part in (state.identity, state.price) if part))
    if state.session_discharged_Wh:
        table.add_row("Energy out of the car", f"{state.session_discharged_Wh:.1f} Wh")
    table.add_row("Energy into the car", f"{state.session_Wh:.1f} Wh")
    if state.meter_Wh is not None and state.meter_before_Wh is not None:
        table.add_row("Energy on the meter", f"{state.meter_Wh - state.meter_before_Wh:.1f} Wh")
    table.add_row("Session", f"{state.now_s - state.started_s:.1f} s")
    steps = [(f"{step} {at_s - state.started_s:.1f} s", "dim") for step, at_s in state.done.items()]
    table.add_row("Reached after", _lines_of(steps, ", ", columns - _FRAME - _LABEL))
    if more:
        count = sum(one.good for one in state.sessions) + state.succeeded
        table.add_row("", "")
        table.add_row(Text("All sessions", style="bold"), f"{count} of {more + 1} charged and left")
        table.add_row("Energy into the car", f"{state.energy_Wh + state.discharged_Wh:.1f} Wh")
        if state.meter_Wh is not None and state.meter_first_Wh is not None:
            table.add_row("Energy on the meter", f"{state.meter_Wh - state.meter_first_Wh:.1f} Wh")
    return Panel(table, title="summary", border_style="green" if state.succeeded else "red", expand=False)
