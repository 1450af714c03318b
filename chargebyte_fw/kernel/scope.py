"""What belongs to one instance of a module: where its failures go, the context of its callbacks, its subscriptions.

Modules are started again while others go on, so that each thing that outlives a call has to be traced to its instance:
a subscription ends with it, and a callback of the event loop that raises fails its module and no other. The latter
works through `OWNER`: tasks, timers and transports keep the context in which they were made.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chargebyte_fw.kernel.runtime import ExternalMqtt

OWNER: ContextVar[Scope | None] = ContextVar("owner", default=None)
"""The instance that the running code works for, None for the manager."""


class Scope:
    """One instance of a module. `fail` takes the exceptions that nothing else has caught."""

    def __init__(self, fail: Callable[[BaseException], None]) -> None:
        self.fail = fail
        self.context: Context = copy_context()
        """Callbacks of others (variables, faults) run in it, one at a time; a task gets a copy."""
        self.context.run(OWNER.set, self)
        self._ends: dict[object, Callable[[], None]] = {}
        self.closed = False

    def hold(self, end: Callable[[], None]) -> Callable[[], None]:
        """Keep what ends a subscription until the scope closes; return what ends and releases it earlier."""
        if self.closed:
            end()
            return end
        key = object()
        self._ends[key] = end

        def end_now() -> None:
            if self._ends.pop(key, None) is not None:
                end()

        return end_now

    def close(self) -> None:
        """End every subscription. One that is made later ends at once."""
        self.closed = True
        ends, self._ends = self._ends, {}
        for end in ends.values():
            end()


class ScopedMqtt:
    """External MQTT for one instance of a module: subscriptions end with it, and it publishes nothing afterwards."""

    def __init__(self, mqtt: ExternalMqtt, scope: Scope) -> None:
        self._mqtt = mqtt
        self._scope = scope

    def publish(self, topic: str, payload: str, *, retain: bool = False) -> None:
        """As `ExternalMqtt.publish`."""
        if not self._scope.closed:
            self._mqtt.publish(topic, payload, retain=retain)

    def subscribe(self, topic: str, callback: Callable[[str, str], None]) -> Callable[[], None]:
        """As `ExternalMqtt.subscribe`; `callback` runs in the module's context."""
        scope = self._scope

        def deliver(full_topic: str, payload: str) -> None:
            scope.context.copy().run(callback, full_topic, payload)

        return scope.hold(self._mqtt.subscribe(topic, deliver))
