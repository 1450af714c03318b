"""A manager of another product, played from raw MQTT: metadata, answers, readiness and shutdown (framework: 4.4, 4.5).

It runs in a thread of its own with a library's client, so that nothing of this product is on its side.
"""

from __future__ import annotations

import json
import queue
import socket
import threading
import time
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from chargebyte_fw.manager.wire.dialect import Dialect

LIMIT_S = 5.0
GENERIC = {
    name: {"name": name, "namespace": "generic", "description": f"about {name}"}
    for name in ("CommunicationFault", "VendorError", "VendorWarning")
}
DEFINITIONS: dict[str, Any] = {
    "valve": {
        "cmds": {"set_open": {"arguments": {"open": {"type": "boolean"}}, "result": {"type": "boolean"}}},
        "vars": {"position": {"type": "number"}},
        "errors": {"generic": GENERIC},
    },
    "logic": {
        "cmds": {
            "decide": {"arguments": {"level": {"type": "number"}}, "result": {"type": "string"}},
            "reset": {"arguments": {}, "result": {"type": "null"}},
        },
        "vars": {"verdict": {"type": "string"}},
        "errors": {"generic": GENERIC},
    },
}
METADATA = {"license": "https://opensource.org/licenses/MIT", "authors": ["A", "B"]}
MANIFESTS: dict[str, Any] = {
    "DemoValve": {"provides": {"main": {"interface": "valve"}}, "requires": {}, "metadata": METADATA},
    "DemoLogic": {
        "provides": {"main": {"interface": "logic"}, "spare": {"interface": "logic"}},
        "requires": {"valve": {"interface": "valve", "min_connections": 1}, "other": {"interface": "valve"}},
        "metadata": METADATA,
    },
}
CONFIG: dict[str, Any] = {
    "module_id": "logic",
    "module_name": "DemoLogic",
    "telemetry_enabled": False,
    "mapping": {"module": {"evse": 1}, "implementations": {"spare": {"evse": 2, "connector": 1}}},
    "configuration_parameters": {
        "!module": [{"name": "interval_s", "value": 2.5, "characteristics": {"datatype": "number"}}],
        "main": [],
    },
    "connections": {"valve": [{"module_id": "valve_1", "implementation_id": "main", "requirement": {"id": "valve"}}]},
}
SETTINGS = {
    "prefix": "/usr",
    "etc_dir": "/etc/everest",
    "data_dir": "/usr/share/everest",
    "modules_dir": "/usr/libexec/everest/modules",
    "telemetry_prefix": "t/",
    "telemetry_enabled": False,
    "validate_schema": False,
    "forward_exceptions": False,
}


class ScriptedManager:
    """Plays the manager of `everest/` and, where a test wants it, the module `valve_1`."""

    def __init__(self, port: int, dialect: Dialect = Dialect.V2026_10, prefix: str = "everest/") -> None:
        self.dialect = dialect
        self.prefix = prefix
        self.received: queue.Queue[tuple[str, str, Any, int]] = queue.Queue()
        """Topic without the prefix, message type, data, QoS."""
        self.answers: dict[str, Any] = {"Module": self.got("Module", {"module_config": CONFIG, "mappings": {}})}
        """By the kind of request; `Set` is one."""
        self._subscribed = threading.Event()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, reconnect_on_failure=False)
        self.client.on_message = self._on_message
        self.client.on_subscribe = lambda *_: self._subscribed.set()
        self.client.on_socket_open = _without_delay
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.client.subscribe(prefix + "#", qos=2)
        assert self._subscribed.wait(LIMIT_S)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def got(self, kind: str, data: Any, status: str = "Ok") -> Any:
        return {"status": status, "status_info": "", "type": "Get", "response": {"type": kind, "data": data}}

    def send(self, topic: str, kind: str, data: Any, *, retain: bool = False) -> None:
        payload = json.dumps({"msg_type": kind, "data": data})
        self.client.publish(self.prefix + topic, payload, qos=2, retain=retain).wait_for_publish(LIMIT_S)

    def publish_metadata(
        self, manifests: Any = MANIFESTS, definitions: Any = DEFINITIONS, names: Any = None, types: Any = None
    ) -> None:
        """Publish what modules read; with `types`, by `/<file>`, messages are to be checked."""
        names = names or {"logic": "DemoLogic", "valve_1": "DemoValve"}
        settings = {**SETTINGS, "validate_schema": types is not None}
        found = {"interfaces": list(definitions), "types": list(types or ()), "settings": settings}
        found |= {"module_names": names} | {f"type_definitions{file}": one for file, one in (types or {}).items()}
        found |= {f"interface_definitions/{name}": one for name, one in definitions.items()}
        found |= {f"manifests/{name}": one for name, one in manifests.items()}
        for topic, data in found.items():
            self.send(topic, self.dialect.response, data, retain=True)

    def _on_message(self, _client: Any, _user: Any, message: mqtt.MQTTMessage) -> None:
        topic = message.topic.removeprefix(self.prefix)
        if not message.payload or topic == "shutdown":
            return
        try:
            envelope = json.loads(message.payload)
        except ValueError:
            return  # sent by a test
        kind, data = envelope["msg_type"], envelope["data"]
        if kind == self.dialect.response and not topic.startswith("modules/"):
            return  # its own metadata
        if topic == "config/request" and kind == self.dialect.request:
            asked = data["request"].get("type", "Set")
            payload = json.dumps({"msg_type": self.dialect.response, "data": self.answers[asked]})
            self.client.publish(f"{self.prefix}modules/{data['origin']}/response", payload, qos=2)
        self.received.put((topic, kind, data, message.qos))

    def next(self, topic: str, limit_s: float = LIMIT_S) -> tuple[str, Any]:
        """The next message of a topic, type and data; what came before it on other topics is passed over."""
        give_up_at = time.monotonic() + limit_s
        while True:
            found, kind, data, qos = self.received.get(timeout=max(0.0, give_up_at - time.monotonic()))
            if found == topic:
                assert qos == 2
                return kind, data

    def nothing(self, topic: str, during_s: float = 0.1) -> bool:
        """Whether no message of this topic comes."""
        try:
            self.next(topic, during_s)
        except queue.Empty:
            return True
        return False


def _without_delay(_client: Any, _user: Any, opened: Any) -> None:
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
