"""The station for other modules: its connection as a variable, and the commands that stop and start it."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.contracts.interfaces.ocpp import Ocpp
from chargebyte_fw.contracts.types import ocpp
from chargebyte_fw.kernel.effects import publish
from chargebyte_fw.modules.ocpp.messages.model import Request
from chargebyte_fw.modules.ocpp.messages.schema import to_object
from chargebyte_fw.modules.ocpp.station import Block, CallFailure, Deferred, Station, effects, events, receives, serves
from chargebyte_fw.modules.ocpp.station.operator import Operator
from chargebyte_fw.modules.ocpp.variables.access import write
from chargebyte_fw.modules.ocpp.variables.declaration import VariableId

OPERATOR = "operator"
"""Source of values that are set by hand."""


class Service(Block):
    """Publishes how the connection is, and stops and starts it."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self.running = True
        """Whether the connection is wanted."""
        self._last: events.Connected | None = None

    @receives(events.Connected)
    def connected(self, event: events.Connected) -> None:
        """Publish where the station is connected."""
        self._last = event
        self.report(event, connected=True)

    @receives(events.Disconnected)
    def disconnected(self, event: events.Disconnected) -> None:
        """Publish that the connection is gone, and which one it was."""
        if self._last is not None:
            self.report(self._last, connected=False)

    def report(self, last: events.Connected, *, connected: bool) -> None:
        """Publish the status of the connection."""
        status = ocpp.ConnectionStatus(
            connected=connected,
            csms_url=last.url,
            identity=last.identity,
            security_profile=last.security_profile,
            configuration_slot=last.slot,
            ocpp_interface=last.ocpp_interface or None,
            ocpp_transport=last.ocpp_transport,
            # EVerest has the number alone, without the prefix of the subprotocol.
            ocpp_version=last.ocpp_version.removeprefix("ocpp"),
        )
        self.station.publish(publish(Ocpp.connection_status, status))

    @serves(Operator.send_message)
    def send_message(self, request: Request) -> Deferred:
        """Send a message that a person at the station has written."""
        deferred = self.station.defer()

        def then(answer: Any) -> None:
            if isinstance(answer, CallFailure):
                reply: dict[str, Any] = {"refused": answer.code, "description": answer.description}
            else:
                reply = {"answer": to_object(self.station.version, answer)}
            self.station.answer(deferred, reply)

        self.station.send(request, then, triggered=True)
        return deferred

    @serves(Operator.set_variable)
    def set_variable(self, place: VariableId, text: str) -> str:
        """Set a variable as the CSMS may."""
        return write(self.station.variables, place, text, OPERATOR).status.value

    @serves(Ocpp.stop)
    def stop(self) -> bool:
        """Disconnect and stay so; False where that is so already."""
        if not self.running:
            return False
        self.running = False
        self.station.after_answer(lambda: self.station.effect(effects.Disconnect("stopped by command")))
        return True

    @serves(Ocpp.restart)
    def restart(self) -> bool:
        """Connect again after `stop`; False where the connection is wanted already."""
        if self.running:
            return False
        self.running = True
        self.station.after_answer(lambda: self.station.effect(effects.Connect()))
        return True
