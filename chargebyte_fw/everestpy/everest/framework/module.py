"""A module of EVerest in a process of its own: what it provides, calls, subscribes to, raises and reads."""

from __future__ import annotations

import time
import uuid
import weakref
from collections.abc import Callable, Mapping
from typing import Any

from . import error as errors
from .life import Life
from .log import LOGGER
from .metadata import Fulfillment, Interface, ModuleInfo, ModuleSetup
from .session import RuntimeSession
from .wire import WHOLE_MODULE, BadMessage, CommandFailed, call_of, encode, failure, result, value_of

COMMAND_LIMIT_S = 300.0
"""How long an answer may take (EVerest)."""
CHANGE_STATUSES = ("Accepted", "Rejected", "RebootRequired")
Json = Any


class Module:
    """`Module(session)`, with the id of the environment, or `Module(module_id, session)`.

    Connects to the broker and reads configuration and metadata before it returns; raises RuntimeError. Handlers and
    callbacks run on threads of this library: one after the other for each command, variable and error, several of
    these at a time. A handler may call commands.
    """

    def __init__(self, *arguments: Any) -> None:
        module_id, session = (None, *arguments) if len(arguments) == 1 else arguments
        if not isinstance(session, RuntimeSession):
            raise TypeError("Module takes a RuntimeSession, after the module's id if there is one")
        self._began_at = time.monotonic()
        self._life = life = Life(str(module_id or session.module_id), session)
        self._metadata = metadata = life.metadata
        weakref.finalize(self, life.close)
        self._implemented: dict[tuple[str, str], Callable[[dict[str, Json]], Json]] = {}
        self._callbacks: dict[str, list[Callable[[Json], Any]]] = {}
        self._change_handlers: dict[tuple[str, str], Callable[[str], Json]] = {}
        self._setup = metadata.setup()
        self._info = metadata.info()
        self._implementations = {name: metadata.interface(one) for name, one in metadata.provides.items()}
        self._requirements = {name: metadata.interface(one["interface"]) for name, one in metadata.requires.items()}
        self._raised = {name: errors.Database(one.errors) for name, one in self._implementations.items()}
        self._seen: dict[tuple[str, int], errors.Subscriptions] = {}
        self._listen_to_errors()
        provides = {name: {"interface": one} for name, one in metadata.provides.items()}
        life.send_response("metadata", {"module": self._info.name, "provides": provides})

    def say_hello(self) -> ModuleSetup:
        """Return configuration and connections."""
        return self._setup

    def init_done(self, on_ready: Callable[[], Any] | None = None) -> None:
        """Report ready; `on_ready` is called once all modules are. A command without handler raises RuntimeError."""
        missing = [
            f"{implementation}.{command}"
            for implementation, interface in self._implementations.items()
            for command in interface.commands
            if (implementation, command) not in self._implemented
        ]
        if missing:
            raise RuntimeError(f"no handler for {', '.join(missing)}: call implement_command before init_done")
        LOGGER.info("module %s initialized [%d ms]", self._info.id, (time.monotonic() - self._began_at) * 1000)
        self._life.report_ready(on_ready)

    def shutdown_handler(self, callback: Callable[[], Any]) -> None:
        """Call this when the manager asks all modules to end; the connection is closed afterwards."""
        self._life.on_shutdown = callback

    def call_command(self, fulfillment: Fulfillment, name: str, args: dict[str, Json]) -> Json:
        """Call a command and wait for its result; raises CommandFailed, a RuntimeError."""
        interface = self._metadata.requires.get(fulfillment.requirement_id, {}).get("interface", "")
        arguments = self._metadata.arguments(interface, name)
        if arguments is None:
            raise RuntimeError(f"{fulfillment.requirement_id} ({interface}) has no command {name}")
        missing = [argument for argument in arguments if argument not in args]
        if missing:
            # A module in C++ ends on a missing argument.
            raise RuntimeError(f"{name} takes {', '.join(arguments)}; missing: {', '.join(missing)}")
        if complaint := self._metadata.checks.arguments(interface, name, args):
            raise CommandFailed("SchemaValidationError", f"{fulfillment.requirement_id}.{name}: {complaint}")
        topic = self._life.topics.command(fulfillment.module_id, fulfillment.implementation_id, name)
        call_id = str(uuid.uuid4())
        payload = encode("Cmd", {"id": call_id, "args": args, "origin": self._info.id})
        return self._life.call(topic, call_id, payload, COMMAND_LIMIT_S)

    def publish_variable(self, impl_id: str, name: str, value: Json) -> None:
        """Publish a variable of an implementation."""
        if name not in self._interface(impl_id).variables:
            raise RuntimeError(f"{impl_id} has no variable {name}")
        if complaint := self._metadata.checks.variable(self._metadata.provides[impl_id], name, value):
            raise RuntimeError(f"{impl_id}.{name} is not published: {complaint}")
        topic = self._life.topics.variable(self._info.id, impl_id, name)
        self._life.connection.publish(topic, encode("Var", {"data": value}))

    def implement_command(self, impl_id: str, name: str, handler: Callable[[dict[str, Json]], Json]) -> None:
        """Have a command handled: `handler(args)` returns the result, None where there is none."""
        if name not in self._interface(impl_id).commands:
            raise RuntimeError(f"{impl_id} has no command {name}")
        if (impl_id, name) in self._implemented:
            raise RuntimeError(f"{impl_id}.{name} has a handler already")
        self._implemented[impl_id, name] = handler
        life, me, checks, interface = self._life, self._info.id, self._metadata.checks, self._metadata.provides[impl_id]

        def handle(arguments: dict[str, Json]) -> Json:
            _refuse(impl_id, name, checks.arguments(interface, name, arguments))
            value = handler(arguments)
            _refuse(impl_id, name, checks.result(interface, name, value))
            return value

        def take(topic: str, data: Json) -> None:
            call_id, origin, arguments = call_of(data)
            life.connection.publish(f"{topic}/response/{origin}", _answer(handle, topic, call_id, me, arguments))

        life.listen([life.topics.command(me, impl_id, name)], {"Cmd": take})

    def subscribe_variable(self, fulfillment: Fulfillment, name: str, callback: Callable[[Json], Any]) -> None:
        """Call back with each value of a variable; a variable may have several callbacks."""
        requirement = self._requirements.get(fulfillment.requirement_id)
        if requirement is None or name not in requirement.variables:
            raise RuntimeError(f"{fulfillment.requirement_id} has no variable {name}")
        topic = self._life.topics.variable(fulfillment.module_id, fulfillment.implementation_id, name)
        callbacks = self._callbacks.get(topic)
        if callbacks is not None:
            callbacks.append(callback)
            return
        callbacks = self._callbacks[topic] = [callback]
        checks, interface = self._metadata.checks, self._metadata.requires[fulfillment.requirement_id]["interface"]

        def take(_topic: str, data: Json) -> None:
            value = value_of(data)
            if complaint := checks.variable(interface, name, value):
                raise BadMessage(complaint)
            for one in list(callbacks):
                one(value)

        self._life.listen([topic], {"Var": take})

    def raise_error(self, impl_id: str, error: errors.Error) -> None:
        """Raise an error of an implementation; one that is active already, or not of its interface, is left out."""
        database = self._raised_at(impl_id)
        if error.type not in database.allowed:
            LOGGER.error("%s cannot be raised by %s: its interface has no such error", error.type, impl_id)
        elif database.add(error):
            self._send_error(impl_id, error)

    def clear_error(self, impl_id: str, type: str, sub_type: str = "") -> None:
        """Clear an error; without a sub_type, the one whose sub_type is empty."""
        self._clear(impl_id, type, sub_type)

    def clear_all_errors_of_impl(self, impl_id: str, type: str | None = None) -> None:
        """Clear the errors of an implementation, of one type or all."""
        self._clear(impl_id, type, None)

    def get_error_factory(self, impl_id: str) -> errors.ErrorFactory:
        """Return what makes errors of an implementation."""
        self._interface(impl_id)
        origin = errors.ImplementationIdentifier(self._info.id, impl_id, self._metadata.mapping(impl_id))
        return errors.ErrorFactory(origin, self._metadata.descriptions(self._metadata.provides[impl_id]))

    def get_error_state_monitor_impl(self, impl_id: str) -> errors.ErrorStateMonitor:
        """Return what knows the active errors of an implementation."""
        return errors.ErrorStateMonitor(self._raised_at(impl_id))

    def get_error_state_monitor_req(self, fulfillment: Fulfillment) -> errors.ErrorStateMonitor:
        """Return what knows the active errors of a connected implementation."""
        return errors.ErrorStateMonitor(self._seen_at(fulfillment).database)

    def subscribe_error(
        self,
        fulfillment: Fulfillment,
        type: str,
        callback: errors.Callback,
        clear_callback: errors.Callback,
    ) -> None:
        """Call back when an error of this type is raised and when it is cleared."""
        self._seen_at(fulfillment).subscribe(type, callback, clear_callback)

    def subscribe_all_errors(
        self, fulfillment: Fulfillment, callback: errors.Callback, clear_callback: errors.Callback
    ) -> None:
        """Call back when any error is raised and when it is cleared."""
        self._seen_at(fulfillment).subscribe(None, callback, clear_callback)

    def get_config_value(self, module_id: str, param_name: str, impl_id: str | None = None) -> dict[str, Json]:
        """Return `status`, `status_info` and, if it may be read, the `value` of a parameter."""
        request = {"type": "Value", "identifier": _identifier(module_id, param_name, impl_id)}
        answer = self._life.config.ask("Get", request)
        found = {"status": answer.get("status", "Error"), "status_info": answer.get("status_info", "")}
        data = (answer.get("response") or {}).get("data")
        return {**found, "value": data["value"]} if isinstance(data, Mapping) and "value" in data else found

    def set_config_value(
        self, module_id: str, param_name: str, value: str, impl_id: str | None = None
    ) -> dict[str, Json]:
        """Change a parameter, from its text; return `status`, `status_info` and `set_status`."""
        request = {"identifier": _identifier(module_id, param_name, impl_id), "value": value}
        answer = self._life.config.ask("Set", request)
        outcome = answer.get("response") or {}
        info = outcome.get("status_info") or answer.get("status_info", "")
        return {
            "status": answer.get("status", "Error"),
            "status_info": info,
            "set_status": outcome.get("status", "Rejected"),
        }

    def register_config_change_handler(self, impl_id: str, param_name: str, handler: Callable[[str], Json]) -> None:
        """Have a change of a parameter handled: `handler(text)` returns `{status, reason?}`."""
        first = not self._change_handlers
        self._change_handlers[impl_id or WHOLE_MODULE, param_name] = handler
        if not first:
            return
        handlers, life = self._change_handlers, self._life

        def take(_topic: str, data: Json) -> None:
            outcome = _changed(handlers, data)
            life.send_response("config/set_response", outcome)

        topic = life.topics.module(self._info.id, "config/set_request")
        # Release 2026.02 has no such message.
        life.listen([topic], {"ConfigurationRequest": take})

    @property
    def fulfillments(self) -> dict[str, list[Fulfillment]]:
        """The connections of each requirement."""
        return self._setup.connections

    @property
    def implementations(self) -> dict[str, Interface]:
        """What the module provides."""
        return self._implementations

    @property
    def requirements(self) -> dict[str, Interface]:
        """What the module requires."""
        return self._requirements

    @property
    def info(self) -> ModuleInfo:
        """Name, license, paths and the like."""
        return self._info

    def _interface(self, impl_id: str) -> Interface:
        if impl_id not in self._implementations:
            raise RuntimeError(f"{self._info.name} provides no {impl_id}")
        return self._implementations[impl_id]

    def _raised_at(self, impl_id: str) -> errors.Database:
        self._interface(impl_id)
        return self._raised[impl_id]

    def _seen_at(self, fulfillment: Fulfillment) -> errors.Subscriptions:
        seen = self._seen.get((fulfillment.requirement_id, fulfillment.index))
        if seen is None:
            raise RuntimeError(f"errors of {fulfillment.requirement_id} are not received")
        return seen

    def _clear(self, impl_id: str, kind: str | None, sub_type: str | None) -> None:
        for error in self._raised_at(impl_id).take(kind, sub_type):
            error.state = errors.State.ClearedByModule
            self._send_error(impl_id, error)

    def _send_error(self, impl_id: str, error: errors.Error) -> None:
        kind = "RaiseError" if error.state is errors.State.Active else "ClearError"
        topic = self._life.topics.error(self._info.id, impl_id, error.type)
        self._life.connection.publish(topic, encode(kind, errors.to_json(error)))

    def _listen_to_errors(self) -> None:
        for name, interface in self._requirements.items():
            if (self._metadata.requires[name].get("ignore") or {}).get("errors") is True:
                continue
            for one in self._setup.connections[name]:
                seen = self._seen[name, one.index] = errors.Subscriptions(interface.errors)

                def take(_topic: str, data: Json, seen: errors.Subscriptions = seen) -> None:
                    try:
                        error = errors.from_json(data)
                    except (KeyError, TypeError, ValueError) as problem:
                        raise BadMessage(f"not an error of EVerest: {problem}") from problem
                    seen.take(error)

                topics = [
                    self._life.topics.error(one.module_id, one.implementation_id, kind) for kind in interface.errors
                ]
                self._life.listen(topics, {"RaiseError": take, "ClearError": take})


