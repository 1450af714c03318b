"""What EVerest's API modules have in common: topics, requests and replies, heartbeat, supervision, discovery."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, ClassVar, TypeVar
from weakref import WeakKeyDictionary

import msgspec
from msgspec import Meta

from chargebyte_fw.kernel.contract import Variable
from chargebyte_fw.kernel.decoding import convert, decode_json
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.faults import Faults, Severity
from chargebyte_fw.kernel.module import Module, ModuleConfig
from chargebyte_fw.kernel.rate_limited_log import RateLimitedLog

T = TypeVar("T")

VERSION = "1"
WAITING_LIMIT = 100
"""Requests that may be under way at a time, in each direction."""
LONGEST_TOPIC = 512
NEVER_CHECKED = "Initial communication check"
LOST = "Bridge to implementation connection lost"
"""Sub-types of the fault of a client that does not report itself."""


ReplyLimit = Annotated[
    int, Meta(ge=1, le=550, description="Time that a client has for a reply, in s; then the default holds.")
]


class ApiConfig(ModuleConfig):
    """How client and bridge watch each other."""

    cfg_communication_check_to_s: Annotated[
        int, Meta(description="Longest time between two signs of life of the client, in s; 0 or less: not watched.")
    ] = 5
    cfg_heartbeat_interval_ms: Annotated[
        int, Meta(description="Time between two heartbeats of the bridge, in ms; 0 or less: none.")
    ] = 1000


class RequestConfig(ApiConfig):
    """The same, for a bridge that has requests for its client."""

    cfg_request_reply_to_s: ReplyLimit = 550


class ConsumerConfig(ApiConfig):
    """The same, for a bridge that shows what modules publish."""

    latch_variable_values: Annotated[
        bool, Meta(description="Keep the last value of each variable for clients that ask for it.")
    ] = True


class RequestingConsumerConfig(ConsumerConfig):
    """The same, for a bridge of both kinds."""

    cfg_request_reply_to_s: ReplyLimit = 550


class _Headers(msgspec.Struct):
    replyTo: str = ""


class _Request(msgspec.Struct):
    headers: _Headers = msgspec.field(default_factory=_Headers)
    payload: Any = None


class _ClientError(msgspec.Struct):
    type: str
    sub_type: str = ""
    message: str = ""
    severity: Severity = Severity.High


class Monitoring(msgspec.Struct, omit_defaults=True):
    """How a client and an API module watch each other: the module's keys."""

    heartbeat_period_ms: int
    communication_check_period_s: int
    request_reply_timeout_s: int | None = None
    """None: the module has no requests for a client."""


class Api(msgspec.Struct):
    """One API module."""

    type: str
    module_id: str
    version: int
    communication_monitoring: Monitoring


class Discovered(msgspec.Struct):
    """Reply to a request for the API modules; each module replies with itself."""

    apis: list[Api]


DISCOVER, QUERY, READY = "everest_api/discover", "everest_api/query-modules/", "everest_api/ready_beacon"
"""Topics of discovery; the second one is followed by the type of the API modules."""
_BRIDGES: WeakKeyDictionary[asyncio.AbstractEventLoop, set[str]] = WeakKeyDictionary()
"""The ids of the API modules on one loop: the first of them reports that they are there."""


