"""What the DC energy service has of its own in ISO 15118-2 (clauses 8.4.3.9, 8.4.5)."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.modules.v2g.messages import iso2
from chargebyte_fw.modules.v2g.secc.common.dc import DcService
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from chargebyte_fw.modules.v2g.secc.common.session import SCHEDULE_ID
from chargebyte_fw.modules.v2g.secc.iso2 import sequence as sequences
from chargebyte_fw.modules.v2g.secc.iso2.energy import Iso2EnergyService
from chargebyte_fw.modules.v2g.secc.protocol import Answer


class Iso2DcService(DcService, Iso2EnergyService):
    """Direct current in ISO 15118-2."""

    sequence = sequences.DC
    early_stop = sequences.DC_EARLY_STOP
    kind = "DC"
    usual_mode = iso2.EnergyTransferModeType.DC_extended
    parameter_type = iso2.DC_EVChargeParameterType
    after_parameters = State.CABLE_CHECK
    mode = usual_mode

    @property
    def bidirectional(self) -> bool:
        """Whether the car has selected the service of SAE J2847/2."""
        return self.session.sae_selected

    def charging_needs(self, parameters: iso2.DC_EVChargeParameterType) -> dict[str, Any]:
        """Return the car's needs as OCPP has them."""
        return {"dc_charging_parameters": self.needs(parameters)}

    def schedule_power_W(self, mode: iso2.EnergyTransferModeType) -> float:
        """Return the power of the schedule: what the power supply can deliver."""
        return self.facts.schedule_power_W

    def current_demand_extras(self) -> dict[str, Any]:
        """Return EVSE id and schedule."""
        return {"EVSEID": self.session.evse_id(), "SAScheduleTupleID": SCHEDULE_ID}

    def metering(self) -> dict[str, Any]:
        """Return the meter's value; ReceiptRequired only where a receipt is required."""
        content = self.session.metering()
        return content | {"ReceiptRequired": content["ReceiptRequired"] or None}

    def take_power_delivery(self, request: iso2.PowerDeliveryReq) -> None:
        """Publish what PowerDeliveryReq has of the battery."""
        self.take_power_delivery_parameter(request.EVPowerDeliveryParameter)

    def start_power(self, now: float) -> Answer | None:
        """Begin the charge loop."""
        if why := self.begin():
            # [V2G2-480]
            return self.session.failed("PowerDeliveryReq", "FAILED_PowerDeliveryNotApplied", why)
        return None

    def renegotiate(self) -> None:
        """End the charge loop; the isolation must be checked again."""
        self.cable_check_started = False
        self.facts.session.isolation = "Invalid"
        # The next pre-charge has targets of its own, even if they are equal.
        self.session.forget_published(Iso15118Charger.dc_ev_target_voltage_current)
        self.finish_charging()
