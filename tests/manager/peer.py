"""A foreign module as raw MQTT: as strict as one in C++, which ends on whatever is not as it expects.

It runs in a thread of its own with a library's client, so that nothing of this product is on its side.
"""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties

from chargebyte_fw.manager.wire.dialect import Dialect

TYPES = {"Var", "Cmd", "CmdResult", "RaiseError", "ClearError", "ModuleReady", "GlobalReady"}
LIMIT_S = 5.0


class Peer:
    """Plays the module `me` of `everest/` (framework: 4.4 and 4.10). `deadly` holds what would have ended it."""

    def __init__(self, port: int, me: str, dialect: Dialect, prefix: str = "everest/") -> None:
        self.me = me
        self.dialect = dialect
        self.prefix = prefix
        self.deadly: list[str] = []
        self.received: list[tuple[str, Any, int]] = []
        """Topic without the prefix, message, QoS."""
        self._configured: queue.Queue[tuple[str, Any]] = queue.Queue()
        self._wanted = 0
        self._subscribed = threading.Event()
        self._handlers: dict[str, Callable[[Any], None]] = {}
        # Of release 2026.02 the client is one of MQTT 3.1.1, later one of MQTT 5.
        version = mqtt.MQTTv311 if dialect is Dialect.V2026_02 else mqtt.MQTTv5
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=version)
        self.client.on_message = self._on_message
        self.client.on_subscribe = lambda *_: self._subscribed.set()
        self.client.connect("127.0.0.1", port, keepalive=20)
        self.client.loop_start()

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def _on_message(self, _client: Any, _user: Any, message: mqtt.MQTTMessage) -> None:
        topic = message.topic.removeprefix(self.prefix)
        if message.properties is not None and not isinstance(message.properties, Properties):
            self.deadly.append(f"{topic}: properties")
        if topic == "shutdown":
            self.received.append((topic, message.payload, message.qos))
            return
        envelope = json.loads(message.payload)
        self.received.append((topic, envelope, message.qos))
        kind = envelope.get("msg_type")
        if set(envelope) != {"msg_type", "data"}:
            self.deadly.append(f"{topic}: keys {sorted(envelope)}")
        if kind == self.dialect.response:
            self._wanted -= 1
            if self._wanted < 0:
                self.deadly.append(f"{topic}: a second answer to one request")
            self._configured.put((topic, envelope["data"]))
            return
        if kind not in TYPES and kind != self.dialect.request:
            self.deadly.append(f"{topic}: message type {kind}")
        if kind == "GlobalReady" and envelope.get("data") is not True:
            self.deadly.append(f"{topic}: no data")
        if kind == "Var" and "data" not in envelope["data"]:
            self.deadly.append(f"{topic}: no value")
        if kind == "Var" and has_null(envelope["data"]["data"]):
            self.deadly.append(f"{topic}: a null in an optional field")
        handler = self._handlers.get(topic)
        if handler is not None:
            handler(envelope["data"])

    def send(self, topic: str, kind: str, data: Any) -> None:
        self.client.publish(self.prefix + topic, json.dumps({"msg_type": kind, "data": data}), qos=2)

    def subscribe(self, topic: str, handler: Callable[[Any], None] | None = None) -> None:
        if handler is not None:
            self._handlers[topic] = handler
        self._subscribed.clear()
        self.client.subscribe(self.prefix + topic, qos=2)
        assert self._subscribed.wait(LIMIT_S)

    def get(self, topic: str, ask: Any = None) -> Any:
        """One step: subscribe, perhaps ask, take the one answer, unsubscribe."""
        self._wanted = 1
        self.subscribe(topic)
        if ask is not None:
            self.send("config/request", self.dialect.request, {"origin": self.me, **ask})
        found, data = self._configured.get(timeout=LIMIT_S)
        if found != topic:
            self.deadly.append(f"{found} in place of {topic}")
        self.client.unsubscribe(self.prefix + topic)
        return data

    def ask(self, **request: Any) -> Any:
        """Ask the configuration service."""
        return self.get(f"modules/{self.me}/response", request)

    def learn(self) -> dict[str, Any]:
        """Everything that a module reads when it begins, in EVerest's order; returns it by topic."""
        found = {"config": self.ask(type="Get", request={"type": "Module"})}
        found["interfaces"] = self.get("interfaces")
        for name in found["interfaces"]:
            found[f"interface_definitions/{name}"] = self.get(f"interface_definitions/{name}")
        found["types"] = self.get("types")
        for name in found["types"]:
            found[f"type_definitions{name}"] = self.get(f"type_definitions{name}")
        found["settings"] = self.get("settings")
        if found["settings"]["validate_schema"]:
            found["schemas"] = self.get("schemas")
        found["module_names"] = self.get("module_names")
        for name in (found["module_names"][module_id] for module_id in sorted(found["module_names"])):
            found[f"manifests/{name}"] = self.get(f"manifests/{name}")
        return found

    def join(self, module: str, provides: dict[str, str]) -> None:
        """Everything up to the module's own readiness."""
        self.subscribe("ready")
        self.subscribe("shutdown")
        data = {"module": module, "provides": {key: {"interface": name} for key, name in provides.items()}}
        self.send(f"modules/{self.me}/metadata", self.dialect.response, data)
        self.send(f"modules/{self.me}/ready", "ModuleReady", True)

    def serve(self, implementation: str, command: str, handler: Callable[[dict[str, Any]], Any]) -> None:
        """Answer a command; an exception of the handler is the answer, too."""
        at = f"modules/{self.me}/impl/{implementation}/cmd/{command}"

        def take(call: Any) -> None:
            answer = {"id": call["id"], "origin": self.me}
            try:
                answer["retval"] = handler(call["args"])
            except ValueError as error:
                answer["error"] = {"__everest__error_type": "HandlerException", "__everest__error_msg": str(error)}
            self.send(f"{at}/response/{call['origin']}", "CmdResult", {"type": "result", "data": answer})

        self.subscribe(at, take)

    def call(self, target: str, command: str, args: Any, call_id: str = "0f8c6a52") -> Any:
        """Call a command of `module/impl/implementation`; returns the `data` of its result."""
        answers: queue.Queue[Any] = queue.Queue()
        at = f"modules/{target}/cmd/{command}"
        self.subscribe(f"{at}/response/{self.me}", answers.put)
        self.send(at, "Cmd", {"id": call_id, "args": args, "origin": self.me})
        found = answers.get(timeout=LIMIT_S)
        assert found["type"] == "result" and found["data"]["id"] == call_id
        return found["data"]

    def at(self, topic: str) -> list[Any]:
        return [message for received, message, _ in self.received if received == topic]

    def wait_for(self, topic: str, count: int = 1, limit_s: float = LIMIT_S) -> list[Any]:
        give_up_at = time.monotonic() + limit_s
        while len(self.at(topic)) < count:
            assert time.monotonic() < give_up_at, f"{topic}: {len(self.at(topic))} messages"
            time.sleep(0.005)
        return self.at(topic)


def has_null(value: Any) -> bool:
    """Whether a field of an object is null; a value that is null as a whole stands for an event."""
    if isinstance(value, dict):
        return any(one is None or has_null(one) for one in value.values())
    return any(one is None or has_null(one) for one in value) if isinstance(value, list) else False


def retained(port: int, until: str = "", prefix: str = "everest/", settle_s: float = 0.15) -> dict[str, Any]:
    """The retained messages on the broker below the prefix, once the topic `until` is among them."""
    found: dict[str, Any] = {}
    subscribed = threading.Event()
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.on_subscribe = lambda *_: subscribed.set()

    def take(_client: Any, _user: Any, message: mqtt.MQTTMessage) -> None:
        if message.payload and (message.retain or until):
            found[message.topic.removeprefix(prefix)] = json.loads(message.payload)

    client.on_message = take
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.subscribe(prefix + "#", qos=2)
    assert subscribed.wait(LIMIT_S)
    give_up_at = time.monotonic() + LIMIT_S
    time.sleep(settle_s)
    while until and until not in found and time.monotonic() < give_up_at:
        time.sleep(0.01)
    client.disconnect()
    client.loop_stop()
    return found
