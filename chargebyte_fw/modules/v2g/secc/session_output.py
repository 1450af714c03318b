"""What a session of any protocol collects for its connection: values to publish, lines to log, other effects."""

from __future__ import annotations

from typing import Any, TypeVar

from chargebyte_fw.kernel.contract import Variable
from chargebyte_fw.kernel.effects import publish
from chargebyte_fw.modules.v2g.secc.effects import Log
from chargebyte_fw.modules.v2g.secc.facts import Settings

T = TypeVar("T")


class SessionOutput:
    """The effects of a session, until the connection takes them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._effects: list[Any] = []
        self._published: dict[str, Any] = {}
        """What was published last, by variable."""

    def publish(self, variable: Variable[T], value: T) -> None:
        """Publish a value always."""
        self._published[variable.name] = value
        self._effects.append(publish(variable, value))

    def publish_change(self, variable: Variable[T], value: T) -> None:
        """Publish a value that comes with every request: on change only, unless configured otherwise."""
        if self.changed(variable.name, value):
            self.publish(variable, value)

    def changed(self, name: str, value: Any) -> bool:
        """Return whether a value that comes with every request is to be published, and note it."""
        known = self._published
        if self.settings.publish_telemetry_only_on_change and name in known and known[name] == value:
            return False
        known[name] = value
        return True

    def forget_published(self, variable: Variable[Any]) -> None:
        """Publish the next value even if it is the last one again."""
        self._published.pop(variable.name, None)

    def log(self, text: str) -> None:
        """Log one line of the session's course."""
        self._effects.append(Log(text))

    def effect(self, effect: Any) -> None:
        """Ask the owner for something else."""
        self._effects.append(effect)

    def take_effects(self) -> list[Any]:
        """Return the effects collected since the last call."""
        effects, self._effects = self._effects, []
        return effects
