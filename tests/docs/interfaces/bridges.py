"""The topics of EVerest's API modules: each module runs on a virtual clock, every payload is sent and taken."""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

import msgspec

from chargebyte_fw.contracts.types.ocpp import ConnectionStatus
from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.contract import Contract
from chargebyte_fw.kernel.faults import Fault
from chargebyte_fw.kernel.module import Module, provides
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.manifest import command_types, everest_name, variable_types
from chargebyte_fw.manager.plan import Connection, ModulePlan
from chargebyte_fw.modules.api.everest_api.bridge import Bridge
from chargebyte_fw.modules.api.everest_api.evse_manager_consumer_api import SessionInfo
from tests.api.everest_api.broker import Broker
from tests.docs.interfaces.samples import TEXTS, sample

QUIET = {"cfg_communication_check_to_s": 0, "cfg_heartbeat_interval_ms": 1000}
HERE = "api"
REPLY = "client/reply"
TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PLAIN = {
    "connection_status": ConnectionStatus,
    "is_connected": bool,
    "error_raised": Fault,
    "error_cleared": Fault,
    "session_info": SessionInfo,
}
"""Types of values that a module publishes beside variables."""


class Topic(NamedTuple):
    """One topic of a module."""

    name: str
    """After `everest_api/1/<type>/<module id>/`: `e2m/...` to the client, `m2e/...` from it."""
    kind: Any
    """Type of the payload, or of the request's `payload`; None: not declared."""
    example: str
    """A payload that was sent, or taken."""
    reply_kind: Any = None
    reply: str = ""
    """The reply's payload; empty: there is none."""
    about: str = ""
    sent_by_client: bool | None = None
    """Where the name does not show it."""

    @property
    def from_client(self) -> bool:
        """Whether a client sends it."""
        return self.name.startswith("m2e/") if self.sent_by_client is None else self.sent_by_client

    @property
    def is_request(self) -> bool:
        """Whether it has the form of a request with `headers.replyTo`."""
        return '"replyTo"' in self.example


def compact(payload: str) -> str:
    """Return a payload on one line."""
    if not payload:
        return ""
    text = json.dumps(json.loads(payload))
    return UUID.sub(TEXTS["uuid"], TIME.sub(TEXTS["timestamp"], text))


def compact_text(payload: str) -> str:
    """Return a payload on one line; a text that is no JSON as it is."""
    try:
        return compact(payload)
    except ValueError:
        return payload


def provider(contract: type[Contract], answered: list[Any] | None = None) -> type[Contract]:
    """Return an implementation whose commands answer with a sample; its type is appended to `answered`."""

    def command(name: str) -> Any:
        async def answer(self: Any, *args: Any) -> Any:
            kind = command_types(contract, name)[1]
            if answered is not None:
                answered.append(kind)
            return sample(kind)

        return answer

    return type(contract.__name__, (contract,), {name: command(name) for name in contract.commands})


