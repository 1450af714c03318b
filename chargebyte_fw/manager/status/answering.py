"""The charger's side of `secc status`: facts as the bus keeps them, read on request and at no other time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from chargebyte_fw import VERSION
from chargebyte_fw.kernel.clock import rfc3339, utc_now
from chargebyte_fw.kernel.faults import Faults
from chargebyte_fw.kernel.redaction import redact_value
from chargebyte_fw.manager.status.answer import VARIABLES, Answer, ModuleFacts, ProcessFacts, Value
from chargebyte_fw.manager.watched_process import memory_MB

if TYPE_CHECKING:
    from chargebyte_fw.kernel.contract import Contract
    from chargebyte_fw.kernel.module import Module
    from chargebyte_fw.kernel.runtime import Runtime
    from chargebyte_fw.manager.assembly import Assembly
    from chargebyte_fw.manager.plan import ModulePlan
    from chargebyte_fw.manager.status_file import Status as StatusFile

CHARGER = "secc"
"""Name of the process that has all modules."""


def answer(assembly: Assembly | None, books: Sequence[Faults], status: StatusFile, csms: Any = None) -> Answer:
    """Return what the modules of this process are and have published."""
    running = [] if assembly is None else list(assembly.modules.values())
    about = {key: text for module in running for key, text in getattr(module, "about", {}).items()}
    modules = [] if assembly is None else list(_modules(assembly))
    ours = sum(not module.program for module in modules)
    processes = [ProcessFacts(CHARGER, "charger", os.getpid(), memory_MB=memory_MB(os.getpid()), modules=ours)]
    return Answer(
        time=rfc3339(utc_now()),
        version=VERSION,
        configuration=status.configuration,
        ready=status.ready,
        reason="" if assembly is not None else "it starts again after a failure; the log has the reason",
        modules=modules,
        values=[] if assembly is None else list(_values(assembly.implementations.values())),
        faults=faults_of(books),
        processes=[*processes, *([] if assembly is None else _programs(assembly))],
        about=about,
        broker=status.broker,
        on_broker=status.on_broker,
        csms=csms,
        notices=list(status.notices),
    )


def faults_of(books: Iterable[Faults]) -> list[Any]:
    """Return EVerest's error objects of what is active, their secrets blanked."""
    return [redact_value(msgspec.to_builtins(fault)) for book in books for fault in book.active]


def _modules(assembly: Assembly) -> Iterable[ModuleFacts]:
    for plan in assembly.plans:
        module = assembly.modules[plan.id]
        facts = facts_of(plan, module.group)
        facts.process = plan.id if module.is_program else CHARGER
        facts.state, facts.reason = _state(assembly, module)
        facts.restarts = assembly.restarts.get(plan.id, 0)
        facts.own = _own(module, facts)
        yield facts


def facts_of(plan: ModulePlan, group: str) -> ModuleFacts:
    """Return what the configuration has of a module."""
    return ModuleFacts(
        plan.id,
        plan.module.module_name(),
        group=group,
        program=plan.module.is_program,
        evse=plan.mapping.evse if plan.mapping is not None else None,
        interfaces={name: provision.interface for name, provision in plan.module.provisions.items()},
        connections={name: [end.module_id for end in ends] for name, ends in plan.connections.items()},
    )


def _state(assembly: Assembly, module: Module) -> tuple[str, str]:
    book = assembly.failures.get(module.id)
    reason = next((fault.message for fault in book.active), "") if book is not None else ""
    if module.out_of_service:
        return "out of service", reason
    if module.id in assembly.late or module.id == assembly.starting:
        return "starting", reason
    return ("waiting" if module.away else "running"), reason


def _own(module: Module, facts: ModuleFacts) -> Any:
    try:
        return msgspec.to_builtins(module.report_status())
    except Exception as error:
        # A module that is only half initialised; whoever looks must not make it fail.
        facts.reason = facts.reason or f"its status cannot be read: {type(error).__name__}: {error}"
        return None


def _values(implementations: Iterable[Contract]) -> Iterable[Value]:
    for one in implementations:
        for name in VARIABLES.get(one.interface, ()):
            variable = getattr(one, name)
            if variable.known:
                # None of VARIABLES has a secret in it: to look for one would take most of the time.
                yield Value(one.module_id, one.implementation_id, name, msgspec.to_builtins(variable.value))


def _programs(assembly: Assembly) -> Iterable[ProcessFacts]:
    for module in assembly.modules.values():
        if module.is_program:
            pid = getattr(module, "pid", None) or 0
            state, _ = _state(assembly, module)
            limit_MB = getattr(getattr(module, "carrier", None), "program_memory_MB", 0)
            restarts = assembly.restarts.get(module.id, 0)
            yield ProcessFacts(module.id, "program", pid, state, restarts, memory_MB(pid) if pid else 0.0, limit_MB, 1)


def merged(answers: Mapping[str, Any], whole: Answer) -> Answer:
    """Return the answers of the groups (by name; an error in the place of one that has none) within the manager's."""
    known = {module.id: module for module in whole.modules}
    for name, given in answers.items():
        try:
            one = msgspec.convert(given, Answer)
        except msgspec.ValidationError:
            reason = str(given.get("error", "")) if isinstance(given, dict) else ""
            whole.notices.append(f"group {name} does not answer: {reason}".removesuffix(": "))
            continue
        for module in one.modules:
            module.process = name
            known[module.id] = module
        whole.values += one.values
        whole.faults += one.faults
        whole.about |= one.about
        whole.csms = whole.csms or one.csms
    whole.modules = [known[module.id] for module in whole.modules]
    whole.faults = list({_identity(fault): fault for fault in whole.faults}.values())
    return whole


def _identity(fault: Any) -> tuple[str, ...]:
    """A fault of a program is known to each group that uses it (`Fault.identity`)."""
    origin = fault["origin"]
    return fault["type"], fault["sub_type"], origin["module_id"], origin["implementation_id"]


async def csms_of(runtime: Runtime) -> Any:
    """Return how the station stands with its CSMS, None without an OCPP module."""
    if (ask := runtime.operator.get("ocpp")) is None:
        return None
    try:
        return (await ask({"what": "status"})).get("status")
    except Exception:
        # A station that begins anew; whoever looks must not make it fail.
        return None
