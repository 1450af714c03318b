"""What only onlookers can receive (`secc bus`, tools of others): it costs a comparison a value while there are none.

A broker of MQTT 5 answers a message of QoS 1 with the reason that no one has subscribed to the topic (0x10). Such a
message goes out at most every `LOOK_S` for each variable: whoever subscribes gets the next value after that, and all
others from then on. A value that comes less often than that is never left out. With a broker of MQTT 3.1.1 everything
is published.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from chargebyte_fw.manager.wire import envelope

if TYPE_CHECKING:
    from chargebyte_fw.manager.mqtt.client import MqttClient
    from chargebyte_fw.manager.mqtt.link import MqttLink

LOOK_S = 0.5
"""How long a variable without a subscriber is not published."""
LISTENED_LOOK_S = 5.0
"""How often it is looked whether a variable still has one."""
SETTLE_S = 0.05
"""Until the broker has handled what the first connection has sent: values of one topic stay in order."""
AGAIN_S = 10.0
"""Until the second connection is opened again when it has ended before the first."""


class _Topic:
    __slots__ = ("has_subscriber", "look_s", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.has_subscriber = True
        self.look_s = 0.0


class Onlookers:
    """A second connection to the broker of `client`, as long as that has one, for variables that are published."""

    def __init__(self, client: MqttClient) -> None:
        self._client = client
        self._loop = asyncio.get_running_loop()
        self._link: MqttLink | None = None
        self._settled = False
        self._later: asyncio.TimerHandle | None = None
        client.on_up.append(self._open)
        client.on_down.append(self._close)
        if client.online:
            self._open()

    def of(self, topic: str) -> Callable[[Any], None]:
        """Return what publishes the values of a variable."""
        return partial(self._publish, _Topic(topic))

    def look(self, topic: str, found: Callable[[bool], None]) -> None:
        """Call `found` with whether someone has subscribed to a topic, who gets an empty object.

        It is not called by a broker of MQTT 3.1.1, which does not report it.
        """
        if self._settled and self._link is not None:
            self._link.publish(topic, b"{}", False, 1, found)

    def end(self) -> None:
        """Publish nothing any more."""
        self._client.on_up.remove(self._open)
        self._client.on_down.remove(self._close)
        self._close()

    def _publish(self, topic: _Topic, value: Any) -> None:
        if not self._settled or self._link is None:
            if self._client.online:
                self._client.publish(topic.name, envelope.variable(value), wait=False)
            return
        now = self._loop.time()
        if now < topic.look_s:
            if topic.has_subscriber:
                self._link.publish(topic.name, envelope.variable(value), False)
            return
        topic.look_s = now + (LISTENED_LOOK_S if topic.has_subscriber else LOOK_S)
        topic.has_subscriber = True
        self._link.publish(topic.name, envelope.variable(value), False, 1, partial(self._found, topic))

    def _found(self, topic: _Topic, subscribed: bool) -> None:
        topic.has_subscriber = subscribed
        if not subscribed:
            topic.look_s = min(topic.look_s, self._loop.time() + LOOK_S)

    def _open(self) -> None:
        self._close()
        self._link = self._client.second_link(self._accepted, self._lost)

    def _accepted(self) -> None:
        self._later = self._loop.call_later(SETTLE_S, self._settle)

    def _settle(self) -> None:
        self._settled = True

    def _lost(self, _reason: str) -> None:
        # A broker that does not speak MQTT 5 is not asked again; everything is published over the first connection.
        spoke = self._later is not None
        self._close()
        if spoke and self._client.online:
            self._later = self._loop.call_later(AGAIN_S, self._open)

    def _close(self) -> None:
        link, self._link = self._link, None
        self._settled = False
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if link is not None:
            link.close()
