"""The demo's MQTT client: follows the charger's API and gives commands on it, as an integrator does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from chargebyte_fw.cli import demo_broker

TOPICS = "everest_api/#"


class Listener:
    """Calls `received(topic, payload)` on the event loop for each message of the charger's API."""

    def __init__(self, received: Callable[[str, str], None]) -> None:
        self._received = received
        self._client: Any = None

    def start(self) -> None:
        """Connect; paho's own thread reconnects when the broker goes away."""
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        loop = asyncio.get_running_loop()
        client = Client(CallbackAPIVersion.VERSION2)

        def subscribe(*_: Any) -> None:
            client.subscribe(TOPICS)

        def message(_client: Any, _data: Any, message: Any) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._received, message.topic, message.payload.decode(errors="replace"))

        client.on_connect = subscribe
        client.on_message = message
        client.connect_async(demo_broker.HOST, demo_broker.PORT)
        client.loop_start()
        self._client = client

    def publish(self, topic: str, payload: str) -> None:
        """Publish, as an integrator does."""
        if self._client is not None:
            self._client.publish(topic, payload, qos=1)

    def stop(self) -> None:
        """Disconnect and end the thread."""
        if self._client is not None:
            self._client.disconnect()
            self._client.loop_stop()
            self._client = None