class Bridge(Module):
    """Base of an API module. A subclass names its `api_type` and declares its topics in `open`."""

    Config = ApiConfig
    enable_external_mqtt = True

    config: ApiConfig
    api_type: ClassVar[str] = ""
    watched: ClassVar[tuple[str, str]] = ("main", "generic/CommunicationFault")
    """Where a client that does not report itself is a fault: implementation and type."""
    errors_at: ClassVar[tuple[str, ...]] = ()
    """Implementations whose faults clients raise and clear."""

    async def init(self) -> None:
        """Listen on all topics."""
        self._prefix = f"everest_api/{VERSION}/{self.api_type}/{self.id}/"
        self._refused = RateLimitedLog(self.log)
        self._stops: list[Callable[[], None]] = []
        self._heart: asyncio.TimerHandle | None = None
        self._beats = 0
        self._watch: asyncio.TimerHandle | None = None
        self._asked = self._served = 0
        _BRIDGES.setdefault(asyncio.get_running_loop(), set()).add(self.id)
        self.take("communication_check", bool, self._on_check)
        if self.errors_at:
            self.take("raise_error", _ClientError, self._raise)
            self.take("clear_error", _ClientError, self._clear)
        for topic in (DISCOVER, QUERY + self.api_type):
            self._listen(topic, self._on_discovery)
        self.open()

    def open(self) -> None:
        """Declare the topics of this API."""

    async def ready(self) -> None:
        """Begin to watch and to report."""
        if self.config.cfg_communication_check_to_s > 0:
            self._fault(NEVER_CHECKED)
        if self.config.cfg_heartbeat_interval_ms > 0:
            self._beat()
        if self.id == min(_BRIDGES[asyncio.get_running_loop()]):
            self.runtime.mqtt.publish(READY, "{}")

    async def stop(self) -> None:
        """Listen and report no more."""
        for stop in self._stops:
            stop()
        for timer in (self._heart, self._watch):
            if timer is not None:
                timer.cancel()
        self._refused.close()
        _BRIDGES[asyncio.get_running_loop()].discard(self.id)

    @property
    def _reply_limit_s(self) -> int | None:
        """Time that a client has for a reply; None for a bridge without requests."""
        return getattr(self.config, "cfg_request_reply_to_s", None)

    # To clients.

    def send(self, name: str, value: Any = "") -> None:
        """Publish a value, or an order to the client; the empty text stands for no value."""
        self.runtime.mqtt.publish(f"{self._prefix}e2m/{name}", _text(value))

    async def ask(self, name: str, payload: Any, kind: Any, default: Any) -> Any:
        """Have a client carry out a request; returns its reply, or the default in time."""
        if self._asked >= WAITING_LIMIT:
            self._refused.write("%s: %d requests wait for a client, the default holds", name, self._asked)
            return default
        reply_to = f"{self._prefix}m2e/reply/{self.runtime.new_uuid()}"
        answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def take(value: Any) -> None:
            if not answered.done():
                answered.set_result(value)

        stop = self._listen_for(reply_to, kind, take)
        self._asked += 1
        try:
            request: dict[str, Any] = {"headers": {"replyTo": reply_to}}
            if payload is not None:
                request["payload"] = msgspec.to_builtins(payload)
            self.runtime.mqtt.publish(f"{self._prefix}e2m/{name}", _text(request))
            async with asyncio.timeout(self._reply_limit_s):
                return await answered
        except TimeoutError:
            self._refused.write("%s: no reply of a client, the default holds", name)
            return default
        finally:
            self._asked -= 1
            stop()

    def forward(self, name: str, variable: Variable[Any], shape: Callable[[Any], Any] = lambda value: value) -> None:
        """Publish each value of a variable, and keep the last one for clients that ask."""
        latched = Latched(self, name)

        def passed_on(value: Any) -> None:
            latched.publish(shape(value))

        variable.subscribe(passed_on)

    # From clients.

    def take(self, name: str, kind: Any, handle: Callable[[Any], None]) -> None:
        """Call `handle` with each value that a client sends; with the kind None no payload is read."""
        self._stops.append(self._listen_for(f"{self._prefix}m2e/{name}", kind, handle))

    def serve(self, name: str, kind: Any, command: Callable[[Any], Awaitable[Any]], *, replies: bool = True) -> None:
        """Carry out a client's requests with `command`; its result is the reply.

        Without `replies` the message is the payload itself; with the kind None it is not read.
        """

        def on_message(topic: str, payload: str) -> None:
            try:
                if replies:
                    request = decode_json(payload, _Request)
                else:
                    request = _Request(payload=None if kind is None else decode_json(payload))
                value = convert(request.payload, kind)
            except msgspec.DecodeError as error:
                self._refused.write("%s: %s", topic, error)
                return
            if self._served >= WAITING_LIMIT:
                self._refused.write("%s: %d requests are under way, this one is dropped", topic, self._served)
                return
            self._served += 1
            self.spawn(self._carry_out(name, request.headers.replyTo, command, value), name)

        self._stops.append(self._listen(f"{self._prefix}m2e/{name}", on_message))

    async def _carry_out(self, name: str, reply_to: str, command: Callable[[Any], Awaitable[Any]], value: Any) -> None:
        try:
            result = await command(value)
        except CommandError as error:
            self._refused.write("%s: %s", name, error)
            return
        finally:
            self._served -= 1
        self.reply(reply_to, result)

    def reply(self, reply_to: str, result: Any) -> None:
        """Publish a reply where a client wants it; a topic with wildcards is none."""
        if not reply_to:
            return
        if any(sign in reply_to for sign in "+#\0") or len(reply_to) > LONGEST_TOPIC:
            self._refused.write("a reply to %r is dropped: no topic to publish on", reply_to[:60])
            return
        self.runtime.mqtt.publish(reply_to, _text(result))

    def _listen_for(self, topic: str, kind: Any, handle: Callable[[Any], None]) -> Callable[[], None]:
        def on_message(_: str, payload: str) -> None:
            try:
                value = None if kind is None else decode_json(payload, kind)
            except msgspec.DecodeError as error:
                self._refused.write("%s: %s", topic, error)
                return
            handle(value)

        return self._listen(topic, on_message)

    def _listen(self, topic: str, handle: Callable[[str, str], None]) -> Callable[[], None]:
        return self.runtime.mqtt.subscribe(topic, handle)

    # Faults that clients report.

    def _raise(self, error: _ClientError) -> None:
        faults, type = self._of_name(error.type)
        if faults is not None:
            faults.raise_fault(
                type, error.message or "reported by a client", sub_type=error.sub_type, severity=error.severity
            )

    def _clear(self, error: _ClientError) -> None:
        faults, type = self._of_name(error.type)
        if faults is not None:
            faults.clear(type, error.sub_type)

    def _of_name(self, name: str) -> tuple[Faults | None, str]:
        """Return where a fault of this name is declared, and its type; clients leave the namespace out.

        An interface may declare faults of another one (a board those of its residual current device): a name that
        several have is of the implementation whose own it is.
        """
        found: list[tuple[bool, Faults, str]] = []
        for implementation in self.errors_at:
            provider = getattr(self, implementation)
            for type in sorted(provider.faults.allowed):
                namespace, _, short = type.partition("/")
                if name in (type, short):
                    found.append((namespace == provider.interface, provider.faults, type))
        if found:
            _, faults, type = max(found, key=lambda one: one[0])
            return faults, type
        self._refused.write("%r is no fault of %s", name[:60], self.api_type)
        return None, ""

    # Watching each other.

    def _beat(self) -> None:
        self._heart = self.after(self.config.cfg_heartbeat_interval_ms / 1000, self._beat)
        self.send("heartbeat", self._beats)
        self._beats += 1

    def _on_check(self, alive: bool) -> None:
        limit_s = self.config.cfg_communication_check_to_s
        if limit_s <= 0:
            return
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        implementation, type = self.watched
        for sub_type in (NEVER_CHECKED, LOST):
            getattr(self, implementation).faults.clear(type, sub_type)
        if alive:
            self._watch = self.after(limit_s, self._client_lost)

    def _client_lost(self) -> None:
        self._watch = None
        self._fault(LOST)

    def _fault(self, sub_type: str) -> None:
        implementation, type = self.watched
        faults: Faults = getattr(self, implementation).faults
        faults.raise_fault(type, "the client of the API does not report itself", sub_type=sub_type)

    def _on_discovery(self, topic: str, payload: str) -> None:
        try:
            request = decode_json(payload, _Request)
        except msgspec.DecodeError as error:
            self._refused.write("%s: %s", topic, error)
            return
        config = self.config
        monitoring = Monitoring(
            config.cfg_heartbeat_interval_ms, config.cfg_communication_check_to_s, self._reply_limit_s
        )
        self.reply(request.headers.replyTo, Discovered([Api(self.api_type, self.id, int(VERSION), monitoring)]))


class Latched:
    """A value for clients: published, and kept for those that ask (`<name>/get`)."""

    def __init__(self, bridge: Bridge, name: str) -> None:
        self._bridge = bridge
        self._name = name
        self._value: Any = None
        self._latches = getattr(bridge.config, "latch_variable_values", False)
        if self._latches:
            bridge.serve(f"{name}/get", Any, self._last)

    def publish(self, value: Any) -> None:
        """Publish a value."""
        if self._latches:
            self._value = value
        self._bridge.send(self._name, value)

    async def _last(self, _: Any) -> Any:
        return self._value


def _text(value: Any) -> str:
    if value == "" and isinstance(value, str):
        return ""
    return msgspec.json.format(msgspec.json.encode(value), indent=4).decode()
