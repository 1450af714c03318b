"""The station for other modules: its connection as a variable, and the commands that stop and start it."""

from __future__ import annotations

from chargebyte_fw.contracts.interfaces.ocpp import Ocpp
from chargebyte_fw.contracts.types import ocpp
from chargebyte_fw.kernel.effects import publish
from chargebyte_fw.modules.ocpp.station import Block, Station, effects, events, receives, serves


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
            ocpp_version=last.ocpp_version,
        )
        self.station.publish(publish(Ocpp.connection_status, status))

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
