"""ISO 15118-20, VehicleCheckIn and VehicleCheckOut (clause 8.3.4.3): where the car stands, in a stream of its own."""

from __future__ import annotations

from chargebyte_fw.modules.v2g.messages import iso20_common as m
from chargebyte_fw.modules.v2g.secc.iso20.base import Iso20Base
from chargebyte_fw.modules.v2g.secc.protocol import Answer


class Parking(Iso20Base):
    """The parking status, where the car has selected that service. The charger has no sensors: it only answers."""

    def on_VehicleCheckInReq(self, request: m.VehicleCheckInReq, now: float) -> Answer:
        """Confirm what the car states of its way into the parking space."""
        self.log(f"the car checks in: {request.EVCheckInStatus}, {request.ParkingMethod}")
        return self.ok(m.VehicleCheckInRes)

    def on_VehicleCheckOutReq(self, request: m.VehicleCheckOutReq, now: float) -> Answer:
        """Confirm when the car leaves, and that it has left."""
        completed = request.EVCheckOutStatus is m.evCheckOutStatusType.Completed
        statuses = m.evseCheckOutStatusType
        self.log(f"the car checks out: {request.EVCheckOutStatus}")
        return self.ok(m.VehicleCheckOutRes, EVSECheckOutStatus=statuses.Completed if completed else statuses.Scheduled)
