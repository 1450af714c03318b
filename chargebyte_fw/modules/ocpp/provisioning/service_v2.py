"""The interface `ocpp` of a station of OCPP 2.x: availability by the words of the CSMS."""

from __future__ import annotations

from chargebyte_fw.contracts.interfaces.ocpp import Ocpp
from chargebyte_fw.contracts.types import ocpp
from chargebyte_fw.modules.ocpp.availability.v2 import Availability2
from chargebyte_fw.modules.ocpp.messages.v2.types.common import EVSEType
from chargebyte_fw.modules.ocpp.provisioning.service import Service
from chargebyte_fw.modules.ocpp.station import serves


class Service2(Service):
    """The service of a station of 2.x."""

    @serves(Ocpp.change_availability)
    def change_availability(self, request: ocpp.ChangeAvailabilityRequest) -> ocpp.ChangeAvailabilityResponse:
        """Do what ChangeAvailability of the CSMS does."""
        evse = request.evse
        place = None if evse is None else EVSEType(id=evse.id, connector_id=evse.connector_id)
        operative = request.operational_status is ocpp.OperationalStatusEnumType.Operative
        status = self.station.block(Availability2).change(place, operative)
        return ocpp.ChangeAvailabilityResponse(status=ocpp.ChangeAvailabilityStatusEnumType(status.value))
