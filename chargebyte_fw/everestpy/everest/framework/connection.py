"""The connection of one module to the broker: QoS 2 in both directions, no reconnection (as EVerest's modules)."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterable
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from .log import LOGGER
from .session import Broker
from .wire import BadMessage

CONNECT_LIMIT_S = 10.0
ACKNOWLEDGE_LIMIT_S = 5.0
CLOSE_LIMIT_S = 1.0
KEEP_ALIVE_S = 20
QOS = 2
Take = Callable[[str, bytes], None]


class Connection:
    """Receives messages of subscribed topics on its own thread. `lost` is called when the broker goes."""

    def __init__(self, broker: Broker, lost: Callable[[str], None]) -> None:
        self._broker = broker
        self._lost = lost
        self._takers: dict[str, Take] = {}
        self._lock = threading.Lock()
        self._waiting: dict[int, threading.Event] = {}
        self._connected = threading.Event()
        self._closing = False
        self._last: mqtt.MQTTMessageInfo | None = None
        transport: Any = "tcp" if broker.socket_path is None else "unix"
        client = mqtt.Client(CallbackAPIVersion.VERSION2, transport=transport, reconnect_on_failure=False)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_socket_open = _without_delay
        self._client = client

    def open(self) -> None:
        """Connect; raises RuntimeError."""
        where = self._broker.socket_path or f"{self._broker.host}:{self._broker.port}"
        try:
            self._client.connect(self._broker.socket_path or self._broker.host, self._broker.port, KEEP_ALIVE_S)
        except OSError as error:
            raise RuntimeError(f"no MQTT broker at {where}: {error}") from error
        self._client.loop_start()
        if not self._connected.wait(CONNECT_LIMIT_S):
            self.close()
            raise RuntimeError(f"the MQTT broker at {where} does not accept the connection")

    def close(self) -> None:
        """Disconnect, once the last message is with the broker: QoS 2 takes two ways there."""
        self._closing = True
        last = self._last
        if last is not None and self._client.is_connected():
            with contextlib.suppress(RuntimeError, ValueError):
                last.wait_for_publish(CLOSE_LIMIT_S)
        self._client.disconnect()
        self._client.loop_stop()

    def subscribe(self, topics: Iterable[str], take: Take) -> None:
        """Give messages of these topics to `take`, on the thread of the connection; raises RuntimeError.

        When this returns the broker has subscribed them, so an answer to what is published next cannot be missed.
        """
        wanted = list(topics)
        if not wanted:
            return
        acknowledged = threading.Event()
        with self._lock:
            self._takers.update(dict.fromkeys(wanted, take))
            code, number = self._client.subscribe([(topic, QOS) for topic in wanted])
            if number is not None:
                self._waiting[number] = acknowledged
        if code != mqtt.MQTT_ERR_SUCCESS or not acknowledged.wait(ACKNOWLEDGE_LIMIT_S):
            raise RuntimeError(f"the MQTT broker does not subscribe {wanted[0]}")

    def unsubscribe(self, topics: Iterable[str]) -> None:
        """Receive these topics no longer."""
        wanted = list(topics)
        if not wanted:
            return
        for topic in wanted:
            self._takers.pop(topic, None)
        self._client.unsubscribe(wanted)

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish; raises RuntimeError without a connection."""
        self._last = last = self._client.publish(topic, payload, QOS)
        if last.rc != mqtt.MQTT_ERR_SUCCESS:
            raise RuntimeError("the MQTT broker has gone")

    def _on_connect(self, _client: Any, _user: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if not reason.is_failure:
            self._connected.set()

    def _on_disconnect(self, _client: Any, _user: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if not self._closing and self._connected.is_set():
            self._closing = True
            self._lost(str(reason))

    def _on_subscribe(self, _client: Any, _user: Any, number: int, _codes: Any, _properties: Any) -> None:
        with self._lock:
            acknowledged = self._waiting.pop(number, None)
        if acknowledged is not None:
            acknowledged.set()

    def _on_message(self, _client: Any, _user: Any, message: mqtt.MQTTMessage) -> None:
        take = self._takers.get(message.topic)
        if take is None:
            return
        try:
            take(message.topic, bytes(message.payload))
        except BadMessage as error:
            LOGGER.warning("%s: the message is dropped: %s", message.topic, error)
        except Exception:
            # One message must not end the thread that reads all others.
            LOGGER.exception("%s: the message is dropped", message.topic)


def _without_delay(_client: Any, _user: Any, opened: Any) -> None:
    if getattr(opened, "family", None) in (socket.AF_INET, socket.AF_INET6):
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
