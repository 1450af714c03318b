"""Example: EVerest's example of a module with two implementations, a requirement and MQTT topics of its own."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from msgspec import Meta

from chargebyte_fw.contracts.interfaces.example import Example as ExampleContract
from chargebyte_fw.contracts.interfaces.kvs import Kvs
from chargebyte_fw.kernel.module import Module, ModuleConfig, provides, requires
from chargebyte_fw.kernel.rate_limited_log import RateLimitedLog


class Word(StrEnum):
    """Values of an enumeration of texts."""

    one = "one"
    two = "two"
    three = "three"


class ExampleModuleConfig(ModuleConfig):
    """Configuration of the module."""

    log_interval: Annotated[int, Meta(ge=1, le=60, description="Interval of log lines (no effect).")] = 10
    enum_test: Annotated[Word, Meta(description="One of three words (no effect).")] = Word.one


class ExampleConfig(ModuleConfig):
    """Configuration of the example."""

    current: Annotated[float, Meta(ge=1, le=60, description="Current that is published, in A.")]
    enum_test: Annotated[Word, Meta(description="One of three words (no effect).")]
    enum_test2: Annotated[int, Meta(ge=1, le=3, description="One of three numbers (no effect).")]
    read_only: Annotated[int, Meta(description="A number that stays (no effect).")] = 1


class _Example(ExampleContract):
    """The example."""

    module: Example
    config: ExampleConfig

    async def uses_something(self, key: str) -> bool:
        """Return whether a value is stored under the key, now that one was stored where there was none."""
        store = self.module.kvs
        if not await store.exists(key):
            await store.store(key, [1, 2, 3])
        return await store.exists(key)


class _Store(Kvs):
    """The store that the module is connected to, once more."""

    module: Example

    async def store(self, key: str, value: Any) -> None:
        """Keep a value."""
        await self.module.kvs.store(key, value)

    async def load(self, key: str) -> Any:
        """Return a value."""
        return await self.module.kvs.load(key)

    async def delete(self, key: str) -> None:
        """Forget a value."""
        await self.module.kvs.delete(key)

    async def exists(self, key: str) -> bool:
        """Return whether there is a value."""
        return await self.module.kvs.exists(key)


class Example(Module):
    """EVerest's example: publishes a current, stores values, takes a topic of MQTT."""

    Config = ExampleModuleConfig
    enable_external_mqtt = True
    group = "cloud"

    example = provides(_Example, config=ExampleConfig, description="The example.")
    store = provides(_Store, description="A store.")
    kvs = requires(Kvs)

    async def init(self) -> None:
        """Listen to the example's topic."""
        self._lines = RateLimitedLog(self.log)
        self._stop = self.runtime.mqtt.subscribe("external/a", lambda _, data: self._on_data(data))

    async def ready(self) -> None:
        """Publish the current and store a value."""
        self.example.max_current.publish(self.example.config.current)
        self.runtime.mqtt.publish("external/topic", "data")
        await self.kvs.store("test", "test")

    async def stop(self) -> None:
        """Listen no more."""
        self._stop()
        self._lines.close()

    def _on_data(self, data: str) -> None:
        self._lines.write("external/a: %s", data[:100])
