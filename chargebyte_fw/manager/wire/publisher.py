"""Publishes the modules of this process on MQTT: variables and faults go out, commands come in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from chargebyte_fw.kernel import bus
from chargebyte_fw.kernel.contract import Contract
from chargebyte_fw.kernel.faults import Fault
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.module import Module
from chargebyte_fw.kernel.rate_limited_log import RateLimitedLog
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.plan import ModulePlan
from chargebyte_fw.manager.wire import envelope
from chargebyte_fw.manager.wire.calls import Calls, attribute_of
from chargebyte_fw.manager.wire.carrier import Carrier
from chargebyte_fw.manager.wire.joining import Joining
from chargebyte_fw.manager.wire.onlookers import Onlookers
from chargebyte_fw.manager.wire.open_calls import OpenCalls

if TYPE_CHECKING:
    from chargebyte_fw.manager.configuration.changes import Keeper
    from chargebyte_fw.manager.wire.config_service import ConfigService


class Publisher:
    """Publishes one assembly at a time under EVerest's prefix. Without the broker that costs a comparison a value.

    Everything that EVerest promises to deliver is of QoS 2 (framework: 4.1): errors, answers, metadata, readiness, and
    the variables that a program of the configuration is connected to. A variable that only onlookers can receive is of
    QoS 0, and not published while there are none (`onlookers.py`).

    Commands are accepted from the modules of the configuration that run as processes of their own, and from
    `commands_from`. The origin is what the caller writes into its message: the broker's ACL has to keep others from
    using it; `commands_from` None accepts every one. `overlay` keeps what a program changes in the configuration.
    """

    def __init__(
        self,
        carrier: Carrier,
        *,
        retain_topics: bool = False,
        commands_from: Collection[str] | None = (),
        overlay: Keeper | None = None,
    ) -> None:
        self.carrier = carrier
        self.client = client = carrier.client
        self.prefix = carrier.prefix
        self.log = ModuleLog("wire")
        self._complaints = RateLimitedLog(self.log, "%d more messages made no sense within %g s")
        self._stops: list[Callable[[], None]] = []
        self._assembly: Assembly | None = None
        self._onlookers: Onlookers | None = None
        self._open_calls: OpenCalls | None = None
        self.calls = Calls(self._send)
        self._joining = Joining(carrier, retain=retain_topics)
        self._overlay = overlay
        self._foreign: set[str] = set()
        self._from_anyone = commands_from is None
        self._commands_from = frozenset(commands_from or ())
        self._undeclared = RateLimitedLog(self.log, "%d more commands of undeclared origins within %g s", lines=1)
        self._ready = False
        self._shutting_down = False
        self.configuration: ConfigService | None = None
        client.on_up.append(self._came_up)
        client.on_down.append(self._went_down)

    def join(self, assembly: Assembly) -> None:
        """Publish these modules; call it after `build` and before `start`, so that no value is missed."""
        self._assembly = assembly
        self._shutting_down = False
        self._foreign = {module_id for module_id, module in assembly.modules.items() if module.is_program}
        awaited = {
            (end.module_id, end.implementation_id)
            for plan in assembly.plans
            if plan.id in self._foreign
            for ends in plan.connections.values()
            for end in ends
        }
        for (module_id, name), implementation in assembly.implementations.items():
            if module_id in self._foreign:
                at = f"{self.prefix}modules/{module_id}/impl/{name}/"
                report = partial(self._absence, at)
                self._stops.append(implementation.faults.subscribe(report, report))
            else:
                qos = 2 if (module_id, name) in awaited else 0
                self._show(f"{self.prefix}modules/{module_id}/impl/{name}/", implementation, qos)
        self._stops.append(self.client.subscribe(f"{self.prefix}modules/+/impl/+/cmd/+", self._on_call))
        # A module of this process answers itself.
        self._open_calls = OpenCalls(self.carrier, assembly.plans, self._foreign)
        self._open_calls.begin()
        self._stops.append(self._open_calls.end)
        self._joining.begin(assembly.plans, self._foreign)
        self._serve_configuration(assembly)
        for module_id in self._foreign:
            self._stops.append(
                self.client.subscribe(f"{self.prefix}modules/{module_id}/ready", partial(self._on_ready, module_id))
            )
            self.adopt(assembly.modules[module_id])

    def _serve_configuration(self, assembly: Assembly) -> None:
        # Imported only where the wire is on.
        from chargebyte_fw.manager.wire.config_service import ConfigService

        self.configuration = ConfigService(
            self.carrier, self._on_asked, self._complain, self._foreign | self._commands_from, self._overlay
        )
        self.configuration.begin(assembly.plans)
        self._stops.append(self.configuration.end)

    def adopt(self, module: Module) -> None:
        """Take a new instance of a module: its calls begin anew, a program gets what it needs of the wire."""
        self.calls.forget(module.id)
        if module.is_program:
            vars(module)["carrier"] = self.carrier
            vars(module)["shut_down"] = self.announce_shutdown if self.carrier.graceful_shutdown else None
            vars(module)["callers"] = self._callers_of(module.id)
            if self._ready:
                self._joining.admit(module.id)

    def _callers_of(self, module_id: str) -> dict[str, list[str]]:
        """Return by implementation which modules of this process may call it."""
        found: dict[str, list[str]] = {}
        for plan in self._assembly.plans if self._assembly is not None else ():
            for end in (end for ends in plan.connections.values() for end in ends):
                callers = found.setdefault(end.implementation_id, [])
                if end.module_id == module_id and plan.id not in self._foreign and plan.id not in callers:
                    callers.append(plan.id)
        return found

    def refuse_calls(self, module_id: str, text: str) -> None:
        """Refuse what programs have asked of a program that has failed, until it is announced to again."""
        if self._open_calls is not None:
            self._open_calls.absent(module_id, text)

    def announce_to(self, module: Module) -> None:
        """Announce to a program that was started later that all are ready; others ignore the repetition."""
        if module.is_program:
            if self._open_calls is not None:
                self._open_calls.present(module.id)
            self._joining.arrived(module.id)
            self._send(f"{self.prefix}ready", envelope.message("GlobalReady", True))
            self.publish_again(module.id, self._assembly.plans if self._assembly is not None else ())

    def publish_again(self, program_id: str, plans: Sequence[ModulePlan]) -> None:
        """Publish the last values and the active errors of what a program that was away is connected to.

        EVerest keeps none (framework: 4.7): it starts all modules again. Where another program is connected, too, they
        are left out: it would take an event for a second one.
        """
        users: dict[tuple[str, str], set[str]] = {}
        for plan in (plan for plan in plans if plan.module.is_program):
            for end in (end for ends in plan.connections.values() for end in ends):
                users.setdefault((end.module_id, end.implementation_id), set()).add(plan.id)
        implementations = self._assembly.implementations if self._assembly is not None else {}
        for place in (place for place, programs in users.items() if programs == {program_id}):
            implementation = implementations.get(place)
            if implementation is None or place[0] in self._foreign:
                continue
            at = f"{self.prefix}modules/{place[0]}/impl/{place[1]}/"
            for name in implementation.variables:
                variable = getattr(implementation, name)
                if variable.known:
                    self._fact(f"{at}var/{name}", 2, variable.value)
            for fault in implementation.faults.active:
                self._fault(at, fault)

    def announce_shutdown(self) -> None:
        """Ask every program to end, once (EVerest's `--graceful-shutdown`): the one message without an envelope."""
        if not self._shutting_down:
            self._shutting_down = True
            self._send(f"{self.prefix}shutdown", b"true")

    def _on_asked(self, module_id: str) -> None:
        """Publish what a program reads next that begins, as one that was started again from outside."""
        module = self._assembly.modules.get(module_id) if self._assembly is not None else None
        if module is None or not module.is_program or not self._joining.admit(module_id):
            return
        if module.standalone:
            module.begins_again()
        else:
            self._complain("a second program with the id %s asks for its configuration", module_id)

    def _on_ready(self, module_id: str, _topic: str, _payload: bytes) -> None:
        self._joining.arrived(module_id)
        module = self._assembly.modules.get(module_id) if self._assembly is not None else None
        if self._ready and module is not None and not module.away:
            # EVerest's manager repeats the announcement for whoever is ready again.
            self._send(f"{self.prefix}ready", envelope.message("GlobalReady", True))
            if module.standalone and self._assembly is not None:
                self.publish_again(module_id, self._assembly.plans)

    def leave(self) -> None:
        """Publish nothing any more."""
        stops, self._stops = self._stops, []
        for stop in stops:
            stop()
        if self._onlookers is not None:
            self._onlookers.end()
            self._onlookers = None
        self.calls.lines.clear()
        self._joining.end()
        self._complaints.close()
        self._undeclared.close()
        self._assembly = None
        self._foreign.clear()
        self._ready = False

    def announce_ready(self) -> None:
        """Announce that every module is initialised, as EVerest's modules and manager do."""
        self._ready = True
        self._joining.all_are_ready()
        self._announce()

    def _came_up(self) -> None:
        if self._ready:
            self._announce()
        for module_id in self._driving():
            if self._assembly is not None and not self._assembly.modules[module_id].away:
                self._assembly.mark_present(module_id)

    def _went_down(self) -> None:
        # Whoever drives something only over the broker drives nothing now.
        for module_id in self._driving():
            if self._assembly is not None:
                self._assembly.mark_absent(module_id, f"the broker is away, over which {module_id} is reached")

    def _driving(self) -> set[str]:
        """Return the programs by which modules here drive something."""
        implementations = {} if self._assembly is None else self._assembly.implementations
        return {one for (one, _), provided in implementations.items() if one in self._foreign and provided.one_user}

    def _announce(self) -> None:
        if self._assembly is None or not self.client.online:
            return
        self._announce_modules(self._assembly)
        self._send(f"{self.prefix}ready", envelope.message("GlobalReady", True))

    def _announce_modules(self, assembly: Assembly) -> None:
        for module_id, module in assembly.modules.items():
            if module_id in self._foreign:
                continue
            provides = {name: {"interface": one.interface} for name, one in module.provisions.items()}
            data = {"module": module.module_name(), "provides": provides}
            at = f"{self.prefix}modules/{module_id}"
            self._send(f"{at}/metadata", envelope.message(self.carrier.dialect.response, data))
            self._send(f"{at}/ready", envelope.message("ModuleReady", True))

    def _send(self, topic: str, payload: bytes) -> None:
        self.client.publish(topic, payload, wait=False, qos=2)

    def _show(self, at: str, implementation: Contract, qos: int) -> None:
        for name in implementation.variables:
            variable = getattr(implementation, name)
            topic = f"{at}var/{name}"
            show = partial(self._fact, topic, qos) if qos else self._for_onlookers().of(topic)
            failed = partial(self._not_shown, topic)
            self._stops.append(variable.subscribe(show, guard=failed))
        self._stops.append(implementation.faults.subscribe(partial(self._fault, at), partial(self._fault, at)))

    def _for_onlookers(self) -> Onlookers:
        if self._onlookers is None:
            self._onlookers = Onlookers(self.client)
        return self._onlookers

    def _fact(self, topic: str, qos: int, value: Any) -> None:
        if self.client.online:
            self.client.publish(topic, envelope.variable(value), wait=False, qos=qos)

    def _not_shown(self, topic: str, error: BaseException) -> None:
        # An onlooker misses a value; charging must not end for that.
        self.log.error("%s cannot be shown: %s: %s", topic, type(error).__name__, error)

    def _fault(self, at: str, fault: Fault) -> None:
        if self.client.online:
            self._send(f"{at}error/{fault.type}", envelope.error(fault))

    def _absence(self, at: str, fault: Fault) -> None:
        """Report the end of a program in its place: others of other processes use what it provides, too."""
        if fault.sub_type == bus.ABSENT:
            self._fault(at, fault)

    def _on_call(self, topic: str, payload: bytes) -> None:
        _, module_id, _, implementation_id, _, command = topic.removeprefix(self.prefix).split("/")
        if self._assembly is None or module_id not in self._assembly.modules or module_id in self._foreign:
            return
        try:
            call = envelope.read_call(payload)
        except msgspec.MsgspecError as error:
            self._complain("%s: this is no command of EVerest: %s", topic, error)
            return
        if not (self._from_anyone or call.origin in self._foreign or call.origin in self._commands_from):
            self._undeclared.write(
                "%s: %s may not command here (--wire-commands-from %s)", topic, call.origin, call.origin
            )
            text = f"commands over MQTT are not taken from {call.origin}"
            self.calls.answer(topic, call, envelope.failure(call, module_id, "HandlerException", text))
            return
        provider = self._assembly.implementations.get((module_id, implementation_id))
        name = None if provider is None else attribute_of(provider, command)
        if provider is None or name is None:
            text = f"{topic} is no command here"
            self.calls.answer(topic, call, envelope.failure(call, module_id, "MessageParsingError", text))
            return
        self.calls.take(topic, call, provider, name, len(payload))

    def _complain(self, text: str, *values: Any) -> None:
        self._complaints.write(text, *values)
