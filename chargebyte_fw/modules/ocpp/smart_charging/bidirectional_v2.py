"""Bidirectional transfer in a session: other energy services, and signals of reserve power (Q02, Q07)."""

from __future__ import annotations

from functools import partial
from typing import Any

from chargebyte_fw.contracts.types.evse_manager import UpdateAllowedEnergyTransferModesResult
from chargebyte_fw.modules.ocpp.messages.v2 import bidirectional as v2
from chargebyte_fw.modules.ocpp.messages.v2.types.common import GenericStatusEnumType
from chargebyte_fw.modules.ocpp.smart_charging.energy_transfer_v2 import offer
from chargebyte_fw.modules.ocpp.smart_charging.profile import Mode
from chargebyte_fw.modules.ocpp.smart_charging.v2 import SmartCharging2, status_info
from chargebyte_fw.modules.ocpp.station import Block, Deferred, Station, answers, events, receives
from chargebyte_fw.modules.ocpp.variables.standard import iso15118

ISO_20 = "15118:-20"
"""What every namespace of ISO 15118-20 has."""
SIGNAL = "afrr signal"
"""Timer."""
Status = v2.NotifyAllowedEnergyTransferStatusEnumType


class Bidirectional(Block):
    """Requests that change an ongoing bidirectional session."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._protocols: dict[int, str] = {}

    @property
    def _profiles(self) -> SmartCharging2:
        return self.station.block(SmartCharging2)

    @receives(events.FactReceived)
    def fact(self, event: events.FactReceived) -> None:
        """Take the protocol of the session."""
        if (event.interface, event.variable) == ("evse_manager", "selected_protocol") and event.evse_id is not None:
            self._protocols[event.evse_id] = str(event.value)

    @answers(v2.NotifyAllowedEnergyTransferRequest)
    def allowed_transfer(
        self, request: v2.NotifyAllowedEnergyTransferRequest
    ) -> v2.NotifyAllowedEnergyTransferResponse | Deferred:
        """Offer the car other energy services, by a renegotiation of services (Q02.FR.06)."""
        evse_id = self._profiles.evse_of(request.transaction_id)
        reason = self._refusal(evse_id)
        if reason:
            info = status_info("TxNotFound" if evse_id is None else "UnsupportedRequest", reason)
            return v2.NotifyAllowedEnergyTransferResponse(status=Status.Rejected, status_info=info)
        deferred = self.station.defer()
        order = offer(request.allowed_energy_transfer)
        self.station.command(order, partial(self._transferred, deferred), evse_id=evse_id)
        return deferred

    def _refusal(self, evse_id: int | None) -> str:
        """Return why services cannot be negotiated again, empty where they can."""
        get = self.station.variables.get
        if evse_id is None:
            return "no such transaction"
        if not get(iso15118.V2X_ENABLED.at(evse_id)):
            return "V2XChargingCtrlr is not enabled"
        agreed = get(iso15118.PROTOCOL_AGREED.at(evse_id)) or self._protocols.get(evse_id, "")
        if ISO_20 not in agreed and "ISO15118-20" not in agreed:
            return "the session is not of ISO 15118-20"
        if not get(iso15118.SERVICE_RENEGOTIATION_SUPPORT.at(evse_id)):
            return "the car does not negotiate services again"
        return ""

    def _transferred(self, deferred: Deferred, result: Any) -> None:
        accepted = result is UpdateAllowedEnergyTransferModesResult.Accepted
        self.station.answer(
            deferred, v2.NotifyAllowedEnergyTransferResponse(status=Status.Accepted if accepted else Status.Rejected)
        )

    @answers(v2.AFRRSignalRequest)
    def reserve_signal(self, request: v2.AFRRSignalRequest) -> v2.AFRRSignalResponse:
        """Follow the signal from its time on, where a profile has a curve for it (Q07)."""
        if not self._follows_signals():
            info = status_info("NoSignalWattCurve", "no profile of CentralFrequency has a v2xSignalWattCurve")
            return v2.AFRRSignalResponse(status=GenericStatusEnumType.Rejected, status_info=info)
        at_s = max(self.station.now, self.station.monotonic(request.timestamp))
        self.station.start(SIGNAL, at_s, partial(self._signal, request.signal))
        return v2.AFRRSignalResponse(status=GenericStatusEnumType.Accepted)

    def _follows_signals(self) -> bool:
        return any(
            period.mode is Mode.CENTRAL_FREQUENCY and period.extras.signal_curve
            for one in self._profiles.store
            for period in one.schedule.periods
        )

    def _signal(self, signal: int) -> None:
        self._profiles.afrr_signal = signal
        self._profiles.changed()
