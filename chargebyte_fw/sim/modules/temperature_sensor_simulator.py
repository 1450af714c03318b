"""TemperatureSensorSimulator: a temperature that a test sets."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from functools import partial
from typing import Annotated

from msgspec import Meta

from chargebyte_fw.contracts.interfaces.temperature_sensor import TemperatureSensor
from chargebyte_fw.contracts.types.temperature import Temperature
from chargebyte_fw.kernel.module import Module, ModuleConfig, provides
from chargebyte_fw.kernel.rate_limited_log import RateLimitedLog

LEAST_INTERVAL_ms = 20


class SensorConfig(ModuleConfig):
    """What the sensor measures at the start."""

    temperature_C: Annotated[float, Meta(description="Temperature, in degrees Celsius.")] = 25.0
    identification: Annotated[str, Meta(description="Name of the place that is measured.")] = "internal"
    location: Annotated[str, Meta(description="Where that is; empty: not published.")] = ""
    publish_interval_ms: Annotated[
        int, Meta(ge=LEAST_INTERVAL_ms, description="Time between two measurements, in ms.")
    ] = 1000


class _Sensor(TemperatureSensor):
    """The sensor."""

    config: SensorConfig


class TemperatureSensorSimulator(Module):
    """A temperature sensor, simulated; `everest_api/<id>/cmd/...` changes what it measures."""

    enable_external_mqtt = True
    temperature_sensor = provides(_Sensor, config=SensorConfig, description="The sensor.")

    async def init(self) -> None:
        """Listen for commands."""
        config: SensorConfig = self.temperature_sensor.config
        self._temperature_C = config.temperature_C
        self._identification, self._location = config.identification, config.location
        self._interval_ms = config.publish_interval_ms
        self._timer: asyncio.TimerHandle | None = None
        self._refused = RateLimitedLog(self.log)
        commands: dict[str, Callable[[str], None]] = {
            "set_temperature_C": self._set_temperature,
            "set_identification": partial(setattr, self, "_identification"),
            "set_location": partial(setattr, self, "_location"),
            "set_publish_interval_ms": self._set_interval,
            "stop_publishing": lambda _: self._pause(),
            "start_publishing": lambda _: self._begin(),
        }
        subscribe = self.runtime.mqtt.subscribe
        topic = f"everest_api/{self.id}/cmd/"
        self._stops = [subscribe(topic + name, partial(self._on_command, one)) for name, one in commands.items()]

    async def ready(self) -> None:
        """Begin to measure."""
        self._begin()

    async def stop(self) -> None:
        """Measure no more."""
        for stop in self._stops:
            stop()
        self._pause()
        self._refused.close()

    def _on_command(self, command: Callable[[str], None], topic: str, payload: str) -> None:
        try:
            command(payload)
        except ValueError as error:
            self._refused.write("%s: %s", topic, error)

    def _set_temperature(self, payload: str) -> None:
        value = float(payload)
        if not math.isfinite(value):
            raise ValueError(f"{payload[:20]!r} is no temperature")
        self._temperature_C = value

    def _set_interval(self, payload: str) -> None:
        self._interval_ms = max(LEAST_INTERVAL_ms, int(payload))

    def _begin(self) -> None:
        self._pause()
        self._measure()

    def _pause(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _measure(self) -> None:
        self._timer = self.after(self._interval_ms / 1000, self._measure)
        one = Temperature(
            temperature=self._temperature_C, identification=self._identification, location=self._location or None
        )
        self.temperature_sensor.temperatures.publish([one])