class Recorder:
    """What one module declares and does, while it runs."""

    def __init__(self, cls: type[Bridge]) -> None:
        self.cls = cls
        self.broker = Broker()
        self.taken: dict[str, Any] = {}
        self.served: dict[str, tuple[Any, Callable[[Any], Any], bool]] = {}
        self.forwarded: dict[str, Any] = {}
        self.asked: dict[str, tuple[Any, Any]] = {}
        self.answered: list[Any] = []
        """Types of the results of commands, as they were called."""
        self.prefix = f"everest_api/1/{cls.api_type}/{HERE}/"

    def recording(self) -> type[Bridge]:
        """Return the module with its declarations noted."""
        recorder = self

        class Recording(self.cls):  # type: ignore[name-defined, misc]
            def take(self, name: str, kind: Any, handle: Callable[[Any], None]) -> None:
                recorder.taken[name] = kind
                super().take(name, kind, handle)

            def serve(self, name: str, kind: Any, command: Any, *, replies: bool = True) -> None:
                recorder.served[name] = (kind, command, replies)
                super().serve(name, kind, command, replies=replies)

            def forward(self, name: str, variable: Any, shape: Any = None) -> None:
                recorder.forwarded[name] = (variable, kind_of_order(shape) if shape else None)
                super().forward(name, variable, *([shape] if shape else []))

            async def ask(self, name: str, payload: Any, kind: Any, default: Any) -> Any:
                recorder.asked[name] = (payload, kind)
                return await super().ask(name, payload, kind, default)

        Recording.__name__ = self.cls.__name__
        return Recording

    async def run(self) -> list[Topic]:
        """Run the module; returns its topics."""
        self.log: list[str] = []
        with tempfile.TemporaryDirectory() as folder:
            runtime = Runtime(root=Root(Path(folder), Path(folder)))
            runtime.mqtt = self.broker
            assembly = Assembly(runtime)
            cls = self.recording()
            plans, connections = [], {}
            for name, requirement in cls.requirements.items():
                contract = requirement.contract.declaration()
                owner: Any = type(
                    "Peer", (Module,), {"main": provides(provider(contract, self.answered)), "__doc__": "A peer."}
                )
                plans.append(ModulePlan(name, owner, owner.Config()))
                connections[name] = [Connection(name, "main")]
            plans.append(ModulePlan(HERE, cls, cls.Config(**QUIET), connections=connections))
            assembly.build(plans)
            await assembly.start()
            module: Any = assembly.modules[HERE]
            module._refused = Refusals(self.log)
            # The first one is enough: more would come between a command and what it sends.
            module._heart.cancel()
            heartbeat = Topic("e2m/heartbeat", int, self._last("e2m/heartbeat"))
            topics = [heartbeat, *await self._to_client(assembly), *await self._from_client()]
            assert not module.failed.done()
            await assembly.stop()
        kinds = {one.name.removeprefix("e2m/"): one.kind for one in topics if not one.from_client}
        topics = [
            # Before the first value the reply is null.
            one._replace(reply_kind=kinds[one.name[4:-4]] | None) if one.name.endswith("/get") else one
            for one in topics
        ]
        return sorted(topics, key=lambda one: one.name)

    async def _to_client(self, assembly: Any) -> list[Topic]:
        found = []
        for name, (seen, shaped) in self.forwarded.items():
            owner, _, variable = seen.name.split(".")
            kind = shaped or variable_types(self.cls.requirements[owner].contract.declaration())[variable]
            self._publish(assembly, owner, variable)
            await asyncio.sleep(0.01)
            found.append(Topic(f"e2m/{name}", kind, self._last(f"e2m/{name}"), about=f"variable {variable}"))
        found += await self._commands(assembly)
        return [*found, *await self._plain(assembly, {one.name for one in found})]

    async def _plain(self, assembly: Any, known: set[str]) -> list[Topic]:
        """Return what is published beside variables, once something has happened that it is about."""
        for owner, requirement in self.cls.requirements.items():
            for variable in requirement.contract.declaration().variables:
                if variable in PLAIN:
                    self._publish(assembly, owner, variable)
        for faults in assembly.runtime.all_faults:
            for error in sorted(faults.allowed)[:1]:
                faults.raise_fault(error, "why")
                faults.clear(error)
        await asyncio.sleep(2.5)
        names = [one.removesuffix("/get") for one in self.served if one.endswith("/get")]
        return [
            Topic(f"e2m/{name}", PLAIN.get(name), self._last(f"e2m/{name}"))
            for name in names
            if f"e2m/{name}" not in known
        ]

    @staticmethod
    def _publish(assembly: Any, owner: str, variable: str) -> None:
        implementation = assembly.implementations[owner, "main"]
        kind = variable_types(implementation.declaration())[variable]
        getattr(implementation, variable).publish(sample(kind, variable))

    async def _commands(self, assembly: Any) -> list[Topic]:
        found = []
        for implementation, provision in self.cls.provisions.items():
            provided: Any = provision.implementation
            contract = provided.declaration()
            for command in contract.commands:
                arguments, _ = command_types(contract, command)
                values = [sample(kind, name) for name, kind in arguments.items()]
                before = len(self.broker.published)
                # By name, as a program or another process calls.
                named = dict(zip(arguments, values, strict=True))
                call = asyncio.ensure_future(getattr(assembly.provider(HERE, implementation), command)(**named))
                await asyncio.sleep(0.01)
                topic, payload = self.broker.published[before]
                name = topic.removeprefix(self.prefix)
                about = f"command {everest_name(command)}"
                kind = kind_of_order(provided.orders[command].shape)
                if kind is None and len(arguments) == 1:
                    kind = next(iter(arguments.values()))
                if asked := self.asked.get(name.removeprefix("e2m/")):
                    reply = sample(asked[1])
                    request = json.loads(payload)
                    if msgspec.to_builtins(values[0] if values else None) != request.get("payload"):
                        kind = None
                    self.broker.client(request["headers"]["replyTo"], compact_of(reply))
                    await call
                    assert not self.log, self.log
                    request["headers"]["replyTo"] = f"{self.prefix}m2e/reply/1"
                    text = json.dumps(request)
                    found.append(Topic(name, kind, text, asked[1], compact_of(reply), about))
                else:
                    await call
                    sent = json.loads(payload) if payload else None
                    if kind is not None:
                        msgspec.convert(sent, kind)
                    found.append(Topic(name, kind, compact(payload), about=about))
        return found

    async def _from_client(self) -> list[Topic]:
        found = []
        for name, kind in self.taken.items():
            payload = "" if kind is None else compact_of(sample(kind, name))
            if name in ("raise_error", "clear_error"):
                error = next(one for place in self.cls.errors_at for one in sorted(
                    self._allowed(place)))  # fmt: skip
                payload = json.dumps({"type": error.partition("/")[2], "message": "why"})
            await self._send(f"m2e/{name}", payload)
            found.append(Topic(f"m2e/{name}", kind, payload))
        for name, (kind, _, replies) in self.served.items():
            value = sample(kind, name)
            payload = "" if kind is None else compact_of(value)
            if not replies:
                await self._send(f"m2e/{name}", payload)
                found.append(Topic(f"m2e/{name}", kind, payload))
                continue
            arguments = {} if kind is Any else {"payload": msgspec.to_builtins(value)}
            payload = json.dumps({"headers": {"replyTo": REPLY}, **arguments})
            self.broker.published.clear()
            self.answered.clear()
            await self._send(f"m2e/{name}", payload)
            assert self.broker.topics().count(REPLY) == 1, f"{name}: no reply"
            last = next(text for topic, text in self.broker.published if topic == REPLY)
            reply_kind = kind_of_reply(name, self.answered, json.loads(last))
            found.append(Topic(f"m2e/{name}", kind, payload, reply_kind, compact(last) or "null"))
        return found

    def _allowed(self, implementation: str) -> set[str]:
        from chargebyte_fw.contracts.errors import errors_of

        return set(errors_of(self.cls.provisions[implementation].implementation.declaration()))

    async def _send(self, name: str, payload: str) -> None:
        self.broker.client(self.prefix + name, payload)
        await asyncio.sleep(0.05)
        assert not self.log, f"{name} {payload}: {self.log}"

    def _last(self, name: str) -> str:
        found = [text for topic, text in self.broker.published if topic == self.prefix + name]
        return compact(found[-1]) if found else ""


