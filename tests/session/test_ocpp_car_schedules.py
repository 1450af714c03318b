"""A CSMS gives cars with ISO 15118-2 and -20 their schedule: the whole charger, as shipped with OCPPmulti.

OCPP 2.1 K15 (-2), K16 (another schedule by the CSMS), K17 (by the car), K18 (-20, Scheduled), K19 (-20, Dynamic).
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from chargebyte_fw.kernel.clock import rfc3339, utc_now
from chargebyte_fw.sim.car_models import Model
from tests.ocpp.csms import Csms
from tests.session.dialogues import AC_SESSION, Story, overlay
from tests.session.plant import Plant

CONFIGURATION = "config-ac-ocppmulti.yaml"
CAR = Model("iso2", battery_kWh=20.0, soc_percent=20, target_soc_percent=99)
THREE_PHASES_W = 3 * 230.0


class UnderCsms(Plant):
    """A plant whose CSMS answers the needs of a car with a profile for its transaction."""

    def __init__(self, state: Path) -> None:
        super().__init__(state, CAR, configuration=CONFIGURATION)
        self.csms = Csms("2.1")
        self.csms.plug(self.runtime.wires, "localhost:9000")

    async def come(self) -> str:
        """Let the car come; returns the id of its transaction."""
        await self.csms.received("BootNotification", 60)
        await self.world.charger_is_ready()
        self.world.car.run(AC_SESSION + "sleep 3600;unplug")
        await self.csms.received("NotifyEVChargingNeeds", 120)
        started = self.csms.requests("TransactionEvent")[0]
        return str(started["transactionInfo"]["transactionId"])

    async def give(self, transaction: str, *limits: tuple[int, float]) -> None:
        """Send the profile: each power per phase in A from a second after now on."""
        periods = [{"startPeriod": start_s, "limit": limit_A} for start_s, limit_A in limits]
        schedule = {
            "id": 7,
            "chargingRateUnit": "A",
            "startSchedule": rfc3339(utc_now()),
            "chargingSchedulePeriod": periods,
        }
        profile = {
            "id": 42,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": "Absolute",
            "transactionId": transaction,
            "chargingSchedule": [schedule],
        }
        answer = await self.csms.call("SetChargingProfile", {"evseId": 1, "chargingProfile": profile})
        assert answer["status"] == "Accepted", answer

    async def schedule_of_the_car(self) -> dict[str, Any]:
        """The next schedule that the car has chosen."""
        return await self.csms.received("NotifyEVChargingSchedule", 120)

    def charges(self, current_A: float) -> bool:
        return self.world.car.inlet.current_A == pytest.approx(current_A, abs=0.5)


def limits_of(notified: dict[str, Any]) -> list[tuple[int, float]]:
    periods = notified["chargingSchedule"]["chargingSchedulePeriod"]
    return [(one["startPeriod"], round(one["limit"] / THREE_PHASES_W, 1)) for one in periods]


@pytest.mark.ocpp("K15", "K16", "K17")
def test_a_car_of_iso_15118_2_charges_by_the_schedule_of_the_csms(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with UnderCsms(tmp_path) as plant:
            story = Story(plant)
            transaction = await plant.come()
            await asyncio.sleep(3)
            assert story.count("PowerDeliveryReq") == 0, "the car waits for its profile"
            await plant.give(transaction, (0, 12.0), (120, 8.0))
            chosen = await plant.schedule_of_the_car()
            (begin, first), (second_s, second) = limits_of(chosen)
            assert (begin, first, second) == (0, 12.0, 8.0) and second_s == pytest.approx(118, abs=3)
            assert chosen["selectedChargingScheduleId"] == 7
            await plant.until(lambda: plant.charges(12.0))
            await asyncio.sleep(130)
            assert plant.charges(8.0)

            # Another schedule of the CSMS: the station asks the car to renegotiate (K16).
            await plant.give(transaction, (0, 14.0))
            assert limits_of(await plant.schedule_of_the_car()) == [(0, 14.0)]
            await plant.until(lambda: plant.charges(14.0))

            # The car wants another one (K17).
            assert len(plant.csms.requests("NotifyEVChargingNeeds")) == 1
            plant.world.car._v2g.facts.renegotiate = True
            await plant.csms.until(lambda: len(plant.csms.requests("NotifyEVChargingNeeds")) == 2, 60)
            await plant.give(transaction, (0, 10.0))
            assert limits_of(await plant.schedule_of_the_car()) == [(0, 10.0)]
            await plant.until(lambda: plant.charges(10.0))
            assert plant.world.pilot.contactors_closed and story.failed() == [] and plant.failures() == []

    run(main())


def with_iso20(state: Path, **config: Any) -> None:
    module = {
        "module": "Evse15118D20",
        "config_module": {"device": "eth1", "tls_negotiation_strategy": "ENFORCE_NO_TLS", **config},
    }
    overlay(state, CONFIGURATION, {"iso15118_charger": module})


@pytest.mark.ocpp("K18", "K18.FR.01", "K20.FR.02")
def test_a_car_in_scheduled_control_charges_by_the_schedule_of_the_csms(run: Any, tmp_path: Path) -> None:
    with_iso20(tmp_path, supported_scheduled_mode=True, supported_dynamic_mode=False)

    async def main() -> None:
        async with UnderCsms(tmp_path) as plant:
            car = plant.world.car
            car.settings = replace(car.settings, protocols=("ISO15118D20",), control_mode="Scheduled")
            transaction = await plant.come()
            needs = plant.csms.requests("NotifyEVChargingNeeds")[0]["chargingNeeds"]
            assert needs["controlMode"] == "ScheduledControl" and "v2xChargingParameters" in needs
            await plant.give(transaction, (0, 12.0), (120, 8.0))
            limits = limits_of(await plant.schedule_of_the_car())
            assert [one[1] for one in limits] == [12.0, 8.0]
            await plant.until(lambda: plant.charges(12.0))
            await asyncio.sleep(130)
            assert plant.charges(8.0)
            await plant.give(transaction, (0, 10.0))
            assert limits_of(await plant.schedule_of_the_car())[0] == (0, 10.0)
            await plant.until(lambda: plant.charges(10.0))
            assert len(plant.csms.requests("NotifyEVChargingNeeds")) == 1

            # The car needs something else, and renegotiates as in K17.
            plant.world.car._v2g.facts.renegotiate = True
            await plant.csms.until(lambda: len(plant.csms.requests("NotifyEVChargingNeeds")) == 2, 60)
            await plant.give(transaction, (0, 9.0))
            assert limits_of(await plant.schedule_of_the_car())[0] == (0, 9.0)
            await plant.until(lambda: plant.charges(9.0))
            assert plant.failures() == [] and plant.tracebacks() == []

    run(main())


@pytest.mark.ocpp("K19", "K20.FR.04")
def test_a_car_in_dynamic_control_follows_the_limits_of_the_csms(run: Any, tmp_path: Path) -> None:
    with_iso20(tmp_path)

    async def main() -> None:
        async with UnderCsms(tmp_path) as plant:
            car = plant.world.car
            car.settings = replace(car.settings, protocols=("ISO15118D20",), control_mode="Dynamic")
            transaction = await plant.come()
            needs = plant.csms.requests("NotifyEVChargingNeeds")[0]["chargingNeeds"]
            assert needs["controlMode"] == "DynamicControl"
            await plant.until(lambda: plant.world.car.inlet.power_W > 0)
            await plant.give(transaction, (0, 12.0), (60, 8.0))
            await plant.until(lambda: plant.charges(12.0))
            await asyncio.sleep(70)
            assert plant.charges(8.0)

            # The car leaves earlier than planned; the CSMS has another profile for that.
            plant.world.car._v2g._settings.departure_time_s = 3_600
            await plant.csms.until(lambda: len(plant.csms.requests("NotifyEVChargingNeeds")) == 2, 60)
            await plant.give(transaction, (0, 14.0))
            await plant.until(lambda: plant.charges(14.0))
            assert plant.failures() == [] and plant.tracebacks() == []

    run(main())
