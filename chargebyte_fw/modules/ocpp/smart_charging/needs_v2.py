"""What a car needs (ISO 15118): the CSMS is notified, and answers with a profile or not (K15, K17 to K20, Q01).

The schedule of the CSMS reaches the car by `car_schedules_v2.py`, and as limits of the energy management.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec

from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.types import evse_manager, iso15118
from chargebyte_fw.contracts.types.iso15118 import EnergyTransferMode
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.ocpp.messages.v2 import smart_charging as v2
from chargebyte_fw.modules.ocpp.messages.v2.types.der import DERControlEnumType
from chargebyte_fw.modules.ocpp.messages.v2.types.energy_transfer import EnergyTransferModeEnumType
from chargebyte_fw.modules.ocpp.smart_charging.energy_transfer_v2 import CHARGING_ONLY, offer
from chargebyte_fw.modules.ocpp.smart_charging.events import NeedsAnswered
from chargebyte_fw.modules.ocpp.smart_charging.rules import V21
from chargebyte_fw.modules.ocpp.smart_charging.v2 import SmartCharging2
from chargebyte_fw.modules.ocpp.station import Block, CallFailure, answered, events, failed, receives
from chargebyte_fw.modules.ocpp.variables.standard.iso15118 import (
    SERVICE_RENEGOTIATION_SUPPORT,
    SUPPORTED_ENERGY_TRANSFER_MODES,
)

Mode = EnergyTransferModeEnumType
MODES = {
    EnergyTransferMode.AC_single_phase_core: Mode.AC_single_phase,
    EnergyTransferMode.AC_two_phase: Mode.AC_two_phase,
    EnergyTransferMode.AC_three_phase_core: Mode.AC_three_phase,
    EnergyTransferMode.DC_core: Mode.DC,
    EnergyTransferMode.DC_extended: Mode.DC,
    EnergyTransferMode.DC_combo_core: Mode.DC,
    EnergyTransferMode.DC_unique: Mode.DC,
    EnergyTransferMode.DC: Mode.DC,
    EnergyTransferMode.AC_BPT: Mode.AC_BPT,
    EnergyTransferMode.AC_BPT_DER: Mode.AC_BPT_DER,
    EnergyTransferMode.AC_DER_IEC: Mode.AC_DER,
    EnergyTransferMode.AC_DER_SAE: Mode.AC_DER,
    EnergyTransferMode.DC_BPT: Mode.DC_BPT,
    EnergyTransferMode.DC_ACDP: Mode.DC_ACDP,
    EnergyTransferMode.DC_ACDP_BPT: Mode.DC_ACDP_BPT,
    EnergyTransferMode.WPT: Mode.WPT,
    EnergyTransferMode.MCS: Mode.DC,
    EnergyTransferMode.MCS_BPT: Mode.DC_BPT,
}
"""OCPP's name of each mode; megawatt charging, which OCPP has not, is DC."""
PARTS = (
    v2.ACChargingParametersType,
    v2.ChargingNeedsType,
    v2.DCChargingParametersType,
    v2.DERChargingParametersType,
    v2.EVAbsolutePriceScheduleEntryType,
    v2.EVAbsolutePriceScheduleType,
    v2.EVEnergyOfferType,
    v2.EVPowerScheduleEntryType,
    v2.EVPowerScheduleType,
    v2.EVPriceRuleType,
    v2.V2XChargingParametersType,
)


def _folded(name: str) -> str:
    return name.replace("_", "").lower()


NAMES = {_folded(field.encode_name): field.encode_name for part in PARTS for field in msgspec.structs.fields(part)}
"""The wire's names by EVerest's names without underscores."""


def needs_of(needs: iso15118.ChargingNeeds, version: str) -> v2.ChargingNeedsType:
    """Return a car's needs as a message has them; raises ValueError."""
    plain = _renamed(msgspec.to_builtins(needs))
    plain["requestedEnergyTransfer"] = _mode(needs.requested_energy_transfer, version)
    if needs.available_energy_transfer:
        modes = [_mode(mode, version) for mode in needs.available_energy_transfer]
        plain["availableEnergyTransfer"] = list(dict.fromkeys(modes))
    der = plain.get("derChargingParameters")
    if der is not None and "evSupportedDERControl" in der:
        known = [one for one in der["evSupportedDERControl"] if one in set(DERControlEnumType)]
        der["evSupportedDERControl"] = known or None
    if version == V21 and plain.get("v2xChargingParameters") is not None:
        # K18.FR.06, K19.FR.06: with ISO 15118-20 in place of those of ISO 15118-2.
        plain["dcChargingParameters"] = plain["acChargingParameters"] = None
    for name in ("dcChargingParameters", "acChargingParameters", "v2xChargingParameters"):
        if plain.get(name) is not None:
            plain[name] = {key: value for key, value in plain[name].items() if value is not None}
    return msgspec.convert(plain, v2.ChargingNeedsType, strict=False)


