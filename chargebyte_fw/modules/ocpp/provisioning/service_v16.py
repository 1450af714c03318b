"""The interface `ocpp_1_6_charge_point`: the same service with the configuration keys of OCPP 1.6."""

from __future__ import annotations

from chargebyte_fw.contracts.interfaces.ocpp import Ocpp
from chargebyte_fw.contracts.interfaces.ocpp_1_6_charge_point import Ocpp16ChargePoint
from chargebyte_fw.contracts.types import ocpp
from chargebyte_fw.kernel.effects import publish
from chargebyte_fw.modules.ocpp.availability.v16 import Connectors16
from chargebyte_fw.modules.ocpp.provisioning.events import SecurityEventRaised
from chargebyte_fw.modules.ocpp.provisioning.service import Service
from chargebyte_fw.modules.ocpp.station import Station, events, serves
from chargebyte_fw.modules.ocpp.variables.access import Status
from chargebyte_fw.modules.ocpp.variables.keys.block import ConfigurationKeys
from chargebyte_fw.modules.ocpp.variables.model import Change

INTEGRATOR = "integrator"
"""Source of values that are set by command."""
_STATUS = {
    Status.ACCEPTED: ocpp.ConfigurationStatus.Accepted,
    Status.REBOOT_REQUIRED: ocpp.ConfigurationStatus.RebootRequired,
    Status.UNKNOWN_VARIABLE: ocpp.ConfigurationStatus.NotSupported,
    Status.UNKNOWN_COMPONENT: ocpp.ConfigurationStatus.NotSupported,
}


class Service16(Service):
    """The service of a charge point of 1.6."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._monitored: set[str] = set()
        station.variables.on_any_change(self._changed)

    def report(self, last: events.Connected, *, connected: bool) -> None:
        """Publish the status of the connection, in both interfaces."""
        super().report(last, connected=connected)
        self.station.publish(publish(Ocpp16ChargePoint.is_connected, connected))

    @serves(Ocpp16ChargePoint.stop)
    def stop_charge_point(self) -> bool:
        """Disconnect and stay so."""
        return self.stop()

    @serves(Ocpp16ChargePoint.restart)
    def restart_charge_point(self) -> bool:
        """Connect again after `stop`."""
        return self.restart()

    @serves(Ocpp16ChargePoint.security_event_)
    def security_event(self, type: str, info: str) -> None:
        """Take a security event of another module."""
        self.station.notify(SecurityEventRaised(type, info))

    @serves(Ocpp16ChargePoint.get_configuration_key)
    def get_keys(self, keys: list[str]) -> ocpp.GetConfigurationResponse:
        """Return keys; none asks for all of them."""
        configuration = self.station.block(ConfigurationKeys).configuration
        states = [(name, configuration.read(name)) for name in keys] or [(one.name, one) for one in configuration]
        return ocpp.GetConfigurationResponse(
            configuration_keys=[
                ocpp.KeyValue(key=one.name, read_only=one.read_only, value=one.value)
                for _, one in states
                if one is not None
            ],
            unknown_keys=[name[:50] for name, one in states if one is None],
        )

    @serves(Ocpp16ChargePoint.set_configuration_key)
    def set_key(self, key: str, value: str) -> ocpp.ConfigurationStatus:
        """Set a key, by the rules for the CSMS."""
        status, _ = self.station.block(ConfigurationKeys).configuration.write(key, value, INTEGRATOR)
        return _STATUS.get(status, ocpp.ConfigurationStatus.Rejected)

    @serves(Ocpp16ChargePoint.monitor_configuration_keys)
    def monitor_keys(self, keys: list[str]) -> None:
        """Publish these keys when they change, in addition to those before."""
        self._monitored.update(key.lower() for key in keys)

    def _changed(self, change: Change) -> None:
        if not self._monitored:
            return
        configuration = self.station.block(ConfigurationKeys).configuration
        key = configuration.key_of(change.entry)
        if key is None or key.name.lower() not in self._monitored or key.hidden:
            return
        state = configuration.read(key.name)
        if state is not None:
            value = ocpp.KeyValue(key=state.name, read_only=state.read_only, value=state.value)
            self.station.publish(publish(Ocpp16ChargePoint.configuration_key, value))

    @serves(Ocpp.change_availability)
    def change_availability(self, request: ocpp.ChangeAvailabilityRequest) -> ocpp.ChangeAvailabilityResponse:
        """Do what ChangeAvailability of the CSMS does, for the whole station or one connector.

        An EVSE without a connector is refused, unless it is the whole station: 1.6 knows connectors alone.
        """
        evse, layout = request.evse, self.station.layout
        number: int | None = 0
        if evse is not None and evse.connector_id is not None:
            place = layout.find(evse.id, evse.connector_id)
            number = place.connector if place is not None else None
        elif evse is not None and layout.evse_ids != (evse.id,):
            number = None
        if number is None:
            assert evse is not None
            which = f"connector {evse.connector_id}" if evse.connector_id is not None else "EVSE without a connector"
            info = ocpp.StatusInfoType(reason_code="InvalidInput", additional_info=f"{which} is unknown in OCPP 1.6")
            return ocpp.ChangeAvailabilityResponse(
                status=ocpp.ChangeAvailabilityStatusEnumType.Rejected, status_info=info
            )
        operative = request.operational_status is ocpp.OperationalStatusEnumType.Operative
        status = self.station.block(Connectors16).change(number, operative)
        return ocpp.ChangeAvailabilityResponse(status=ocpp.ChangeAvailabilityStatusEnumType(status.value))
