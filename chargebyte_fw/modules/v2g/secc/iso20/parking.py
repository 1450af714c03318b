"""ISO 15118-20, VehicleCheckIn and VehicleCheckOut (clause 8.3.4.3): where the car stands, in a stream of its own.

The service is a value-added one (id 66): a provider describes it, `StaticISO15118VASProvider` from a file. Its
parameter IntendedService is 1 for check-in and 2 for check-out; a car that wants both selects a set of each.
"""

from __future__ import annotations

from chargebyte_fw.modules.v2g.messages import iso20_common as m
from chargebyte_fw.modules.v2g.secc.iso20.base import Iso20Base
from chargebyte_fw.modules.v2g.secc.iso20.energy import Service
from chargebyte_fw.modules.v2g.secc.protocol import Answer

_IN, _OUT = 1, 2
"""IntendedService."""
_Out = m.evCheckOutStatusType


class Parking(Iso20Base):
    """The parking status, where the car has selected that service. The charger has no sensors: it only answers."""

    def on_VehicleCheckInReq(self, request: m.VehicleCheckInReq, now: float) -> Answer:
        """Confirm what the car states of its way into the parking space."""
        if not self._is_selected(_IN):
            return self.failed("VehicleCheckInReq", "FAILED_SequenceError", "the car has not selected the check-in")
        self.log(f"the car checks in: {request.EVCheckInStatus}, {request.ParkingMethod}")
        return self.ok(m.VehicleCheckInRes)

    def on_VehicleCheckOutReq(self, request: m.VehicleCheckOutReq, now: float) -> Answer:
        """Confirm when the car leaves, and that it has left; power that still flows is the car's to end before."""
        name, status = "VehicleCheckOutReq", request.EVCheckOutStatus
        if not self._is_selected(_OUT):
            return self.failed(name, "FAILED_SequenceError", "the car has not selected the check-out")
        if status is _Out.Completed and self.energy is not None and self.energy.energised:
            return self.failed(name, "FAILED_SequenceError", "the car leaves under power")
        statuses = m.evseCheckOutStatusType
        self.log(f"the car checks out: {status}, at {request.CheckOutTime}")
        done = statuses.Completed if status is _Out.Completed else statuses.Scheduled
        return self.ok(m.VehicleCheckOutRes, EVSECheckOutStatus=done)

    def _is_selected(self, intended: int) -> bool:
        """Return whether a selected parameter set is of this kind; one that no provider describes is of any."""
        sets = self.facts.session.service_parameters.get(Service.ParkingStatus) or []
        chosen = {set_id for service_id, set_id in self.others if service_id == Service.ParkingStatus}
        kinds = [
            parameter.value.int_value
            for one in sets
            if one.set_id in chosen
            for parameter in one.parameters
            if parameter.name == "IntendedService"
        ]
        return intended in kinds or not kinds