def _renamed(value: Any) -> Any:
    match value:
        case dict():
            return {NAMES.get(_folded(key), key): _renamed(one) for key, one in value.items()}
        case list():
            return [_renamed(one) for one in value]
    return value


def _mode(mode: EnergyTransferMode, version: str) -> str:
    name = MODES[mode]
    if version != V21 and name.since is not None:
        return Mode.DC if name.value.startswith("DC") else Mode.AC_three_phase
    return name


def is_of_iso_20(needs: v2.ChargingNeedsType) -> bool:
    """Return whether the needs are those of a session of ISO 15118-20."""
    return needs.v2x_charging_parameters is not None or needs.der_charging_parameters is not None


class ChargingNeeds(Block):
    """Passes the needs of cars on, and ends what the CSMS does not allow."""

    @receives(events.FactReceived)
    def fact(self, event: events.FactReceived) -> None:
        """Notify new needs, also those of a renegotiation (K15.FR.01, K17.FR.01, K20.FR.01)."""
        if (event.interface, event.variable) != ("iso15118_extensions", "charging_needs") or event.evse_id is None:
            return
        profiles = self.station.block(SmartCharging2)
        if event.evse_id not in profiles.evses or not profiles.rules.available:
            return
        needs = needs_of(event.value, self.station.version)
        offline_at = None
        if self.station.version == V21:
            offline_at = None if profiles.online else self.station.utc
            if is_of_iso_20(needs) and needs.available_energy_transfer is None:
                # Q01.FR.09: the CSMS may still allow more than the car was offered.
                modes = self.station.variables.get(SUPPORTED_ENERGY_TRANSFER_MODES.at(event.evse_id))
                needs.available_energy_transfer = [Mode(mode) for mode in modes] or None
        self.station.send(
            v2.NotifyEVChargingNeedsRequest(charging_needs=needs, evse_id=event.evse_id, timestamp=offline_at)
        )

    @failed(v2.NotifyEVChargingNeedsRequest)
    def needs_unanswered(self, request: v2.NotifyEVChargingNeedsRequest, failure: CallFailure) -> None:
        """Let the car go on without."""
        self.station.notify(NeedsAnswered(request.evse_id, False))

    @answered(v2.NotifyEVChargingNeedsRequest)
    def needs_answered(
        self, request: v2.NotifyEVChargingNeedsRequest, response: v2.NotifyEVChargingNeedsResponse
    ) -> None:
        """Go on, or with what is rejected no longer (Q01.FR.05, Q01.FR.06, K18.FR.23, K19.FR.16).

        With Accepted a profile follows. With Rejected, which holds for ISO 15118-20 alone, a car that has chosen a
        bidirectional service only charges from now on, where services can be negotiated again; otherwise its
        transaction ends. With any other answer the car goes on with the present limits; a profile of the CSMS changes
        them when it comes.
        """
        accepted = response.status is v2.NotifyEVChargingNeedsStatusEnumType.Accepted
        self.station.notify(NeedsAnswered(request.evse_id, accepted))
        needs, evse_id = request.charging_needs, request.evse_id
        rejected = response.status is v2.NotifyEVChargingNeedsStatusEnumType.Rejected
        if not rejected or not is_of_iso_20(needs) or self.station.version != V21:
            return
        # The name space of AC_DER_IEC has no other service that the car could choose.
        der = needs.der_charging_parameters is not None
        others = () if der else CHARGING_ONLY.get(needs.requested_energy_transfer, ())
        renegotiable = self.station.variables.get(SERVICE_RENEGOTIATION_SUPPORT.at(evse_id))
        if others and renegotiable:
            self.station.command(offer(others), partial(self._renegotiates, evse_id), evse_id=evse_id)
        else:
            self._end(evse_id)

    def _renegotiates(self, evse_id: int, result: Any) -> None:
        """End the transaction where the EVSE has nothing else to offer."""
        if result is not evse_manager.UpdateAllowedEnergyTransferModesResult.Accepted:
            self._end(evse_id)

    def _end(self, evse_id: int) -> None:
        reason = evse_manager.StopTransactionReason.ReqEnergyTransferRejected
        stop = evse_manager.StopTransactionRequest(reason=reason)
        self.station.command(call(EvseManager.stop_transaction, stop), evse_id=evse_id)
