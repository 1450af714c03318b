"""The messages of a version, by their action. The file of a message is imported when it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from enum import Enum
from functools import cache

import msgspec

from chargebyte_fw.modules.ocpp.messages.model import Request, Response
from chargebyte_fw.modules.ocpp.version import Version


class Sender(Enum):
    """Who sends the request."""

    STATION = "station"
    CSMS = "csms"
    BOTH = "both"


class Action(msgspec.Struct, frozen=True):
    """An action: the file of its messages, who asks, whether it is a SEND, and the version that added it."""

    block: str
    sender: Sender
    send: bool = False
    since: Version | None = None


class Catalogue:
    """The actions of a version, and the types of their messages."""

    def __init__(self, version: Version, package: str, actions: Mapping[str, Action]) -> None:
        self.version = version
        self._package = package
        self._actions = {name: action for name, action in actions.items() if action.since in (None, version)}
        self.actions_from_csms = frozenset(n for n, a in self._actions.items() if a.sender is not Sender.STATION)
        """Requests that a station receives."""
        self.actions_from_station = frozenset(n for n, a in self._actions.items() if a.sender is not Sender.CSMS)
        """Requests that a station sends."""

    @property
    def actions(self) -> frozenset[str]:
        """Every action of the version."""
        return frozenset(self._actions)

    def is_send(self, action: str) -> bool:
        """Whether the action is sent as SEND, to which there is no response (OCPP 2.1 part 4). KeyError: unknown."""
        return self._actions[action].send

    def request(self, action: str) -> type[Request]:
        """Return the type of the request; raises KeyError for an action that the version does not have."""
        name = action if self._actions[action].send else f"{action}Request"
        kind: type[Request] = self._member(action, name)
        return kind

    def response(self, action: str) -> type[Response]:
        """Return the type of the response; raises KeyError for an unknown action and for one that is a SEND."""
        if self._actions[action].send:
            raise KeyError(action)
        kind: type[Response] = self._member(action, f"{action}Response")
        return kind

    def _member(self, action: str, name: str) -> type:
        module = importlib.import_module(f"{self._package}.{self._actions[action].block}")
        kind: type = getattr(module, name)
        return kind


@cache
def catalogue(version: Version) -> Catalogue:
    """Return the catalogue of a version; the messages of another one are not imported."""
    if version is Version.V16:
        from chargebyte_fw.modules.ocpp.messages.v16 import actions as v16

        return Catalogue(version, "chargebyte_fw.modules.ocpp.messages.v16", v16.ACTIONS)
    from chargebyte_fw.modules.ocpp.messages.v2 import actions as v2

    return Catalogue(version, "chargebyte_fw.modules.ocpp.messages.v2", v2.ACTIONS)
