"""The whole picture: EVSEs, faults, modules, processes and links put together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from chargebyte_fw.contracts.fault_advice import advice_of
from chargebyte_fw.contracts.types import slac
from chargebyte_fw.kernel.clock import read_at
from chargebyte_fw.kernel.faults import Severity
from chargebyte_fw.manager.status.advice import help_for
from chargebyte_fw.manager.status.answer import Answer, ModuleFacts, ProcessFacts
from chargebyte_fw.manager.status.evse import EvseFacts, evse_of, pwm_of
from chargebyte_fw.manager.status.model import (
    ActiveFault,
    Evse,
    Link,
    LinkState,
    Module,
    ModuleState,
    Process,
    Status,
)

if TYPE_CHECKING:
    from chargebyte_fw.manager.status.collector import BoardFacts, Collector

_SEVERITIES = [Severity.High, Severity.Medium, Severity.Low]
CONTROLLER = "safety controller"
"""Name under which a driver reports its board (`Module.about`)."""
LOST = "CommunicationFault"
ABSENT = "Absent"
INOPERATIVE = "evse_manager/Inoperative"
Blocking = set[tuple[str, str]] | None
"""Implementation and type of the faults that block; None: not known, each of severity High counts."""


def picture(seen: Collector, now: datetime, time: str) -> Status:
    """Return everything at one moment."""
    answer = seen.answer or Answer(time=time)
    modules = list(_modules(seen, answer))
    evses = list(_evses(seen, now))
    own = {module_id: set(facts.own.blocking) for module_id, facts in seen.evses.items() if facts.own is not None}
    blocking = set().union(*own.values()) if own else None
    known = seen.answer is not None
    faults = sorted(_faults(seen, now, blocking), key=_rank)
    for evse in evses:
        mine = [fault for fault in faults if _is_of(fault, evse, own.get(evse.id))]
        evse.help, evse.help_text = help_for(evse, mine, modules)
    return Status(
        time=time,
        source=seen.source,
        configuration=answer.configuration,
        version=answer.version,
        ready=answer.ready if known else None,
        reason=answer.reason or ("modules start" if known and not answer.ready else ""),
        evses=evses,
        faults=faults,
        modules=modules,
        processes=[_process(one) for one in answer.processes],
        links=list(_links(seen, answer, modules, faults)),
        notices=answer.notices,
    )


def _is_of(fault: ActiveFault, evse: Evse, blocking: Blocking) -> bool:
    """Whether a fault concerns an EVSE; `blocking` is what it reports to keep it from charging."""
    if blocking is None:
        return fault.evse in (None, evse.number)
    return fault.module == evse.id or (f"{fault.module}.{fault.implementation}", fault.type) in blocking


def _evses(seen: Collector, now: datetime) -> Iterator[Evse]:
    ids = [*seen.evses, *(one for one in seen.api.evses if one not in seen.evses)]
    for place, module_id in enumerate(ids, 1):
        facts = seen.evses.get(module_id, EvseFacts())
        evse = evse_of(module_id, facts, seen.api.evses.get(module_id), seen.requests, now)
        evse.number = evse.number if evse.number is not None else place
        if evse.car is not None:
            evse.car.mac = _mac(seen, module_id)
        if not evse.pilot and (board := _board(seen, module_id, alone=len(ids) == 1)) is not None:
            evse.pilot, evse.pwm_percent = board.letter, pwm_of(board.letter, board.pwm_percent)
        yield evse


def _board(seen: Collector, evse: str, *, alone: bool) -> BoardFacts | None:
    """Return the pilot of the board that this EVSE uses; of the only one where the EVSE is the only one, too."""
    modules = seen.answer.modules if seen.answer is not None else []
    used = next((module.connections.get("bsp", []) for module in modules if module.id == evse), None)
    if used is None:
        used = [one for one, board in seen.boards.items() if board.user == evse] or (list(seen.boards) if alone else [])
    boards = [seen.boards[one] for one in used if one in seen.boards]
    return boards[0] if len(boards) == 1 else None


def _mac(seen: Collector, evse: str) -> str:
    """Return the car's address of the powerline link that this EVSE uses; of the only one where none is known."""
    modules = seen.answer.modules if seen.answer is not None else []
    used = next((module.connections.get("slac", []) for module in modules if module.id == evse), list(seen.slacs))
    links = [seen.slacs[one] for one in used if one in seen.slacs]
    link = links[0] if len(links) == 1 else None
    return link.mac if link is not None and link.state is not slac.State.UNMATCHED else ""


def _faults(seen: Collector, now: datetime, blocking: Blocking) -> Iterator[ActiveFault]:
    found: dict[tuple[str, ...], ActiveFault] = {}
    for given in seen.faults:
        if (fault := _fault(given, now, blocking)) is not None:
            found.setdefault((fault.type, fault.sub_type, fault.module, fault.implementation), fault)
    yield from found.values()


