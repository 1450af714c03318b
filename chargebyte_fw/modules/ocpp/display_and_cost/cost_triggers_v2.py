"""California Pricing in OCPP 2.x: meter values that the CSMS wants for its next cost, in `customData`."""

from __future__ import annotations

from functools import partial
from typing import Any

from chargebyte_fw.modules.ocpp.display_and_cost.meter_triggers import MeterTriggers
from chargebyte_fw.modules.ocpp.messages import pricing
from chargebyte_fw.modules.ocpp.messages.errors import MessageError
from chargebyte_fw.modules.ocpp.messages.schema import decode_data
from chargebyte_fw.modules.ocpp.messages.v2.transactions import TransactionEventRequest, TransactionEventResponse
from chargebyte_fw.modules.ocpp.metering.meter_values_v2 import MeterValues2
from chargebyte_fw.modules.ocpp.station import Block, Station, answered, events, receives
from chargebyte_fw.modules.ocpp.transactions.events import PricesKnown, TransactionEnded
from chargebyte_fw.modules.ocpp.transactions.v2 import Transactions2
from chargebyte_fw.modules.ocpp.variables.standard.station import CUSTOM_COST_ENABLED


class CostTriggers2(Block):
    """Sends MeterValues of an EVSE at a time, an energy or a power that came with the last cost of its transaction."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._triggers: dict[int, MeterTriggers] = {}

    @answered(TransactionEventRequest)
    def event_answered(self, request: TransactionEventRequest, response: TransactionEventResponse) -> None:
        """Take the triggers in the answer to an event."""
        if response.custom_data is not None:
            self._take(request.transaction_info.transaction_id, response.custom_data)

    @receives(PricesKnown)
    def prices_known(self, event: PricesKnown) -> None:
        """Take the triggers of CostUpdated."""
        self._take(event.transaction_id, event.custom_data)

    def _take(self, transaction_id: str, data: dict[str, Any]) -> None:
        """Use these triggers, in place of those before; other vendors are not of interest."""
        if data.get("vendorId") != pricing.COST_VENDOR_ID or not self.station.variables.get(CUSTOM_COST_ENABLED):
            return
        transaction = self.station.block(Transactions2).of_id(transaction_id)
        try:
            wanted = decode_data(self.station.version, pricing.CurrentPrices, data).trigger_meter_value
        except MessageError:
            return
        if transaction is None:
            return
        evse_id = transaction.evse_id
        self._disarm(evse_id)
        if wanted is not None:
            self._triggers[evse_id] = MeterTriggers(wanted.energy_kWh, wanted.power_kW, ())
            if wanted.at is not None:
                at_s = max(self.station.now, self.station.monotonic(wanted.at))
                self.station.start(("cost", evse_id), at_s, partial(self._send, evse_id, register_alone=True))

    def _disarm(self, evse_id: int) -> None:
        self._triggers.pop(evse_id, None)
        self.station.stop(("cost", evse_id))

    def _send(self, evse_id: int, *, register_alone: bool = False) -> None:
        self.station.block(MeterValues2).send_for_cost(evse_id, register_alone=register_alone)

    @receives(events.PowermeterReceived)
    def measured(self, event: events.PowermeterReceived) -> None:
        """Send meter values where an energy or a power is reached."""
        triggers = self._triggers.get(event.evse_id)
        if triggers is not None and triggers.measured(event.powermeter):
            self._send(event.evse_id)

    @receives(TransactionEnded)
    def ended(self, event: TransactionEnded) -> None:
        """Nothing is triggered after the end."""
        self._disarm(event.evse_id)
