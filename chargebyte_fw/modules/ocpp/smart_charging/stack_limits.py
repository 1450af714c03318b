"""Limits for the stack: computed at each change and each interval, published, and sent to the energy nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from chargebyte_fw.contracts.interfaces.external_energy_limits import ExternalEnergyLimits
from chargebyte_fw.contracts.interfaces.ocpp import Ocpp
from chargebyte_fw.kernel.effects import call, publish
from chargebyte_fw.modules.ocpp.smart_charging.composite import Composite, composite
from chargebyte_fw.modules.ocpp.smart_charging.configuration import is_configured
from chargebyte_fw.modules.ocpp.smart_charging.events import SchedulesComputed
from chargebyte_fw.modules.ocpp.smart_charging.profile import STATION, RateUnit
from chargebyte_fw.modules.ocpp.smart_charging.publication import (
    CSMS_PRIORITY,
    EXTERNAL_PRIORITY,
    NO_LIMIT,
    charging_schedules,
    external_limits,
)
from chargebyte_fw.modules.ocpp.smart_charging.rules import V16, SmartChargingRules
from chargebyte_fw.modules.ocpp.variables.standard import smart_charging as declared

if TYPE_CHECKING:
    from chargebyte_fw.modules.ocpp.smart_charging.block import SmartCharging

INTERVAL = "smart charging interval"
"""Timer of the next computation without a change."""


class StackLimits:
    """What the profiles of a block are for the stack. One computation at a time.

    What changes while commands are unanswered is computed once they are.
    """

    def __init__(self, block: SmartCharging) -> None:
        self._block = block
        self._unanswered = 0
        self._again = False

    def _interval(self) -> None:
        self.compute(changed=False)

    def compute(self, *, changed: bool = True) -> None:
        """Publish every schedule, and send the limits to the energy nodes."""
        block = self._block
        station, settings = block.station, block.settings
        if settings.interval_s > 0:
            station.start(INTERVAL, station.now + settings.interval_s, self._interval)
        if self._unanswered:
            self._again = True
            return
        self._again = False
        block.store.end_offline(block.situation)
        block.refresh_supply()
        station.notify(SchedulesComputed(changed))
        rules = block.rules
        numbers = [STATION, *block.numbers()]
        shown = [block.composite_of(number, settings.duration_s, settings.unit) for number in numbers]
        station.publish(publish(Ocpp.charging_schedules, charging_schedules(self._of_evses(shown), rules)))
        enforced = self._enforced(rules)
        limits = [self._enforced_composite(number, settings.duration_s, settings.unit, enforced) for number in numbers]
        for one in self._of_evses(limits):
            self._send(one, rules)

    def composite(self, number: int, duration_s: int, unit: RateUnit) -> Composite:
        """Return what the stack is to keep of an EVSE: without a profile it is not limited."""
        return self._enforced_composite(number, duration_s, unit, self._enforced(self._block.rules))

    def _enforced_composite(
        self, number: int, duration_s: int, unit: RateUnit, enforced: SmartChargingRules
    ) -> Composite:
        block = self._block
        profiles = [one for one in block.store if block.is_enforced(one)] if enforced.available else []
        return composite(profiles, number, duration_s, unit, block.situation, enforced)

    def _send(self, limits: Composite, rules: SmartChargingRules) -> None:
        station = self._block.station
        first = station.variables.get(declared.SETPOINT_PRIORITY)
        value = external_limits(
            limits,
            self._block.settings.source,
            rules.voltage_V,
            setpoints=rules.version != V16,
            signal=self._block.afrr_signal,
            priority=CSMS_PRIORITY if first == "CSMS" else EXTERNAL_PRIORITY,
        )
        self._unanswered += 1
        station.command(call(ExternalEnergyLimits.set_external_limits, value), self._answered, evse_id=limits.evse_id)

    def _answered(self, result: Any) -> None:
        """A node that does not take its limits is sent them again at the next interval."""
        self._unanswered -= 1
        if not self._unanswered and self._again:
            self._block.changed()

    def _enforced(self, rules: SmartChargingRules) -> SmartChargingRules:
        """Return the rules by which limits are enforced.

        Without a default that was configured, an EVSE without a profile is not limited: the shipped default is a
        figure for answers, and would throttle a charger of more than 48 A.
        """
        variables = self._block.station.variables
        own_A = is_configured(variables, declared.DEFAULT_LIMIT_A)
        own_W = is_configured(variables, declared.DEFAULT_LIMIT_W)
        return msgspec.structs.replace(
            rules,
            default_limit_A=rules.default_limit_A if own_A else NO_LIMIT,
            default_limit_W=rules.default_limit_W if own_W else NO_LIMIT,
        )

    def _of_evses(self, composites: list[Composite]) -> list[Composite]:
        """Return one schedule for the station and each EVSE of the stack; that of the connector in use."""
        block = self._block
        by_number = {one.evse_id: one for one in composites}
        found = [by_number[STATION]]
        for evse_id in block.station.layout.evse_ids:
            numbers = block.evse_numbers(evse_id)
            busy = [number for number in numbers if block.evses[number].transaction]
            found.append(msgspec.structs.replace(by_number[(busy or numbers)[0]], evse_id=evse_id))
        return found