def _fault(given: Any, now: datetime, blocking: Blocking) -> ActiveFault | None:
    """Read EVerest's error object; None for what is none. `blocking`: those that block, where that is known."""
    origin = given.get("origin") if isinstance(given, dict) else None
    if not isinstance(origin, dict) or not isinstance(given.get("type"), str):
        return None
    type_, since = given["type"], str(given.get("timestamp") or "")
    severity = next((one for one in _SEVERITIES if one.value == given.get("severity")), Severity.High)
    begin, mapping = read_at(since), origin.get("mapping")
    sub_type = str(given.get("sub_type") or "")
    evse = mapping.get("evse") if isinstance(mapping, dict) else None
    module, implementation = str(origin.get("module_id") or ""), str(origin.get("implementation_id") or "")
    blocks = severity is Severity.High if blocking is None else (f"{module}.{implementation}", type_) in blocking
    return ActiveFault(
        type=type_,
        sub_type=sub_type,
        severity=severity,
        message=str(given.get("message") or given.get("description") or ""),
        module=module,
        implementation=implementation,
        evse=evse if isinstance(evse, int) else None,
        since=since,
        for_s=None if begin is None else max(0.0, round((now - begin).total_seconds(), 1)),
        blocks=blocks or type_ == INOPERATIVE,
        advice=advice_of(type_, sub_type, implementation).advice,
    )


def _rank(fault: ActiveFault) -> tuple[bool, int, bool, str]:
    # That an EVSE is inoperative follows from the others.
    follows = fault.type == INOPERATIVE
    return not fault.blocks, _SEVERITIES.index(fault.severity), follows, fault.since


def _modules(seen: Collector, answer: Answer) -> Iterator[Module]:
    if seen.answer is not None:
        yield from map(_module, answer.modules)
        return
    # Whoever publishes a variable is not all there is: without the names there is no list.
    for module_id, shown in sorted(seen.modules.items()):
        if shown.name:
            yield Module(id=module_id, name=shown.name)


def _module(facts: ModuleFacts) -> Module:
    return Module(
        id=facts.id,
        name=facts.name,
        program=facts.program,
        group=facts.group,
        process=facts.process,
        evse=facts.evse,
        state=_state(facts.state),
        restarts=facts.restarts,
        reason=facts.reason,
    )


def _state(given: str) -> ModuleState:
    return next((one for one in ModuleState if one.value == given), ModuleState.seen)


def _process(facts: ProcessFacts) -> Process:
    return Process(
        name=facts.name,
        kind=facts.kind,
        pid=facts.pid,
        state=_state(facts.state),
        restarts=facts.restarts,
        memory_MB=round(facts.memory_MB, 1) if facts.memory_MB else None,
        memory_limit_MB=facts.memory_limit_MB or None,
        modules=facts.modules,
    )


def _links(seen: Collector, answer: Answer, modules: Iterable[Module], faults: Iterable[ActiveFault]) -> Iterator[Link]:
    lost = {fault.module: fault for fault in faults if fault.type.endswith(f"/{LOST}") and fault.sub_type != ABSENT}
    boards = [one.id for one in answer.modules if "evse_board_support" in one.interfaces.values()]
    for module_id in boards:
        if module_id in lost:
            yield Link(name="MCU", of=module_id, state=LinkState.down, text=lost[module_id].message)
        else:
            text = answer.about.get(CONTROLLER, "")
            yield Link(name="MCU", of=module_id, state=LinkState.up if text else LinkState.unknown, text=text)
    slacs = [one.id for one in answer.modules if "slac" in one.interfaces.values()] or sorted(seen.slacs)
    for module_id in slacs:
        link = seen.slacs.get(module_id)
        if module_id in lost:
            yield Link(name="PLC", of=module_id, state=LinkState.down, text=lost[module_id].message)
        elif link is None:
            yield Link(name="PLC", of=module_id)
        else:
            state = LinkState.up if link.ready else LinkState.idle
            yield Link(name="PLC", of=module_id, state=state, text=link.state.value.lower() if link.state else "")
    if seen.answer is None:
        yield Link(name="broker", state=LinkState.up, text=seen.source)
    elif answer.broker:
        yield Link(name="broker", state=LinkState.up if answer.on_broker else LinkState.down, text=answer.broker)
    yield from _csms(seen, answer, modules)


def _csms(seen: Collector, answer: Answer, modules: Iterable[Module]) -> Iterator[Link]:
    given = answer.csms
    if isinstance(given, dict):
        connected = given.get("state") == "connected"
        url, reason = str(given.get("url") or ""), str(given.get("last_reason") or "")
        text = url if connected else ", ".join(part for part in (url, str(given.get("state") or ""), reason) if part)
        yield Link(name="CSMS", state=LinkState.up if connected else LinkState.down, text=text)
    elif seen.api.csms in ("connected", "disconnected"):
        yield Link(name="CSMS", state=LinkState.up if seen.api.csms == "connected" else LinkState.down)
