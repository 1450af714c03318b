"""One MQTT connection: paho's protocol over a socket on the event loop, without a thread."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import socket
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from chargebyte_fw.kernel.decoding import shorten
from chargebyte_fw.manager.mqtt.address import BrokerAddress
from chargebyte_fw.manager.mqtt.bounded import BoundedSocket

KEEP_ALIVE_S = 20
HOUSEKEEPING_S = 5.0
BACKLOG_LIMIT = 20_000
"""Messages in the buffer since the socket last took everything: a broker that reads more slowly is given up."""
BACKLOG_LIMIT_BYTES = 32 << 20
"""The same in octets, far below the memory that the service may have (`MemoryMax` of everest.service)."""
FAREWELL_S = 1.0
NO_SUBSCRIBERS = 0x10
"""Reason code of MQTT 5 (3.4.2.1): no one has subscribed to the topic."""


class _Client(paho.Client):
    """paho's client with a socket that is open already."""

    opened: BoundedSocket

    def _create_socket_connection(self) -> socket.socket:
        return self.opened


class MqttLink:
    """A connection from `open` to `close`.

    Calls `on_accepted()` once, `on_lost(reason)` at most once, `on_refused(text)` for each message that is not handed
    over: too long to be read, or none that MQTT can carry.
    """

    def __init__(
        self,
        address: BrokerAddress,
        on_accepted: Callable[[], None],
        on_lost: Callable[[str], None],
        on_message: Callable[[str, bytes], None],
        on_refused: Callable[[str], None] = lambda text: None,
        *,
        version_5: bool = False,
    ) -> None:
        """`version_5`: speak MQTT 5, in which the broker states whether a message has found a subscriber."""
        self._version_5 = version_5
        self._asked: dict[int, Callable[[bool], None]] = {}
        self._unacknowledged: set[int] = set()
        """Subscriptions that the broker has not confirmed."""
        self._all_acknowledged = asyncio.Event()
        self._all_acknowledged.set()
        self._address = address
        self._on_accepted = on_accepted
        self._on_lost: Callable[[str], None] | None = on_lost
        self._on_message = on_message
        self._on_refused = on_refused
        self._loop = asyncio.get_running_loop()
        self._client: _Client | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._backlog = self._backlog_bytes = 0
        self._under_way: deque[tuple[paho.MQTTMessageInfo, int]] = deque()
        """Messages of QoS 2 that the broker has not completed when last looked at, with their lengths."""
        self._under_way_bytes = 0
        self._opening = self._loop.create_task(self._open(), name="mqtt connect")

    async def _open(self) -> None:
        try:
            opened = await _connected_socket(self._address)
        except OSError as error:
            self._lost(os.strerror(error.errno) if error.errno and error.errno > 0 else str(error))
            return
        version = paho.MQTTv5 if self._version_5 else paho.MQTTv311
        client = _Client(CallbackAPIVersion.VERSION2, client_id="", protocol=version)
        client.opened = BoundedSocket(opened, self._left_out)
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_message = self._message
        client.on_subscribe = self._subscribed
        if self._version_5:
            client.on_publish = self._published
        client.on_socket_open = self._socket_open
        client.on_socket_close = self._socket_close
        client.on_socket_register_write = self._socket_full
        client.on_socket_unregister_write = self._socket_empty
        self._client = client
        client.connect(self._address.host or "localhost", self._address.port, KEEP_ALIVE_S)
        self._housekeeping()

    def _socket_open(self, client: paho.Client, _: Any, sock: Any) -> None:
        self._loop.add_reader(sock, self._read, client)

    def _socket_close(self, _client: paho.Client, _: Any, sock: Any) -> None:
        self._loop.remove_reader(sock)
        self._loop.remove_writer(sock)

    def _socket_full(self, client: paho.Client, _: Any, sock: Any) -> None:
        self._loop.add_writer(sock, client.loop_write)

    def _socket_empty(self, _client: paho.Client, _: Any, sock: Any) -> None:
        self._backlog = self._backlog_bytes = 0
        self._loop.remove_writer(sock)

    def _read(self, client: paho.Client) -> None:
        try:
            client.loop_read()
        except Exception as error:
            # Any error of the library on what it has received ends this connection, and nothing else.
            self._lost(f"what the broker sends cannot be read: {shorten(str(error) or type(error).__name__)}")

    def _left_out(self, length: int) -> None:
        self._on_refused(f"a message of {length} bytes is not read")

    def _housekeeping(self) -> None:
        if self._client is not None:
            self._client.loop_misc()
            self._timer = self._loop.call_later(HOUSEKEEPING_S, self._housekeeping)

    def _connected(self, _client: Any, _: Any, _flags: Any, code: Any, _properties: Any) -> None:
        if code.is_failure:
            self._lost(f"the broker refuses us: {code}")
        else:
            self._on_accepted()

    def _disconnected(self, _client: Any, _: Any, _flags: Any, code: Any, _properties: Any) -> None:
        self._lost("the broker closed the connection" if str(code) == "Unspecified error" else str(code).lower())

    def _message(self, _client: Any, _: Any, message: paho.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            self._on_refused("a topic is no UTF-8 text")
            return
        self._on_message(topic, bytes(message.payload))

    def _lost(self, reason: str) -> None:
        on_lost, self._on_lost = self._on_lost, None
        if on_lost is not None:
            # Never from inside paho: the owner may close this connection in the callback.
            self._loop.call_soon(on_lost, reason)

    def _published(self, _client: Any, _: Any, message_id: int, code: Any, _properties: Any) -> None:
        asked = self._asked.pop(message_id, None)
        if asked is not None:
            asked(code.value != NO_SUBSCRIBERS)

    def publish(
        self,
        topic: str,
        payload: bytes,
        retain: bool,
        qos: int = 0,
        found: Callable[[bool], None] | None = None,
    ) -> None:
        """Hand one message over; `found` (version 5, QoS 1) is called with whether it has found a subscriber.

        At QoS 0 nothing is lost on the way to the broker: the stream is reliable as long as it lasts. For a subscriber
        that reads slowly the broker queues messages of QoS 2 alone.
        """
        if self._client is None:
            return
        self._backlog += 1
        self._backlog_bytes += len(payload)
        if self._backlog > BACKLOG_LIMIT or self._backlog_bytes > BACKLOG_LIMIT_BYTES or self._too_much_under_way():
            self._lost("the broker does not take what we send")
            return
        try:
            handed_over = self._client.publish(topic, payload, qos, retain)
        except ValueError as error:
            # UnicodeEncodeError is one, too: a broker would end the connection for such a topic.
            self._on_refused(f"{shorten(topic)}: {shorten(str(error))}")
            return
        if found is not None:
            self._asked[handed_over.mid] = found
        if qos:
            self._under_way.append((handed_over, len(payload)))
            self._under_way_bytes += len(payload)

    def _too_much_under_way(self) -> bool:
        while self._under_way and _completed(self._under_way[0][0]):
            self._under_way_bytes -= self._under_way.popleft()[1]
        return len(self._under_way) > BACKLOG_LIMIT or self._under_way_bytes > BACKLOG_LIMIT_BYTES

    def subscribe(self, topic_filters: Iterable[str]) -> None:
        """Subscribe to these topics."""
        wanted = [(topic_filter, 0) for topic_filter in topic_filters]
        if self._client is not None and wanted:
            _, message_id = self._client.subscribe(wanted)
            if message_id is not None:
                self._unacknowledged.add(message_id)
                self._all_acknowledged.clear()

    def _subscribed(self, _client: Any, _: Any, message_id: int, _codes: Any, _properties: Any) -> None:
        self._unacknowledged.discard(message_id)
        if not self._unacknowledged:
            self._all_acknowledged.set()

    async def subscribed(self) -> None:
        """Wait until the broker delivers what was subscribed to, for a second at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_S):
                await self._all_acknowledged.wait()

    def unsubscribe(self, topic_filter: str) -> None:
        """Unsubscribe from this topic."""
        if self._client is not None:
            self._client.unsubscribe(topic_filter)

    async def farewell(self) -> None:
        """Wait until everything handed over is on its way, for a second at most."""
        give_up_at = self._loop.time() + FAREWELL_S
        # paho reports no moment at which its buffer is empty.
        while self._client is not None and self._loop.time() < give_up_at:
            if not self._client.want_write() and all(_completed(one) for one, _ in self._under_way):
                return
            await asyncio.sleep(0.002)

    def close(self) -> None:
        """Close the connection."""
        self._on_lost = None
        self._opening.cancel()
        if self._timer is not None:
            self._timer.cancel()
        client, self._client = self._client, None
        if client is not None:
            client.on_message = None
            client.disconnect()
            client.loop_write()
            sock = client.socket()
            if sock is not None:
                # The broker did not take the DISCONNECT: paho would keep the socket until it is collected.
                client.on_socket_unregister_write = client.on_socket_close = None
                self._loop.remove_reader(sock)
                self._loop.remove_writer(sock)
                sock.close()


def _completed(handed_over: paho.MQTTMessageInfo) -> bool:
    try:
        return handed_over.is_published()
    except (RuntimeError, ValueError):
        # It was refused when it was handed over; there is nothing to wait for.
        return True


async def _connected_socket(address: BrokerAddress) -> socket.socket:
    loop = asyncio.get_running_loop()
    last: OSError | None = None
    for family, target in await _targets(address):
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setblocking(False)
        try:
            if family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.sock_connect(sock, target)
        except OSError as error:
            sock.close()
            last = error
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise last or OSError(f"{address} has no address")


async def _targets(address: BrokerAddress) -> list[tuple[int, Any]]:
    if address.socket_path is not None:
        return [(socket.AF_UNIX, address.socket_path)]
    if address.host == "localhost":
        return [
            (socket.AF_INET, ("127.0.0.1", address.port)),
            (socket.AF_INET6, ("::1", address.port, 0, 0)),
        ]
    try:
        version = ipaddress.ip_address(address.host).version
    except ValueError:
        found = await asyncio.get_running_loop().getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        return [(family, target) for family, _, _, _, target in found]
    return [(socket.AF_INET if version == 4 else socket.AF_INET6, (address.host, address.port))]
