"""A transaction that a test lets pass: time, energy and charging state, counted by a tariff."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from chargebyte_fw.modules.ocpp.messages.schema import encode
from chargebyte_fw.modules.ocpp.messages.v2.transactions import (
    TransactionEventEnumType,
    TransactionEventRequest,
    TransactionType,
    TriggerReasonEnumType,
)
from chargebyte_fw.modules.ocpp.messages.v2.types.tariff import TariffType
from chargebyte_fw.modules.ocpp.smart_charging.rules import LocalTime
from chargebyte_fw.modules.ocpp.tariffs.conditions import EPOCH
from chargebyte_fw.modules.ocpp.tariffs.cost import Cost, Measured, Payment
from chargebyte_fw.modules.ocpp.tariffs.details import details_of
from chargebyte_fw.modules.ocpp.tariffs.tariff import Tariff
from chargebyte_fw.modules.ocpp.version import Version

SECOND_US = 1_000_000


def tariff_of(**fields: Any) -> Tariff:
    payload = {"tariffId": "T1", "currency": "EUR", **fields}
    return Tariff(msgspec.convert(payload, TariffType))


def kwh(price: float, **conditions: Any) -> dict[str, Any]:
    return {"priceKwh": price, **({"conditions": conditions} if conditions else {})}


def minute(price: float, **conditions: Any) -> dict[str, Any]:
    return {"priceMinute": price, **({"conditions": conditions} if conditions else {})}


def fixed(price: float, **conditions: Any) -> dict[str, Any]:
    return {"priceFixed": price, **({"conditions": conditions} if conditions else {})}


def vat(*rates: tuple[float, int]) -> list[dict[str, Any]]:
    return [{"type": f"T{index}", "tax": tax, "stack": stack} for index, (tax, stack) in enumerate(rates)]


class Session:
    """One transaction. The meter stands at 100 kWh when it begins."""

    def __init__(
        self,
        tariff: Tariff,
        at: str = "2023-04-05T14:00:00",
        *,
        charging: bool = True,
        local: LocalTime | None = None,
        reservation_s: int | None = None,
        **payment: str,
    ) -> None:
        self.tariff, self.local = tariff, local or LocalTime()
        begin = datetime.fromisoformat(at).replace(tzinfo=UTC)
        self.at_us = int((begin - EPOCH).total_seconds()) * SECOND_US
        self.imported_mWh, self.exported_mWh = 100_000_000, 0
        self.power_W: float | None = None
        self.cost = Cost(at_us=self.at_us, last=self.measured, payment=Payment(**payment))
        self.cost.begin(tariff, self.local, None if reservation_s is None else reservation_s * SECOND_US)
        self.cost.charging = charging

    @property
    def measured(self) -> Measured:
        power_mW = None if self.power_W is None else int(self.power_W * 1000)
        return Measured(self.imported_mWh, self.exported_mWh, power_mW, None if power_mW is None else power_mW // 230)

    def run(self, duration_s: float, energy_Wh: float = 0.0, *, steps: int = 1) -> Session:
        """Let time pass, in equal steps."""
        for _ in range(steps):
            self.at_us += int(duration_s * SECOND_US) // steps
            if energy_Wh > 0:
                self.imported_mWh += int(energy_Wh * 1000) // steps
            else:
                self.exported_mWh += int(-energy_Wh * 1000) // steps
            self.cost.advance(self.tariff, self.local, self.at_us, int(duration_s * SECOND_US) // steps, self.measured)
        return self

    def idle(self) -> Session:
        self.cost.charging = False
        return self

    def restarted(self) -> Session:
        """Go on with what was written down."""
        self.cost = msgspec.json.decode(msgspec.json.encode(self.cost), type=Cost)
        return self

    def details(self, *, final: bool = True) -> dict[str, Any]:
        """Return CostDetailsType as it is sent."""
        event = TransactionEventRequest(
            event_type=TransactionEventEnumType.Updated,
            timestamp=EPOCH,
            trigger_reason=TriggerReasonEnumType.RunningCost,
            seq_no=0,
            transaction_info=TransactionType(transaction_id="s1"),
            cost_details=details_of(self.cost, self.tariff, final=final),
        )
        found: dict[str, Any] = msgspec.json.decode(encode(Version.V21, event))
        details: dict[str, Any] = found["costDetails"]
        return details

    def total(self) -> tuple[float, float]:
        total = self.details()["totalCost"]["total"]
        return total["exclTax"], total["inclTax"]