def _identifier(module_id: str, param_name: str, impl_id: str | None) -> dict[str, str]:
    found = {"module_id": module_id, "configuration_parameter_name": param_name}
    return found if impl_id is None else {**found, "module_implementation_id": impl_id}


def _refuse(impl_id: str, name: str, complaint: str | None) -> None:
    if complaint:
        LOGGER.warning("%s.%s: %s", impl_id, name, complaint)
        raise CommandFailed("SchemaValidationError", complaint)


def _answer(
    handler: Callable[[dict[str, Json]], Json], topic: str, call_id: str, me: str, arguments: dict[str, Json]
) -> bytes:
    """Return the answer to a call; an exception of the handler is one as well."""
    try:
        return result(call_id, me, handler(arguments))
    except CommandFailed as problem:
        return failure(call_id, me, problem.kind, str(problem))
    except Exception as problem:
        LOGGER.exception("%s: the handler failed", topic)
        return failure(call_id, me, "HandlerException", str(problem) or type(problem).__name__)


def _changed(handlers: Mapping[tuple[str, str], Callable[[str], Json]], data: Json) -> dict[str, Json]:
    """Return the answer to a change of the configuration."""
    try:
        wanted, text = data["identifier"], str(data["value"])
        key = (wanted.get("module_implementation_id") or WHOLE_MODULE, wanted["configuration_parameter_name"])
    except (KeyError, TypeError, AttributeError) as problem:
        raise BadMessage(f"a change without identifier or value: {problem}") from problem
    handler = handlers.get(key)
    status, reason = "Rejected", ""
    if handler is None:
        reason = f"{key[1]} has no handler"
    else:
        try:
            found = handler(text)
            status, reason = found.get("status", "Rejected"), str(found.get("reason", ""))
        except Exception as problem:
            LOGGER.exception("the handler of %s failed", key[1])
            reason = str(problem)
    if status not in CHANGE_STATUSES:
        status = "Rejected"
    response = {"status": status, "status_info": reason}
    return {"status": "Ok", "status_info": "", "type": "Set", "response": response}
