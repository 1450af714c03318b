"""Car and charger of ISO 15118-20 with wishes of both at any time: whatever comes, the session ends in order."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from chargebyte_fw.contracts.types import iso15118, units
from chargebyte_fw.modules.v2g.secc.facts import Iso20Settings
from tests.v2g.pair import Pair
from tests.v2g.test_iso20_pair import pair

OFFERS = {"AC": ("AC_three_phase_core", "AC_BPT"), "DC": ("DC", "DC_BPT", "MCS", "MCS_BPT")}
IN_ORDER = (
    "the charger offers",  # the car's services were withdrawn
    "PowerDeliveryRes FAILED_PowerDeliveryNotApplied",  # the charger wants to stop before the power is on
)
"""How a session may fail where no rule is broken."""


def target(power_W: float) -> dict[str, Any]:
    return {"ac_target": iso15118.AcTargetValues(target_active_power=units.Power(total=power_W))}


def actions(it: Pair, chance: random.Random, offers: tuple[str, ...]) -> list[Callable[[], None]]:
    """What may happen; what is often is there twice."""

    def of_charger(**changes: Any) -> Callable[[], None]:
        return lambda: it.fact(**changes)

    def of_car(**changes: Any) -> Callable[[], None]:
        return lambda: it.wish(**changes)

    def ac_target() -> None:
        it.charger.facts.iso20.ac_target = target(chance.choice([-5_000.0, 0.0, 7_000.0]))["ac_target"]
        it.fact()

    offered = sorted(chance.sample(offers, chance.randint(1, len(offers))))
    return [
        of_charger(energy_transfer_modes=offered),
        of_charger(energy_transfer_modes=[*offers]),
        of_charger(dc_max_power_W=chance.choice([0.0, 20e3, 150e3]), dc_max_current_A=chance.choice([0.0, 200.0])),
        of_charger(meter_Wh=chance.uniform(0.0, 1e4)),
        of_charger(stop_requested=chance.random() < 0.3),
        of_charger(pause_requested=chance.random() < 0.3),
        ac_target,
        of_car(renegotiate_services=True),
        of_car(renegotiate_services=True),
        of_car(renegotiate=True),
        of_car(renegotiate=True),
        of_car(standby=chance.random() < 0.5),
        of_car(pause=chance.random() < 0.2),
        of_car(stop=chance.random() < 0.2),
    ]


@pytest.mark.parametrize("seed", range(40))
def test_wishes_of_both_sides_at_any_time(seed: int) -> None:
    chance = random.Random(seed)
    mode = chance.choice(["DC_extended", "DC_BPT", "MCS", "MCS_BPT", "AC_three_phase_core", "AC_BPT"])
    options = Iso20Settings(
        scheduled=True,
        dynamic=True,
        mobility_needs_by_secc=True,
        standby=chance.random() < 0.5,
        schedule_renegotiation=chance.random() < 0.5,
        service_renegotiation=chance.random() < 0.8,
    )
    control_mode = chance.choice(["Scheduled", "Dynamic", ""])
    beside = chance.random() < 0.5
    it = pair(mode, control_mode=control_mode, options=options, multiplexed_renegotiation=beside)
    it.start()
    it.run(0.1)
    for _ in range(chance.randint(3, 14)):
        it.run(chance.choice([0.0, 0.01, 0.05, 0.2, 1.0, 4.0, 9.0]))
        chance.choice(actions(it, chance, OFFERS["AC" if mode.startswith("AC") else "DC"]))()
    it.run(20.0)
    if it.outcome is None:
        it.wish(stop=True)
        it.run(60.0)
    assert it.outcome is not None, it.requests[-4:]
    assert it.outcome.outcome != "failed" or it.outcome.reason.startswith(IN_ORDER), it.outcome.reason
    assert it.charger.broken() == []
    switched = [name for name in it.charger.names() if name.endswith("_contactor") or name == "start_cable_check"]
    assert not switched or "open" in switched[-1]
