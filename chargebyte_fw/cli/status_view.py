"""A status as text: the most important first, within the width of the terminal and, for a screen, within its height."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from datetime import tzinfo
from itertools import groupby
from pathlib import PurePath

import msgspec
from msgspec.structs import replace

from chargebyte_fw.cli.text import counted
from chargebyte_fw.kernel.clock import read_at
from chargebyte_fw.manager.status.model import (
    ActiveFault,
    Evse,
    Help,
    Limit,
    LinkState,
    Module,
    ModuleState,
    Process,
    State,
    Status,
)

LABEL = 9
"""Columns of the label before what it names."""
DATED_S = 43200.0
"""A time that was so long ago has its date."""
FAULT_LINES = 3
"""Lines of a message or an advice at most."""
_STATE_STYLE = {State.Charging: "good", State.Unknown: "dim", State.Disabled: "warn"}
_LINK_STYLE = {LinkState.down: "bad", LinkState.unknown: "dim"}


class Line(msgspec.Struct, frozen=True):
    """One line and its style (`terminal.styled`)."""

    text: str
    style: str = ""


class Look(msgspec.Struct, frozen=True):
    """How to write: width, the sign of a cut, the time zone (None: the machine's)."""

    width: int = 80
    cut: str = "…"
    zone: tzinfo | None = None
    folded: int = FAULT_LINES
    """Lines that a long text may take."""
    modules: bool = False
    """Whether each module has its line; otherwise those alone that do not run as they should."""


def lines(status: Status, look: Look) -> list[Line]:
    """Return the whole status."""
    parts = [[*_evse(one, look), *_limits(one.limits, look)] for one in status.evses]
    return _joined([[_head(status, look)], *parts, *_rest(status, look)])


def screen(status: Status, look: Look, rows: int, chosen: str | None) -> list[Line]:
    """Return it within so many rows: one EVSE in full, or all where none is chosen; what is wrong before limits."""
    shown = [one for one in status.evses if chosen in (None, one.id)]
    parts = [[*_evse(one, look)] if one in shown else [_evse_title(one, look)] for one in status.evses]
    faults, *rest = _rest(status, look)
    limits = [_under(f"limits of EVSE {one.number}", _limits(one.limits, look), look) for one in shown]
    return fit([[_head(status, look)], *parts, faults, *limits, *rest], rows, look)


def page(name: str, status: Status, look: Look, rows: int) -> list[Line]:
    """Return `modules` or `faults` alone, within so many rows."""
    faults, _, processes, modules, _ = _rest(status, replace(look, modules=True))
    none = [Line("no fault is active", "good")]
    found = [processes, modules] if name == "modules" else [faults or none]
    return fit([[_head(status, look)], *found], rows, look)


def _rest(status: Status, look: Look) -> list[list[Line]]:
    notices = [line for notice in status.notices for line in _labelled("notice", notice, look, "warn")]
    makers = (_faults(status.faults, look), _links(status, look), _processes(status, look), _modules(status, look))
    return [*map(list, makers), notices]


def _under(title: str, found: Iterable[Line], look: Look) -> list[Line]:
    below = list(found)
    return [_line(title, look, "bold"), *below] if below else []


def _joined(parts: Iterable[Iterable[Line]]) -> list[Line]:
    return [line for part in parts for line in part]


def fit(found: Sequence[Sequence[Line]], rows: int, look: Look) -> list[Line]:
    """Return parts within so many rows: each keeps its first line, the first ones keep the most."""
    parts = [part for part in found if part]
    room = rows - len(parts)
    shown: list[Line] = []
    for part in parts:
        kept = len(part) if len(part) - 1 <= room else max(room, 0) + 1
        room -= kept - 1
        body = list(part[:kept])
        if kept < len(part):
            sign = f"{look.cut} {len(part) - kept} more"
            last = body[-1]
            body[-1] = Line(cut(f"{last.text[: max(look.width - len(sign) - 1, 0)]} {sign}", look), last.style)
        shown += body
    return shown[:rows]


def cut(text: str, look: Look) -> str:
    """Return a text within the width, what cannot be printed replaced."""
    plain = "".join(c if c.isprintable() else "?" for c in text).rstrip()
    return plain if len(plain) <= look.width else f"{plain[: look.width - 1]}{look.cut}"


def _line(text: str, look: Look, style: str = "") -> Line:
    return Line(cut(text, look), style)


def _labelled(label: str, text: str, look: Look, style: str = "") -> Iterator[Line]:
    """Yield a label and its text, folded below itself and cut where it is too long."""
    indent = " " * (LABEL + 2)
    folded = textwrap.wrap(text, max(look.width - len(indent), 10)) or [""]
    for at, one in enumerate(folded[: look.folded]):
        last = at == look.folded - 1 and len(folded) > look.folded
        before = f"  {label.ljust(LABEL)}" if at == 0 else indent
        yield _line(f"{before}{one}{f' {look.cut}' if last else ''}", look, style)


def _clock(text: str, look: Look, ago_s: float | None = None) -> str:
    """Write a time of day, with its date where it was long ago."""
    at = read_at(text)
    if at is None:
        return text
    return f"{at.astimezone(look.zone):{'%H:%M:%S' if (ago_s or 0.0) < DATED_S else '%Y-%m-%d %H:%M'}}"


def span(seconds: float) -> str:
    """Return a time span in its two largest units: `9 s`, `3 min 5 s`, `2 h 4 min`, `5 d 3 h`."""
    left = int(seconds)
    if left < 60:
        return f"{left} s"
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    first = next(at for at, (_, length) in enumerate(units) if left >= length)
    texts = []
    for name, length in units[first : first + 2]:
        number, left = divmod(left, length)
        texts += [f"{number} {name}"] if number else []
    return " ".join(texts)


def _head(status: Status, look: Look) -> Line:
    where = PurePath(status.configuration).name if status.configuration else status.source
    state = {None: "", True: "ready", False: "not ready"}[status.ready]
    reason = f"({status.reason})" if status.ready is False and status.reason else ""
    text = "  ".join(part for part in (_clock(status.time, look), where, state, reason, status.version) if part)
    return _line(text, look, "bad" if status.ready is False else "bold")


def _evse_title(evse: Evse, look: Look) -> Line:
    session = evse.session
    spent = span(session.duration_s) if session is not None and session.duration_s is not None else ""
    wanted = "" if evse.help in (Help.nothing, Help.wait) else f"[{evse.help.value}]"
    text = "  ".join(part for part in (f"EVSE {evse.number} {evse.id}", evse.state.value, spent, wanted) if part)
    blocked = evse.help is Help.call_service
    return _line(text, look, "bad" if blocked else _STATE_STYLE.get(evse.state, "bold"))


def _evse(evse: Evse, look: Look) -> Iterator[Line]:
    yield _evse_title(evse, look)
    if evse.help is not Help.nothing:
        text = evse.help_text or evse.help.value
        if not text.startswith(evse.help.value):
            text = f"{evse.help.value}: {text}"
        yield from _labelled("help", text, look, "bad" if evse.help is Help.call_service else "")
    if power := _power(evse):
        yield from _labelled("power", power, look)
    if evse.reason and evse.reason not in evse.help_text:
        yield from _labelled("reason", evse.reason, look)
    if evse.pilot:
        yield from _labelled("pilot", f"{evse.pilot}  {_pwm(evse.pwm_percent)}".rstrip(), look)
    if evse.car is not None:
        car = evse.car
        soc = f"{car.soc_percent:g} %" if car.soc_percent is not None else ""
        leaves = f"leaves {_clock(car.departure, look)}" if car.departure else ""
        mac = f"MAC {car.mac}" if car.mac and car.mac.upper() != car.evcc_id.upper() else ""
        evcc = f"EVCCID {car.evcc_id}" if car.evcc_id else ""
        known = [part for part in (evcc, mac, soc, car.manufacturer, leaves) if part]
        yield from _labelled("car", "  ".join(known) or "connected, nothing is known of it", look)
    if evse.protocol:
        yield from _labelled("protocol", evse.protocol, look)
    if (session := evse.session) is not None and (session.id or session.since):
        since = f"since {_clock(session.since, look)}" if session.since else ""
        known = [part for part in (since, session.authorized_by, session.id) if part]
        yield from _labelled("session", "  ".join(known), look)


def _pwm(percent: float | None) -> str:
    if percent is None:
        return ""
    return "no PWM" if percent >= 100.0 else f"PWM {percent:g} %"


def _power(evse: Evse) -> str:
    volts, amperes = _numbers(evse.voltage_V), _numbers(evse.current_A)
    if not volts and evse.power_W is None:
        return ""
    session = evse.session
    energy = f"{session.energy_Wh / 1000:.3f} kWh" if session is not None and session.energy_Wh is not None else ""
    out = f"{session.discharged_Wh / 1000:.3f} kWh out" if session is not None and session.discharged_Wh else ""
    power = f"{evse.power_W / 1000:.2f} kW" if evse.power_W is not None else ""
    parts = (f"{volts} V" if volts else "", f"{amperes} A" if amperes else "", power, energy, out)
    return "  ".join(part for part in parts if part)


def _numbers(by_phase: dict[str, float]) -> str:
    """Write `400.1`, or `230/231/229` for phases."""
    decimals = 1 if len(by_phase) < 2 else 0
    return "/".join(f"{value + 0.0:.{decimals}f}" for value in by_phase.values())


def _limits(limits: Sequence[Limit], look: Look) -> Iterator[Line]:
    """Yield the limits that hold, one line a source, then the others."""
    for rules, label in ((True, "limit"), (False, "others")):
        some = [limit for limit in limits if limit.rules is rules]
        for (who, until), group in groupby(sorted(some, key=lambda one: one.who), lambda one: (one.who, one.until)):
            values = ", ".join(dict.fromkeys(quantity(limit) for limit in group))
            ends = f" until {_clock(until, look)}" if until else ""
            yield from _labelled(label, f"{values} by {who}{ends}", look, "" if rules else "dim")
            label = ""


def quantity(limit: Limit) -> str:
    """Return the value of a limit with its unit."""
    match limit.quantity:
        case "current":
            return f"{limit.value:g} A"
        case "power":
            return f"{limit.value / 1000:.2f} kW" if abs(limit.value) >= 1000 else f"{limit.value:g} W"
        case _:
            return counted(int(limit.value), "phase")


def _faults(faults: Sequence[ActiveFault], look: Look) -> Iterator[Line]:
    if not faults:
        return
    blocking = sum(fault.blocks for fault in faults)
    keeps = f", {blocking} keep{'s' if blocking == 1 else ''} it from charging" if blocking else ""
    yield _line(f"{counted(len(faults), 'fault')}{keeps}", look, "bad" if blocking else "warn")
    for fault in faults:
        sub = f"/{fault.sub_type}" if fault.sub_type else ""
        since = f"since {_clock(fault.since, look, fault.for_s)}" if fault.since else ""
        spent = f"({span(fault.for_s)})" if fault.for_s is not None else ""
        text = "  ".join(part for part in (f"{fault.module}: {fault.type}{sub}", f"{since} {spent}".strip()) if part)
        yield from _labelled(fault.severity.value, text, look, "bad" if fault.blocks else "warn")
        if fault.message:
            yield from _labelled("message", fault.message, look)
        yield from _labelled("do", fault.advice, look)


def _links(status: Status, look: Look) -> Iterator[Line]:
    if not status.links:
        return
    worst = "bad" if any(link.state is LinkState.down for link in status.links) else ""
    yield _line(
        "links  " + "  ".join(f"{link.name} {link.state.value}" for link in status.links), look, worst or "bold"
    )
    many = {link.name for link in status.links if sum(one.name == link.name for one in status.links) > 1}
    for link in status.links:
        of = f"{link.of}: " if link.name in many else ""
        if link.text or of:
            yield from _labelled(link.name, f"{of}{link.text}", look, _LINK_STYLE.get(link.state, ""))


def _processes(status: Status, look: Look) -> Iterator[Line]:
    processes = status.processes
    if not processes:
        return
    total_MB = sum(one.memory_MB or 0.0 for one in processes)
    yield _line(
        f"{counted(len(processes), 'process')}  {total_MB:.0f} MB".replace("processs", "processes"), look, "bold"
    )
    if len(processes) > 1:
        width = max(len(one.name) for one in processes)
        for one in processes:
            yield _line(f"  {one.name.ljust(min(width, 20))}  {_process(one)}", look, _style(one.state))


def _process(one: Process) -> str:
    memory = f"{one.memory_MB:.0f}" if one.memory_MB is not None else "-"
    limit = f" of {one.memory_limit_MB:.0f}" if one.memory_limit_MB else ""
    modules = counted(one.modules, "module") if one.kind == "group" else ""
    restarts = counted(one.restarts, "restart") if one.restarts else ""
    known = (one.kind.ljust(7), one.state.value.ljust(8), f"{memory}{limit} MB", restarts, modules)
    return "  ".join(part for part in known if part)


def _style(state: ModuleState) -> str:
    if state in (ModuleState.running, ModuleState.seen):
        return ""
    return "bad" if state is ModuleState.out_of_service else "warn"


def _modules(status: Status, look: Look) -> Iterator[Line]:
    modules = status.modules
    if not modules:
        return
    running = sum(one.state in (ModuleState.running, ModuleState.seen) for one in modules)
    programs = sum(one.program for one in modules)
    state = "seen on the broker" if any(one.state is ModuleState.seen for one in modules) else "run"
    some = f"{running} of {counted(len(modules), 'module')}" if running < len(modules) else counted(running, "module")
    of_others = f", {counted(programs, 'program')} of others" if programs else ""
    yield _line(f"{some} {state}{of_others}", look, "bold" if running == len(modules) else "bad")
    shown = [one for one in modules if look.modules or _is_worth_a_line(one)]
    for one in shown:
        yield _line("  " + _module(one), look, _style(one.state))


def _is_worth_a_line(one: Module) -> bool:
    return one.program or bool(one.restarts) or one.state not in (ModuleState.running, ModuleState.seen)


def _module(one: Module) -> str:
    name = f"{one.id} ({one.name})" if one.name and one.name != one.id else one.id
    kind = "program" if one.program else one.group
    restarts = counted(one.restarts, "restart") if one.restarts else ""
    return "  ".join(part for part in (name, kind, one.state.value, restarts, one.reason) if part)


def texts(shown: Iterable[Line]) -> list[str]:
    """Return the lines without their styles."""
    return [line.text for line in shown]
