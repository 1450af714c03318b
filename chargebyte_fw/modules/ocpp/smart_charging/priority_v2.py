"""Priority charging: a profile for more power replaces those of a transaction (OCPP 2.1, K21 and K22)."""

from __future__ import annotations

from functools import partial

from chargebyte_fw.modules.ocpp.messages.v2 import smart_charging as v2
from chargebyte_fw.modules.ocpp.smart_charging.events import SchedulesComputed
from chargebyte_fw.modules.ocpp.smart_charging.profile import STATION, Purpose
from chargebyte_fw.modules.ocpp.smart_charging.v2 import SmartCharging2, status_info
from chargebyte_fw.modules.ocpp.station import Block, answers, receives, serves
from chargebyte_fw.modules.ocpp.station.operator import Operator

Status = v2.PriorityChargingStatusEnumType


class PriorityCharging(Block):
    """Which transactions have priority."""

    @property
    def _profiles(self) -> SmartCharging2:
        return self.station.block(SmartCharging2)

    @answers(v2.UsePriorityChargingRequest)
    def use_priority(self, request: v2.UsePriorityChargingRequest) -> v2.UsePriorityChargingResponse:
        """Begin or end priority charging of a transaction (K21)."""
        self._profiles.require()
        evse_id = self._profiles.evse_of(request.transaction_id)
        if evse_id is None:
            info = status_info("TxNotFound", f"transaction {request.transaction_id} does not run")
            return v2.UsePriorityChargingResponse(status=Status.Rejected, status_info=info)
        if request.activate and not self._has_profile(evse_id):
            info = status_info("NotFound", f"no profile for priority charging of EVSE {evse_id}")
            return v2.UsePriorityChargingResponse(status=Status.NoProfile, status_info=info)
        if self._profiles.evses[evse_id].priority != request.activate:
            self._profiles.change(evse_id, priority=request.activate)
            # [K21.FR.05], [K21.FR.08]: after the answer.
            self.station.after_answer(partial(self._notify, request.transaction_id, request.activate))
        return v2.UsePriorityChargingResponse(status=Status.Accepted)

    @serves(Operator.use_priority_charging)
    def use_locally(self, evse_id: int, activate: bool) -> bool:
        """Begin or end priority charging as the driver wishes, and notify the CSMS (K22).

        Returns whether the EVSE has it now as wished: it needs a transaction and a PriorityCharging profile.
        """
        state = self._profiles.evses.get(evse_id)
        if state is None or not state.transaction or state.transaction_id is None:
            return False
        if activate and not self._has_profile(evse_id):
            return False
        if state.priority != activate:
            self._profiles.change(evse_id, priority=activate)
            self._notify(state.transaction_id, activate)
        return True

    @receives(SchedulesComputed)
    def schedules_computed(self, event: SchedulesComputed) -> None:
        """Priority charging ends with its profile, of which the CSMS is notified."""
        for evse_id, state in list(self._profiles.evses.items()):
            if state.priority and not self._has_profile(evse_id):
                self._profiles.change(evse_id, priority=False)
                if state.transaction_id is not None:
                    self._notify(state.transaction_id, False)

    def _notify(self, transaction_id: str, activated: bool) -> None:
        self.station.send(v2.NotifyPriorityChargingRequest(transaction_id=transaction_id, activated=activated))

    def _has_profile(self, evse_id: int) -> bool:
        now_s = self._profiles.now_s
        return any(
            one.profile.purpose is Purpose.PRIORITY
            and one.evse_id in (evse_id, STATION)
            and (one.profile.valid_to_s is None or one.profile.valid_to_s > now_s)
            for one in self._profiles.store
        )
