"""What the CSMS allows of bidirectional transfer reaches the car (OCPP 2.1 Q01, Q02): the whole charger in AC."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.sim.car_models import Model
from tests.ocpp.csms import Csms
from tests.session.dialogues import AC_SESSION, Story, overlay
from tests.session.plant import Plant

CONFIGURATION = "config-ac-ocppmulti.yaml"
CAR = Model("iso20-ac-bpt", battery_kWh=20.0, soc_percent=30, target_soc_percent=99)


class UnderCsms(Plant):
    """A bidirectional plant whose CSMS the test plays."""

    def __init__(self, state: Path, *, renegotiates: bool = True, car: Model = CAR) -> None:
        values = {"tls_negotiation_strategy": "ENFORCE_NO_TLS", "supported_service_renegotiation": renegotiates}
        hlc = {"module": "Evse15118D20", "config_module": values}
        connector = {"config_module": {"supported_iso_ac_bpt": True, "ac_enforce_hlc": True}}
        overlay(state, CONFIGURATION, {"iso15118_charger": hlc, "connector": connector})
        super().__init__(state, car, configuration=CONFIGURATION)
        self.csms = Csms("2.1")
        self.csms.plug(self.runtime.wires, "localhost:9000")
        self.rejects: set[str] = set()
        """The modes of energy transfer that the CSMS rejects."""
        self.csms.answers["NotifyEVChargingNeeds"] = self._judge

    def _judge(self, needs: dict[str, Any]) -> dict[str, Any]:
        wanted = needs["chargingNeeds"]["requestedEnergyTransfer"]
        return {"status": "Rejected" if wanted in self.rejects else "NoChargingProfile"}

    def allow(self, *modes: str) -> None:
        """Allow these modes with each token."""
        self.csms.answers["Authorize"] = {"idTokenInfo": {"status": "Accepted"}, "allowedEnergyTransfer": [*modes]}

    async def come(self) -> Story:
        await self.csms.received("BootNotification", 60)
        await self.world.charger_is_ready()
        story = Story(self)
        self.world.car.run(AC_SESSION + "sleep 36000")
        return story

    @property
    def transaction(self) -> str:
        return str(self.csms.requests("TransactionEvent")[0]["transactionInfo"]["transactionId"])

    @property
    def service(self) -> str:
        """The service of the car."""
        name: str = self.world.car._v2g.facts.charger.service
        return name.partition(",")[0]

    def charges_by(self, service: str) -> bool:
        return self.service == service and self.world.car.inlet.power_W > 3_000

    def requested(self) -> list[str]:
        """What the car has chosen, as the CSMS was notified."""
        needs = self.csms.requests("NotifyEVChargingNeeds")
        return [one["chargingNeeds"]["requestedEnergyTransfer"] for one in needs]


def offered(story: Story) -> list[list[int]]:
    """The energy services of each ServiceDiscoveryRes."""
    lists = [body["EnergyTransferServiceList"]["Service"] for body in story.of("ServiceDiscoveryRes")]
    return [[one["ServiceID"] for one in services] for services in lists]


@pytest.mark.ocpp("Q01.FR.05")
def test_a_car_charges_only_where_the_csms_rejects_its_bidirectional_transfer(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with UnderCsms(tmp_path) as plant:
            plant.rejects = {"AC_BPT"}
            story = await plant.come()
            await plant.until(lambda: plant.charges_by("AC"))
            await asyncio.sleep(30)
            assert plant.charges_by("AC") and plant.requested() == ["AC_BPT", "AC_three_phase"]
            assert story.count("TransactionStarted") == 1 and story.count("TransactionFinished") == 0
            assert story.count("SessionSetupReq") == 1 and offered(story)[-1] == [1]
            assert story.failed() == [] and plant.failures() == [] and plant.tracebacks() == []

    run(main())


@pytest.mark.ocpp("Q01.FR.06")
@pytest.mark.parametrize(("renegotiates", "rejects"), [(False, {"AC_BPT"}), (True, {"AC_BPT", "AC_three_phase"})])
def test_the_transaction_ends_where_nothing_is_left_to_the_car(
    renegotiates: bool, rejects: set[str], run: Any, tmp_path: Path
) -> None:
    async def main() -> None:
        async with UnderCsms(tmp_path, renegotiates=renegotiates) as plant:
            plant.rejects = rejects
            await plant.come()
            events = plant.csms.requests
            await plant.csms.until(lambda: any(one["eventType"] == "Ended" for one in events("TransactionEvent")), 120)
            ended = events("TransactionEvent")[-1]
            assert ended["triggerReason"] == "AbnormalCondition"
            assert ended["transactionInfo"]["stoppedReason"] == "ReqEnergyTransferRejected"
            assert len(plant.requested()) == len(rejects)
            await asyncio.sleep(10)
            assert not plant.world.pilot.contactors_closed and plant.tracebacks() == []

    run(main())


@pytest.mark.ocpp("Q01")
@pytest.mark.parametrize(
    ("allowed", "service", "services"),
    [
        (["AC_three_phase"], "AC", [1]),
        (["AC_BPT"], "AC_BPT", [1, 5]),
        (["AC_three_phase", "AC_BPT"], "AC_BPT", [1, 5]),
    ],
)
def test_a_car_is_offered_what_the_csms_allows_with_its_token(
    allowed: list[str], service: str, services: list[int], run: Any, tmp_path: Path
) -> None:
    async def main() -> None:
        async with UnderCsms(tmp_path) as plant:
            plant.allow(*allowed)
            story = await plant.come()
            await plant.until(lambda: plant.charges_by(service))
            await asyncio.sleep(30)
            assert plant.charges_by(service)
            assert [sorted(one) for one in offered(story)] == [services], "at once"
            assert story.failed() == [] and plant.failures() == [] and plant.tracebacks() == []

    run(main())


@pytest.mark.ocpp("Q02.FR.06")
@pytest.mark.parametrize(("car", "service"), [(CAR, "AC_BPT"), (Model("iso20-ac", soc_percent=30), "AC")])
def test_a_car_that_charges_only_may_give_energy_back_once_the_csms_allows_it(
    car: Model, service: str, run: Any, tmp_path: Path
) -> None:
    """A car that cannot chooses the same service again, once, and charges on."""

    async def main() -> None:
        async with UnderCsms(tmp_path, car=car) as plant:
            plant.allow("AC_three_phase")
            story = await plant.come()
            await plant.until(lambda: plant.charges_by("AC"))
            await asyncio.sleep(5)
            allowed = {"transactionId": plant.transaction, "allowedEnergyTransfer": ["AC_BPT"]}
            assert (await plant.csms.call("NotifyAllowedEnergyTransfer", allowed))["status"] == "Accepted"
            await plant.until(lambda: story.count("ServiceSelectionReq") == 2)
            await plant.until(lambda: plant.charges_by(service))
            await asyncio.sleep(30)
            assert plant.charges_by(service) and story.count("ServiceSelectionReq") == 2
            assert story.count("TransactionStarted") == 1 and story.count("SessionSetupReq") == 1
            assert story.failed() == [] and plant.failures() == [] and plant.tracebacks() == []

    run(main())
