"""What the CSMS allows of bidirectional transfer reaches the car (OCPP 2.1 Q01, Q02): the whole charger."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.modules.v2g.evcc.iso20.session import Iso20CarSession
from chargebyte_fw.sim.car_models import Model
from tests.ocpp.csms import Csms
from tests.session.dialogues import AC_SESSION, DC_SESSION, Story, connected, overlay
from tests.session.plant import Plant
from tests.session.test_iso20 import order

CONFIGURATION = "config-ac-ocppmulti.yaml"
AC, DC = Model("iso20-ac-bpt", soc_percent=30), Model("iso20-dc-bpt", soc_percent=30)
"""A car that gives energy back, by the kind of current."""
MODE = {"AC": "AC_three_phase", "AC_BPT": "AC_BPT", "DC": "DC", "DC_BPT": "DC_BPT"}
"""OCPP's mode of energy transfer of each service."""
SERVICE_IDS = {"AC": 1, "DC": 2, "AC_BPT": 5, "DC_BPT": 6}
KINDS = pytest.mark.parametrize("kind", ["AC", "DC"])


def with_iso20(state: Path, *, dc: bool, renegotiates: bool) -> None:
    """Make the shipped charger one that cars may give energy back to."""
    values = {"tls_negotiation_strategy": "ENFORCE_NO_TLS", "supported_service_renegotiation": renegotiates}
    modules: dict[str, Any] = {"iso15118_charger": {"module": "Evse15118D20", "config_module": values}}
    if dc:
        modules["connector"] = {
            "config_module": {"charge_mode": "DC"},
            "connections": {
                "powersupply_DC": connected("powersupply_dc", "main"),
                "powermeter_car_side": connected("powersupply_dc", "powermeter"),
                "imd": connected("imd", "main"),
            },
        }
        modules |= {"powersupply_dc": {"module": "DCSupplySimulator"}, "imd": {"module": "IMDSimulator"}}
    else:
        modules["connector"] = {"config_module": {"supported_iso_ac_bpt": True, "ac_enforce_hlc": True}}
    overlay(state, CONFIGURATION, modules)


class UnderCsms(Plant):
    """A bidirectional plant whose CSMS the test plays."""

    def __init__(self, state: Path, car: Model, *, renegotiates: bool = True) -> None:
        self.dc = car.protocol.startswith("iso20-dc")
        with_iso20(state, dc=self.dc, renegotiates=renegotiates)
        super().__init__(state, car, configuration=CONFIGURATION)
        self.csms = Csms("2.1")
        self.csms.plug(self.runtime.wires, "localhost:9000")
        self.rejects: set[str] = set()
        """The services that the CSMS rejects."""
        self.csms.answers["NotifyEVChargingNeeds"] = self._judge
        self.allow("DC_BPT" if self.dc else "AC_BPT")

    def _judge(self, needs: dict[str, Any]) -> dict[str, Any]:
        wanted = needs["chargingNeeds"]["requestedEnergyTransfer"]
        return {"status": "Rejected" if wanted in {MODE[one] for one in self.rejects} else "NoChargingProfile"}

    def allow(self, *services: str) -> None:
        """Allow these services with each token; none: the CSMS does not state what it allows."""
        answer: dict[str, Any] = {"idTokenInfo": {"status": "Accepted"}}
        if services:
            answer["allowedEnergyTransfer"] = [MODE[one] for one in services]
        self.csms.answers["Authorize"] = answer

    async def come(self) -> Story:
        await self.csms.received("BootNotification", 60)
        await self.world.charger_is_ready()
        story = Story(self)
        self.world.car.run((DC_SESSION if self.dc else AC_SESSION) + "sleep 36000")
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


@KINDS
@pytest.mark.ocpp("Q01.FR.05")
def test_a_car_charges_only_where_the_csms_rejects_its_bidirectional_transfer(
    kind: str, run: Any, tmp_path: Path
) -> None:
    async def main() -> None:
        async with UnderCsms(tmp_path, AC if kind == "AC" else DC) as plant:
            plant.rejects = {f"{kind}_BPT"}
            story = await plant.come()
            await plant.until(lambda: plant.charges_by(kind))
            await asyncio.sleep(30)
            assert plant.charges_by(kind) and plant.requested() == [f"{kind}_BPT", MODE[kind]]
            assert story.count("TransactionStarted") == 1 and story.count("TransactionFinished") == 0
            assert story.count("SessionSetupReq") == 1 and offered(story)[-1] == [SERVICE_IDS[kind]]
            assert story.failed() == [] and plant.failures() == [] and plant.tracebacks() == []

    run(main())


@KINDS
@pytest.mark.ocpp("Q01.FR.06")
@pytest.mark.parametrize("renegotiates", [False, True])
def test_the_transaction_ends_where_nothing_is_left_to_the_car(
    renegotiates: bool, kind: str, run: Any, tmp_path: Path
) -> None:
    """The charger cannot renegotiate services, or the CSMS rejects to charge, too."""

    async def main() -> None:
        async with UnderCsms(tmp_path, AC if kind == "AC" else DC, renegotiates=renegotiates) as plant:
            plant.rejects = {f"{kind}_BPT", kind} if renegotiates else {f"{kind}_BPT"}
            await plant.come()
            events = plant.csms.requests
            await plant.csms.until(lambda: any(one["eventType"] == "Ended" for one in events("TransactionEvent")), 120)
            ended = events("TransactionEvent")[-1]
            assert ended["triggerReason"] == "AbnormalCondition"
            assert ended["transactionInfo"]["stoppedReason"] == "ReqEnergyTransferRejected"
            assert len(plant.requested()) == len(plant.rejects)
            await asyncio.sleep(10)
            assert not plant.world.pilot.contactors_closed and plant.tracebacks() == []

    run(main())