class Refusals:
    """In place of the log of what a module refuses."""

    def __init__(self, log: list[str]) -> None:
        self._log = log

    def write(self, text: str, *args: Any) -> None:
        """Note a refusal."""
        self._log.append(text % args)

    def close(self) -> None:
        """There is nothing to count."""


def kind_of_order(shape: Any) -> Any:
    """Return the type of the payload that is made of the arguments; None where it is the first argument itself."""
    if isinstance(shape, type):
        return shape
    found = get_type_hints(shape).get("return")
    return None if found in (Any, list[Any], dict[str, Any]) else found


def kind_of_reply(name: str, answered: list[Any], reply: Any) -> Any:
    """Return the type of a reply that is the result of one command, or has it in a field; None for any other one."""
    if len(answered) != 1:
        return None
    (kind,) = answered
    result = msgspec.to_builtins(sample(kind))
    if reply == result:
        return kind
    if isinstance(reply, dict) and len(reply) == 1:
        ((field, value),) = reply.items()
        if value == result:
            return msgspec.defstruct(f"{name}_reply", [(field, kind)])
    return None


def compact_of(value: Any) -> str:
    """Return a value as JSON on one line."""
    return json.dumps(msgspec.to_builtins(value))


def topics_of(cls: type[Bridge]) -> list[Topic]:
    """Return the topics of an API module, all of which have been tried."""
    return clock.run(Recorder(cls).run(), speed=None)
