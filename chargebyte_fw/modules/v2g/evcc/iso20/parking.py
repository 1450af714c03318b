"""Parking status of ISO 15118-20 (service 66): the car checks in where it has parked, and out before it leaves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from chargebyte_fw.modules.v2g.evcc.effects import Step
from chargebyte_fw.modules.v2g.evcc.iso20.services import PARKING_STATUS
from chargebyte_fw.modules.v2g.messages import iso20_common as common

if TYPE_CHECKING:
    from chargebyte_fw.modules.v2g.evcc.iso20.session import Iso20CarSession

_IN, _OUT = 1, 2
"""IntendedService."""
_WANTED = {"in": (_IN,), "out": (_OUT,), "both": (_IN, _OUT)}
CHECK_IN, CHECK_OUT = "VehicleCheckIn", "VehicleCheckOut"
STAGES = (CHECK_IN, CHECK_OUT)


class Parking:
    """The stages `VehicleCheckIn` and `VehicleCheckOut`, in the stream of the parking status (payload type 0x8104)."""

    def __init__(self, session: Iso20CarSession) -> None:
        self.session = session
        self._wanted = _WANTED.get(session.settings.parking, ())
        self._sets: dict[int, int] = {}
        """Parameter sets of the charger by IntendedService."""
        self._in = common.evCheckInStatusType.CheckIn
        self._out = common.evCheckOutStatusType.CheckOut
        self._checked_out = False

    def is_wanted(self, offered: Iterable[int]) -> bool:
        """Return whether the car takes the service, which the charger has among these."""
        return bool(self._wanted) and PARKING_STATUS in offered

    def take_sets(self, sets: Iterable[common.ParameterSetType]) -> None:
        """Choose a parameter set for each of check-in and check-out that the car wants."""
        for one in sets:
            intended = next((p.intValue for p in one.Parameter if p.Name == "IntendedService"), None)
            if intended in self._wanted:
                self._sets.setdefault(intended, one.ParameterSetID)

    @property
    def selected(self) -> common.SelectedServiceListType | None:
        """The parameter sets as ServiceSelectionReq has them, None without one."""
        chosen = [
            common.SelectedServiceType(ServiceID=PARKING_STATUS, ParameterSetID=one) for one in self._sets.values()
        ]
        return common.SelectedServiceListType(SelectedService=chosen) if chosen else None

    @property
    def checks_in(self) -> bool:
        """Whether the car has to check in."""
        return _IN in self._sets and self._in is not common.evCheckInStatusType.Completed

    @property
    def checks_out(self) -> bool:
        """Whether the car has to check out before the session ends."""
        return _OUT in self._sets and not self._checked_out

    def build_VehicleCheckIn(self, now: float) -> common.VehicleCheckInReq:
        """Report that the driver parks the car, then that it stands."""
        return common.VehicleCheckInReq(
            Header=self.session.header(), EVCheckInStatus=self._in, ParkingMethod=common.parkingMethodType.Manual
        )

    def take_VehicleCheckIn(self, body: common.VehicleCheckInRes, now: float) -> float:
        """Go on to the charge parameters once the car stands."""
        if self._in is common.evCheckInStatusType.CheckIn:
            self._in = common.evCheckInStatusType.Completed
            return 0.0
        self.session.report(Step.SERVICE, "checked in")
        self.session.stage = self.session.energy.first_stage
        return 0.0

    def build_VehicleCheckOut(self, now: float) -> common.VehicleCheckOutReq:
        """Report that the car is about to leave, then that it does."""
        leaves_s = max(0, int(self.session.unix_s))
        return common.VehicleCheckOutReq(
            Header=self.session.header(), EVCheckOutStatus=self._out, CheckOutTime=leaves_s
        )

    def take_VehicleCheckOut(self, body: common.VehicleCheckOutRes, now: float) -> float:
        """End the session once it has left."""
        if self._out is common.evCheckOutStatusType.CheckOut:
            self._out = common.evCheckOutStatusType.Completed
            return 0.0
        self._checked_out = True
        self.session.report(Step.STOPPING, "checked out")
        self.session.stage = "SessionStop"
        return 0.0