@pytest.mark.ocpp("Q01")
@pytest.mark.parametrize(
    ("allowed", "service", "services"),
    [
        (["AC"], "AC", ["AC"]),
        (["AC_BPT"], "AC_BPT", ["AC", "AC_BPT"]),
        (["AC", "AC_BPT"], "AC_BPT", ["AC", "AC_BPT"]),
        (["DC"], "DC", ["DC"]),
        (["DC_BPT"], "DC_BPT", ["DC", "DC_BPT"]),
    ],
)
def test_a_car_is_offered_what_the_csms_allows_with_its_token(
    allowed: list[str], service: str, services: list[str], run: Any, tmp_path: Path
) -> None:
    async def main() -> None:
        async with UnderCsms(tmp_path, AC if service.startswith("AC") else DC) as plant:
            plant.allow(*allowed)
            story = await plant.come()
            await plant.until(lambda: plant.charges_by(service))
            await asyncio.sleep(30)
            assert plant.charges_by(service)
            assert [sorted(one) for one in offered(story)] == [[SERVICE_IDS[one] for one in services]], "at once"
            assert story.failed() == [] and plant.failures() == [] and plant.tracebacks() == []

    run(main())


@pytest.mark.ocpp("Q02.FR.06", "Q02.FR.07")
@pytest.mark.parametrize("stated", [True, False])
@pytest.mark.parametrize(
    ("car", "service"),
    [(AC, "AC_BPT"), (Model("iso20-ac"), "AC"), (DC, "DC_BPT"), (Model("iso20-dc"), "DC")],
)
def test_a_car_that_charges_only_may_give_energy_back_once_the_csms_allows_it(
    car: Model, service: str, stated: bool, run: Any, tmp_path: Path
) -> None:
    """A car that cannot chooses the same service again, once, and charges on."""

    async def main() -> None:
        async with UnderCsms(tmp_path, car) as plant:
            kind = service[:2]
            plant.allow(*([kind] if stated else []))
            story = await plant.come()
            await plant.until(lambda: plant.charges_by(kind))
            await asyncio.sleep(5)
            needs = plant.csms.requests("NotifyEVChargingNeeds")[-1]["chargingNeeds"]
            assert f"{kind}_BPT" in needs["availableEnergyTransfer"], "what the CSMS may still allow"
            allowed = {"transactionId": plant.transaction, "allowedEnergyTransfer": [f"{kind}_BPT"]}
            assert (await plant.csms.call("NotifyAllowedEnergyTransfer", allowed))["status"] == "Accepted"
            await plant.until(lambda: story.count("ServiceSelectionReq") == 2)
            await plant.until(lambda: plant.charges_by(service))
            await asyncio.sleep(30)
            assert plant.charges_by(service) and story.count("ServiceSelectionReq") == 2
            assert plant.requested() == [MODE[kind], MODE[service]], "notified again, with what it has chosen now"
            assert story.count("TransactionStarted") == 1 and story.count("SessionSetupReq") == 1
            assert story.failed() == [] and plant.failures() == [] and plant.tracebacks() == []

    run(main())


@KINDS
@pytest.mark.parametrize("obeys", [True, False])
def test_a_car_gives_nothing_back_once_the_csms_no_longer_allows_it(
    obeys: bool, kind: str, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that goes on with its service where it is asked to choose another one."""
    if not obeys:
        monkeypatch.setattr(Iso20CarSession, "renegotiates_services", False)

    async def main() -> None:
        async with UnderCsms(tmp_path, AC if kind == "AC" else DC) as plant:
            await plant.come()
            await plant.until(lambda: plant.charges_by(f"{kind}_BPT"))
            await order(plant, -5_000.0)
            await plant.until(lambda: plant.world.car.inlet.power_W < -3_000)
            allowed = {"transactionId": plant.transaction, "allowedEnergyTransfer": [MODE[kind]]}
            assert (await plant.csms.call("NotifyAllowedEnergyTransfer", allowed))["status"] == "Accepted"
            await plant.until(lambda: plant.world.car.inlet.power_W >= 0.0, 5.0)
            discharged_Wh = plant.world.car.inlet.discharged_Wh
            await asyncio.sleep(30)
            assert plant.world.car.inlet.discharged_Wh == discharged_Wh
            assert plant.faults() == [] and plant.tracebacks() == []

    run(main())


@KINDS
@pytest.mark.ocpp("K20.FR.01")
def test_the_csms_is_notified_of_needs_that_change_while_the_car_charges(kind: str, run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with UnderCsms(tmp_path, AC if kind == "AC" else DC) as plant:
            await plant.come()
            await plant.until(lambda: plant.charges_by(f"{kind}_BPT"))
            await asyncio.sleep(60)
            assert len(plant.requested()) == 1
            plant.world.car._v2g._settings.departure_time_s = 3_600
            await plant.csms.until(lambda: len(plant.requested()) == 2, 10)
            first, second = (one["chargingNeeds"] for one in plant.csms.requests("NotifyEVChargingNeeds"))
            assert second["departureTime"] < first["departureTime"]
            assert second["requestedEnergyTransfer"] == first["requestedEnergyTransfer"] == f"{kind}_BPT"
            await asyncio.sleep(60)
            assert len(plant.requested()) == 2 and plant.charges_by(f"{kind}_BPT") and plant.tracebacks() == []

    run(main())
