"""Simulated stations under a CSMS in memory, on a virtual clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.kernel.wires import Wires
from chargebyte_fw.modules.ocpp.version import Version
from chargebyte_fw.sim.fleet.options import Options, PowerStep
from chargebyte_fw.sim.fleet.station import RESET_S, SimulatedStation
from chargebyte_fw.sim.fleet.tally import Tally
from chargebyte_fw.sim.fleet.worker import blocks_of
from tests.ocpp.connection import certificates
from tests.ocpp.csms import Csms


async def started(version: Version, **options: Any) -> tuple[Csms, SimulatedStation, Tally]:
    csms, wires, tally = Csms(version.value.removeprefix("ocpp")), Wires(), Tally()
    csms.plug(wires)
    known = Options(version=version, url=csms.url, identity="cp001", **options)
    station = SimulatedStation(known, 0, blocks_of(known), tally, wires)
    await station.start()
    return csms, station, tally


ENDS = {Version.V16: "StopTransaction", Version.V201: "TransactionEvent", Version.V21: "TransactionEvent"}


@pytest.mark.parametrize("version", Version)
def test_cars_charge_one_after_the_other(run: Callable[..., Any], version: Version) -> None:
    async def main() -> None:
        csms, station, tally = await started(version, charging_s=60, pause_s=5, sample_s=10)
        await asyncio.sleep(300)
        assert station.was_booted and station.evse.has_charged and tally.transactions >= 4
        assert tally.errors == {} and tally.requests == len(csms.actions())
        assert station.machine.dispatcher.queue.registration == "Accepted"
        await station.stop()

    run(main())


def energy_Wh(csms: Csms) -> float:
    """The energy of the first transaction by what the CSMS received (1.6)."""
    start, stop = csms.requests("StartTransaction")[0], csms.requests("StopTransaction")[0]
    return float(stop["meterStop"]) - float(start["meterStart"])


def test_the_meter_follows_the_power(run: Callable[..., Any]) -> None:
    async def main() -> None:
        power = (PowerStep(0, 7200.0), PowerStep(1800, 3600.0))
        csms, station, _ = await started(Version.V16, charging_s=3600, pause_s=0, sample_s=60, power=power)
        await asyncio.sleep(3700)
        assert energy_Wh(csms) == pytest.approx(5400, abs=35)
        await station.stop()

    run(main())


def test_a_limit_of_the_csms_is_kept(run: Callable[..., Any]) -> None:
    async def main() -> None:
        csms, station, _ = await started(Version.V16, charging_s=3600, pause_s=0, sample_s=20)
        schedule = {"chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 1000}]}
        profile = {
            "chargingProfileId": 1,
            "stackLevel": 1,
            "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Relative",
            "chargingSchedule": schedule,
        }
        await csms.received("BootNotification")
        answer = await csms.call("SetChargingProfile", {"connectorId": 1, "csChargingProfiles": profile})
        assert answer == {"status": "Accepted"}
        await asyncio.sleep(3700)
        assert energy_Wh(csms) == pytest.approx(1000, abs=100)
        await station.stop()

    run(main())


def test_remote_start_and_stop(run: Callable[..., Any]) -> None:
    async def main() -> None:
        csms, station, tally = await started(Version.V201, charging_s=0)
        await csms.received("StatusNotification")
        token = {"idToken": "REMOTE", "type": "Central"}
        answer = await csms.call("RequestStartTransaction", {"evseId": 1, "idToken": token, "remoteStartId": 7})
        assert answer["status"] == "Accepted"
        await asyncio.sleep(30)
        assert station.evse.charging
        transaction = csms.requests("TransactionEvent")[0]["transactionInfo"]["transactionId"]
        await csms.call("RequestStopTransaction", {"transactionId": transaction})
        await asyncio.sleep(30)
        ended = csms.requests("TransactionEvent")[-1]
        assert ended["eventType"] == "Ended" and ended["transactionInfo"]["stoppedReason"] == "Remote"
        assert not station.evse.charging and tally.transactions == 1 and tally.commands == 2
        await station.stop()

    run(main())


def test_an_outage_loses_no_message(run: Callable[..., Any]) -> None:
    async def main() -> None:
        csms, station, tally = await started(Version.V16, charging_s=60, pause_s=0)
        await asyncio.sleep(30)
        station.network(False)
        await asyncio.sleep(300)
        assert not station.connected and len(csms.requests("StopTransaction")) == 0
        station.network(True)
        await asyncio.sleep(20)
        station.evse.close()
        await asyncio.sleep(20)
        assert len(csms.requests("StopTransaction")) == tally.transactions >= 5
        assert tally.connections == 2 and tally.errors == {}
        await station.stop()

    run(main())


def test_a_reset_is_a_new_start(run: Callable[..., Any]) -> None:
    async def main() -> None:
        csms, station, _ = await started(Version.V201, charging_s=600, pause_s=0)
        await asyncio.sleep(30)
        assert (await csms.call("Reset", {"type": "Immediate"}))["status"] == "Accepted"
        await asyncio.sleep(RESET_S + 20)
        assert len(csms.requests("BootNotification")) == 2
        ended = [one for one in csms.requests("TransactionEvent") if one["eventType"] == "Ended"]
        assert len(ended) == 1 and station.evse.charging
        await station.stop()

    run(main())


def test_what_goes_wrong_has_its_kind(run: Callable[..., Any]) -> None:
    async def main() -> None:
        csms, station, tally = await started(Version.V16, charging_s=60, pause_s=0)
        csms.answers["Authorize"] = {"idTagInfo": {"status": "Blocked"}}
        await asyncio.sleep(20)
        assert tally.errors["the token is refused: Blocked"] >= 1 and tally.transactions == 0
        assert csms.socket is not None
        csms.socket.abort()
        await asyncio.sleep(5)
        assert any(kind.startswith("the connection is lost: closed with 1006") for kind in tally.errors)
        await station.stop()

    run(main())


@pytest.mark.parametrize("security_profile", [2, 3])
def test_over_tls_with_the_files_of_the_command_line(tmp_path: Path, security_profile: int) -> None:
    async def main() -> None:
        csms, tally = Csms("2.0.1"), Tally()
        issued = certificates.issue("CSMS", certificates.root(), names=("localhost", "127.0.0.1"))
        context = certificates.server(tmp_path, issued, wants_client=security_profile == 3)
        client = certificates.issue("cp001", certificates.root())
        chain, key = certificates.write(tmp_path, "cp001", client)
        options = Options(
            url=await csms.listen(context),
            identity="cp001",
            security_profile=security_profile,
            password="{identity}-password",
            root=certificates.write(tmp_path, "root", certificates.root())[0],
            certificate=chain.replace("cp001", "{identity}"),
            key=key.replace("cp001", "{identity}"),
        )
        station = SimulatedStation(options, 0, blocks_of(options), tally)
        await station.start()
        await csms.received("BootNotification")
        assert ("Authorization" in csms.handshakes[0].headers) is (security_profile == 2)
        assert tally.errors == {}
        await station.stop()
        await csms.close()

    asyncio.run(main())
