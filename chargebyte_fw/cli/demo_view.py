"""The demo's screen: the running session, drawn with rich."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from chargebyte_fw.cli.demo_state import FRAMES_SHOWN, DemoState

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


STEPS_A_LINE = 5
SUMMARY_STEPS_A_LINE = 3


_STYLE = {"": "bold cyan", "into the car": "bold cyan", "out of the car": "bold magenta"}
_ARROW = {"": "", "into the car": " → car", "out of the car": " → grid"}


def _steps(state: DemoState) -> Text:
    text = Text()
    current = state.current_step
    for place, step in enumerate(state.steps):
        if place:
            text.append(" →\n" if place % STEPS_A_LINE == 0 else " → ", style="dim")
        if step in state.done:
            text.append(f"✓ {step}", style="green")
        elif step == current:
            text.append(f"• {step}", style="bold yellow")
        else:
            text.append(step, style="dim")
    return text


def _numbers(state: DemoState) -> Table:
    table = Table.grid(padding=(0, 3), expand=True)
    for _ in range(4):
        table.add_column(justify="left")
    where = state.direction
    contactor = Text(state.contactor, style="bold red" if state.contactor == "closed" else "green")
    table.add_row(
        Text.assemble("Voltage ", (f"{state.voltage_V:6.1f} V", "bold cyan")),
        Text.assemble("Current ", (f"{state.current_A:6.1f} A", "bold cyan")),
        Text.assemble("Power ", (f"{state.power_W / 1000:6.2f} kW", _STYLE[where]), _ARROW[where]),
        Text.assemble("Energy ", (f"{state.energy_Wh:7.1f} Wh", "bold cyan")),
    )
    table.add_row(
        Text.assemble("Pilot ", (f"{state.cp_state}, {state.duty_percent:g} %", "bold")),
        Text.assemble("Contactor ", contactor),
        Text.assemble("Charger ", (state.charger_state, "bold")),
        Text.assemble("Time ", (f"{state.now_s:7.1f} s", "bold")),
    )
    return table


def agreed(state: DemoState) -> str:
    """Return protocol, TLS version and service of the session; empty before the handshake."""
    if not state.speaks:
        return ""
    tls = f"TLS {state.tls_version}" if state.tls_version else "plain TCP"
    return ", ".join(part for part in (state.speaks, tls, state.service) if part)


def _session(state: DemoState) -> Table:
    """Show what car and charger agreed on."""
    table = Table.grid(padding=(0, 3), expand=True)
    for _ in range(3):
        table.add_column(justify="left")
    table.add_row(
        Text.assemble("Speaks ", (agreed(state) or "–", "bold")),
        Text.assemble("Paid by ", (state.identity or "–", "bold")),
        Text.assemble("Price ", (state.price or "none announced", "bold")),
    )
    return table


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


def _csms(state: DemoState) -> list[RenderableType]:
    """Show the conversation with the CSMS, where there is one."""
    if not state.ocpp:
        return []
    lines = Text("\n".join(state.conversation) or "no station is connected yet", no_wrap=True, overflow="ellipsis")
    return [Panel(lines, title=f"CSMS, OCPP {state.ocpp}", border_style="dim", height=FRAMES_SHOWN + 2)]


def screen(state: DemoState) -> RenderableType:
    """Draw the whole screen for one moment."""
    messages = Text(
        "\n".join(map(str, state.messages)) or "nothing on the wire yet", style="white" if state.messages else "dim"
    )
    parts: list[RenderableType] = [_steps(state), Text(), _numbers(state), Text(), _battery(state)]
    if state.protocol != "basic":
        parts[2:2] = [_session(state), Text()]
    if state.faults:
        parts += [Text(), Text("Faults: " + ", ".join(state.faults), style="bold red")]
    below: list[RenderableType] = [Text(state.hint, style="dim")] if state.hint else []
    return Group(
        Panel(
            Group(*parts),
            title=f"[bold]chargebyte_fw[/bold] · {_TITLE.get(state.protocol, state.protocol)}",
            border_style="blue",
            padding=(1, 2),
        ),
        Panel(messages, title="last messages", border_style="dim", height=10),
        *_csms(state),
        *below,
    )


def summary(state: DemoState) -> RenderableType:
    """Draw what remains when the session is over."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column()
    good = "the car charged, and the CSMS stopped it" if state.ocpp else "the car charged and left"
    result = Text(good, style="bold green") if state.succeeded else Text(state.reason, style="bold red")
    table.add_row("Result", result)
    first = state.first_soc_percent or 0.0
    table.add_row("State of charge", f"{first:.1f} % → {state.soc_percent:.1f} %")
    if agreed(state):
        table.add_row("Session by", agreed(state))
        table.add_row("Paid by", ", ".join(part for part in (state.identity, state.price) if part))
    if state.discharged_Wh:
        table.add_row("Energy out of the car", f"{state.discharged_Wh:.1f} Wh")
    table.add_row("Energy into the car", f"{state.energy_Wh + state.discharged_Wh:.1f} Wh")
    if state.meter_Wh is not None and state.meter_first_Wh is not None:
        table.add_row("Energy on the meter", f"{state.meter_Wh - state.meter_first_Wh:.1f} Wh")
    table.add_row("Session", f"{state.now_s - state.started_s:.1f} s")
    steps = [f"{step} {at_s - state.started_s:.1f} s" for step, at_s in state.done.items()]
    lines = [", ".join(steps[i : i + SUMMARY_STEPS_A_LINE]) for i in range(0, len(steps), SUMMARY_STEPS_A_LINE)]
    table.add_row("Reached after", Text(",\n".join(lines), style="dim"))
    return Panel(table, title="summary", border_style="green" if state.succeeded else "red", expand=False)
