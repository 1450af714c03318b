"""The MQTT client of the process: reconnects to a broker that was away. Modules use it as `External`."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from logging import ERROR
from typing import TYPE_CHECKING, Any

from chargebyte_fw.kernel import lazy_import
from chargebyte_fw.kernel.decoding import shorten
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.kernel.rate_limited_log import RateLimitedLog
from chargebyte_fw.manager.mqtt import machine
from chargebyte_fw.manager.mqtt.address import BrokerAddress
from chargebyte_fw.manager.mqtt.topics import Callback, Subscriptions, is_filter, is_topic

if TYPE_CHECKING:
    from chargebyte_fw.manager.mqtt.link import MqttLink

WAITING_LIMIT = 1000
"""Messages that wait for the broker to come back; the oldest go first."""
RETAINED_LIMIT = 5000
TOPIC_LIMIT = 1024
"""Longest topic that is handled, in characters; those of EVerest and of the API have less than a tenth."""


class MqttClient:
    """One connection with everything that outlives it: subscriptions, retained messages, a bounded queue."""

    def __init__(self, address: BrokerAddress, where: Callable[[], BrokerAddress] | None = None) -> None:
        """Begin with `address`; `where`, if given, is called before each connection: a broker may start later."""
        self.address = address
        self._where = where or (lambda: address)
        self.log = ModuleLog("mqtt")
        self.on_up: list[Callable[[], None]] = []
        """Called each time the broker is there, after the subscriptions are renewed."""
        self.on_down: list[Callable[[], None]] = []
        """Called each time the broker has gone."""
        self._subscriptions = Subscriptions()
        self._retained: dict[str, tuple[bytes, int]] = {}
        self._waiting: deque[tuple[str, bytes, int]] = deque(maxlen=WAITING_LIMIT)
        self._dropped = 0
        self._refused = RateLimitedLog(self.log, "%d more messages were not handed over within %g s")
        self._failures = RateLimitedLog(self.log, "%d more messages made their receiver fail within %g s", level=ERROR)
        self._link: MqttLink | None = None
        self._pump = Pump(machine.Reconnect(), self._act, self._failed)

    @property
    def online(self) -> bool:
        """Whether the broker is there."""
        return self._pump.machine.state is machine.State.Online

    def start(self) -> None:
        """Begin to connect; returns at once, the broker may come later or never."""
        self._pump.feed(machine.Start())

    async def stop(self) -> None:
        """Send what is in the buffers and close."""
        if self._link is not None and self.online:
            await self._link.farewell()
        self._pump.feed(machine.Stop())
        self._pump.close()
        self._refused.close()
        self._failures.close()

    async def subscribed(self) -> None:
        """Wait until the broker, if there is one, has confirmed the subscriptions; for a second at most."""
        if self._link is not None and self.online:
            await self._link.subscribed()

    def second_link(self, accepted: Callable[[], None], lost: Callable[[str], None]) -> MqttLink | None:
        """Connect to the same broker once more, by MQTT 5, to publish only; None where that cannot be."""
        from chargebyte_fw.manager.mqtt.link import MqttLink

        return MqttLink(self.address, accepted, lost, _nothing, version_5=True)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, wait: bool = True, qos: int = 0) -> None:
        """Publish; while the broker is away a retained message is kept, another one is queued if `wait`.

        What MQTT cannot carry is left out with a line in the log.
        """
        if not is_topic(topic):
            self._complain(f"{shorten(topic)} is no topic")
            return
        if retain:
            self._keep(topic, payload, qos)
        if self.online and self._link is not None:
            self._link.publish(topic, payload, retain, qos)
        elif wait and not retain:
            self._dropped += len(self._waiting) == WAITING_LIMIT
            self._waiting.append((topic, payload, qos))

    def _keep(self, topic: str, payload: bytes, qos: int) -> None:
        if not payload:
            # An empty payload deletes a retained message (MQTT 3.1.1, 3.3.1.3): sent even after an outage.
            self._retained.pop(topic, None)
            if not self.online:
                self._waiting.append((topic, b"", qos))
        elif topic in self._retained or len(self._retained) < RETAINED_LIMIT:
            self._retained[topic] = payload, qos
        else:
            self.log.warning("%s is not kept: there are %d retained topics already", topic, RETAINED_LIMIT)

    def subscribe(self, topic_filter: str, callback: Callback) -> Callable[[], None]:
        """Call `callback(topic, payload)` from the loop for each message; raises ValueError for an unsound filter."""
        if not is_filter(topic_filter):
            raise ValueError(f"{topic_filter!r} is no MQTT topic filter")
        if self._subscriptions.add(topic_filter, callback) and self._link is not None and self.online:
            self._link.subscribe([topic_filter])

        def stop() -> None:
            if self._subscriptions.remove(topic_filter, callback) and self._link is not None and self.online:
                self._link.unsubscribe(topic_filter)

        return stop

    def _act(self, effect: Any) -> None:
        if isinstance(effect, machine.Connect):
            # The import takes some milliseconds: only where there is a broker.
            lazy_import.with_first_use("urllib.request")
            from chargebyte_fw.manager.mqtt.link import MqttLink

            self.address = self._where()
            self._link = MqttLink(self.address, self._accepted, self._lost, self._message, self._complain)
        elif isinstance(effect, machine.Disconnect):
            self._drop()
        elif isinstance(effect, machine.WentAway):
            self.log.warning("broker %s is away (%s); charging goes on without it", self.address, effect.reason)
        elif isinstance(effect, machine.CameUp):
            self._came_up(effect)

    def _drop(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()

    def _accepted(self) -> None:
        self._pump.feed(machine.Accepted())

    def _lost(self, reason: str) -> None:
        was_online = self.online
        self._drop()
        self._pump.feed(machine.Lost(reason))
        for call in tuple(self.on_down) if was_online else ():
            call()

    def _came_up(self, effect: machine.CameUp) -> None:
        if self._link is None:
            return
        if self._where() != self.address:
            # The broker opened its second listener during the connection to the first.
            # Not from here: the library is handling its CONNACK.
            asyncio.get_running_loop().call_soon(self._lost, f"the broker is at {self._where()}, too")
            return
        dropped, self._dropped = self._dropped, 0
        losses = f"; {dropped} messages were lost" if dropped else ""
        self.log.info("broker %s is %s%s", self.address, "back" if effect.again else "there", losses)
        self._link.subscribe(self._subscriptions)
        for topic, (payload, qos) in self._retained.items():
            self._link.publish(topic, payload, True, qos)
        while self._waiting:
            topic, payload, qos = self._waiting.popleft()
            self._link.publish(topic, payload, not payload, qos)
        for call in tuple(self.on_up):
            call()

    def _message(self, topic: str, payload: bytes) -> None:
        # From the loop and not from inside the library: paho must not see a callback's error.
        if len(topic) > TOPIC_LIMIT:
            self._complain(f"{shorten(topic)}: a topic of more than {TOPIC_LIMIT} characters")
            return
        soon = asyncio.get_running_loop().call_soon
        for callback in self._subscriptions.callbacks(topic):
            soon(self._deliver, callback, topic, payload)

    def _deliver(self, callback: Callback, topic: str, payload: bytes) -> None:
        """Call a subscriber. One that fails is an error of the program, which is logged and ends nothing."""
        try:
            callback(topic, payload)
        except Exception:
            self._failures.write("%s: its receiver failed on this message", shorten(topic), exc_info=True)

    def _complain(self, text: str) -> None:
        self._refused.write("a message is left out: %s", text)

    def _failed(self, error: BaseException) -> None:
        asyncio.get_running_loop().call_exception_handler({"message": "the MQTT client failed", "exception": error})


class External:
    """MQTT for modules (`runtime.mqtt`): EVerest's external prefix in front of each topic, text as payload."""

    def __init__(self, client: MqttClient, prefix: str = "") -> None:
        self._client = client
        self._prefix = prefix
        self._stops: dict[Callback, Callable[[], None]] = {}

    def publish(self, topic: str, payload: str, *, retain: bool = False) -> None:
        """Publish text at QoS 2; while the broker is away, retained topics are kept and sent when it is back."""
        self._client.publish(self._prefix + topic, payload.encode(), retain=retain, qos=2)

    def subscribe(self, topic: str, callback: Callable[[str, str], None]) -> Callable[[], None]:
        """Call `callback(topic, payload)` for each message; the topic comes with the prefix, as in EVerest."""

        def deliver(full_topic: str, payload: bytes) -> None:
            callback(full_topic, payload.decode("utf-8", "replace"))

        stop = self._client.subscribe(self._prefix + topic, deliver)
        self._stops[deliver] = stop

        def end() -> None:
            if self._stops.pop(deliver, None) is not None:
                stop()

        return end

    def forget(self) -> None:
        """End every subscription: the modules that made them have stopped."""
        stops, self._stops = self._stops, {}
        for stop in stops.values():
            stop()


def _nothing(_topic: str, _payload: bytes) -> None:
    """Nothing was subscribed to."""
