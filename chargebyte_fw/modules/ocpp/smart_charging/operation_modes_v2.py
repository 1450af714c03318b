"""The operation mode of each EVSE (OCPP 2.1): its changes are reported, and it has measurands of its own."""

from __future__ import annotations

from functools import partial

from chargebyte_fw.modules.ocpp.messages.v2.transactions import TriggerReasonEnumType
from chargebyte_fw.modules.ocpp.metering.meter_values_v2 import MeterValues2
from chargebyte_fw.modules.ocpp.smart_charging.composite import Composite
from chargebyte_fw.modules.ocpp.smart_charging.events import SchedulesComputed
from chargebyte_fw.modules.ocpp.smart_charging.profile import Mode
from chargebyte_fw.modules.ocpp.smart_charging.rules import V21
from chargebyte_fw.modules.ocpp.smart_charging.v2 import SmartCharging2
from chargebyte_fw.modules.ocpp.station import Block, Station, receives
from chargebyte_fw.modules.ocpp.transactions.v2 import Transactions2


class OperationModes(Block):
    """Follows the mode of the period that holds at each EVSE."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        station.block(MeterValues2).operation_mode = lambda evse_id: self.mode_at(evse_id).value

    def _schedule(self, evse_id: int) -> Composite | None:
        """Return the schedule of an EVSE; None where no profile has a mode, which is the rule."""
        profiles = self.station.block(SmartCharging2)
        periods = (period for one in profiles.store for period in one.schedule.periods)
        if self.station.version != V21 or all(period.mode is Mode.CHARGING_ONLY for period in periods):
            return None
        settings = profiles.settings
        return profiles.enforced_composite(evse_id, settings.duration_s, settings.unit)

    def mode_at(self, evse_id: int) -> Mode:
        """Return the mode of an EVSE now."""
        schedule = self._schedule(evse_id)
        return Mode.CHARGING_ONLY if schedule is None else schedule.periods[0].extras.mode

    @receives(SchedulesComputed)
    def schedules_computed(self, event: SchedulesComputed) -> None:
        """Look at each EVSE with a transaction."""
        for evse_id, state in self.station.block(SmartCharging2).evses.items():
            if state.transaction:
                self._look(evse_id)

    def _look(self, evse_id: int) -> None:
        """Report the mode of a transaction, and look again when the schedule changes it (K01.FR.110)."""
        if not self.station.block(SmartCharging2).evses[evse_id].transaction:
            return
        schedule = self._schedule(evse_id)
        mode = Mode.CHARGING_ONLY if schedule is None else schedule.periods[0].extras.mode
        self._report(evse_id, mode)
        later = [one for one in schedule.periods if one.extras.mode is not mode] if schedule is not None else []
        timer = ("operation mode", evse_id)
        if later:
            self.station.start(timer, self.station.now + later[0].start_s, partial(self._look, evse_id))
        else:
            self.station.stop(timer)

    def _report(self, evse_id: int, mode: Mode) -> None:
        transactions = self.station.block(Transactions2)
        transaction = transactions.at(evse_id)
        if transaction is not None and transaction.operation_mode != mode.value:
            transaction.operation_mode = mode.value
            transactions.update(transaction, TriggerReasonEnumType.OperationModeChanged)
