"""A renewed client certificate (A02, A03): tried in every slot, then the former one; what is not used is deleted."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.contracts.types.evse_security import (
    CertificateInfo,
    GetCertificateInfoResult,
    GetCertificateInfoStatus,
    InstallCertificateResult,
)
from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.modules.ocpp.connection import effects as fx
from chargebyte_fw.modules.ocpp.connection import events as ev
from chargebyte_fw.modules.ocpp.connection.machine import S
from chargebyte_fw.modules.ocpp.connection.settings import ClientFiles, TlsSettings
from chargebyte_fw.modules.ocpp.connection.tls_link import Certificates, TlsFiles, discard
from chargebyte_fw.modules.ocpp.security.certificates_v2 import Certificates2
from chargebyte_fw.modules.ocpp.security.events_v2 import SecurityEvents2
from chargebyte_fw.modules.ocpp.security.renewed_certificate_v2 import RenewedCertificate2
from chargebyte_fw.modules.ocpp.station.effects import Command
from chargebyte_fw.modules.ocpp.station.events import CommandDone, Connected
from chargebyte_fw.modules.ocpp.variables import Variables
from chargebyte_fw.modules.ocpp.variables.registry import declared
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.charge_point import Point
from tests.ocpp.connection import certificates as c
from tests.ocpp.connection.test_machine import Bench, of, profile
from tests.ocpp.csms import Csms
from tests.security.pki import chain, issue
from tests.security.store import CERTS, CSMS, PEM, ask, put, running

FORMER = ClientFiles("/c/former.pem", "/k/former.key")
NEW, OLD = "new", "former"


def bench(*slots: int, security_profile: int = 3, **how: Any) -> Bench:
    """Return a connection with these slots, which has a new client certificate."""
    it = Bench(*(profile(slot, security_profile) for slot in slots), attempts=2, **how)
    it.feed(ev.CertificateRenewed(FORMER))
    it.feed(ev.Start())
    return it


def tried(it: Bench, attempts: int) -> list[tuple[int, str]]:
    """Fail so many attempts; the slot and the certificate of each."""
    found: list[tuple[int, str]] = []
    while len(found) < attempts:
        for one in of(fx.OpenSocket, it.found):
            assert one.client in (None, FORMER)
            found.append((one.profile.slot, NEW if one.client is None else OLD))
        if it.machine.state is S.OPENING:
            it.fail()
        assert it.machine.deadline is not None
        it.wait(it.machine.deadline - it.now)
    return found[:attempts]


@pytest.mark.ocpp("A02.FR.28", "A03.FR.24")
def test_at_the_last_slot_the_former_certificate_is_tried_once_all_have_failed() -> None:
    it = bench(1, 2, last=2)
    assert tried(it, 10) == [
        *[(1, NEW)] * 2,
        *[(2, NEW)] * 2,
        *[(2, OLD)] * 2,
        *[(2, NEW)] * 2,
        *[(2, OLD)] * 2,
    ]


@pytest.mark.ocpp("A02.FR.28", "A03.FR.24")
def test_where_the_slots_take_turns_the_certificates_do_after_each_round() -> None:
    it = bench(1, 2)
    slots = [1, 1, 2, 2]
    wanted = [(slot, which) for which in (NEW, OLD, NEW) for slot in slots]
    assert tried(it, 12) == wanted


def test_without_a_renewal_there_is_one_certificate() -> None:
    it = bench(1, last=1)
    it.feed(ev.CertificateRenewed(None))
    assert {which for _, which in tried(it, 8)} == {NEW}


@pytest.mark.parametrize("failures", [0, 2, 4])
def test_which_certificate_works_is_reported_with_the_connection(failures: int) -> None:
    it = bench(1, last=1)
    if failures:
        tried(it, failures)
    it.opened()
    assert [one.former for one in of(fx.CertificateProven, it.found)] == [failures == 2]
    it.feed(ev.CertificateRenewed(None))
    it.closed()
    it.wait(60)
    it.opened()
    assert of(fx.CertificateProven, it.found) == []


def test_a_connection_without_a_client_certificate_proves_nothing() -> None:
    it = bench(1, security_profile=2)
    it.opened()
    assert of(fx.CertificateProven, it.found) == []


def test_a_renewal_begins_with_the_new_one() -> None:
    it = bench(1, last=1)
    tried(it, 3)
    it.feed(ev.CertificateRenewed(FORMER))
    it.feed(ev.Restart("the station has a new certificate"))
    assert tried(it, 3) == [(1, NEW), (1, NEW), (1, OLD)]


# The files.


def test_nothing_is_deleted_that_the_other_certificate_has_too(tmp_path: Path) -> None:
    for name in ("a.pem", "a-chain.pem", "a.key", "b.pem", "shared.key"):
        (tmp_path / name).write_text(name)
    a = ClientFiles(str(tmp_path / "a-chain.pem"), str(tmp_path / "a.key"), str(tmp_path / "a.pem"))
    b = ClientFiles(str(tmp_path / "b.pem"), str(tmp_path / "shared.key"), str(tmp_path / "b.pem"))
    discard(a, b)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["b.pem", "shared.key"]
    discard(ClientFiles(str(tmp_path / "gone.pem"), b.key), b)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["b.pem", "shared.key"]


@pytest.mark.parametrize("kept", [0, 1])
def test_the_store_gives_the_certificate_that_is_left(run: Any, assemble: Any, tmp_path: Path, kept: int) -> None:
    parties = chain()
    newer = issue("newer", parties.sub2, ca=False, days=500)
    put(tmp_path, "ca/csms/CSMS_ROOT_CA.pem", parties.root.pem)
    for name, leaf in (("older", parties.leaf), ("newer", newer)):
        put(tmp_path, f"client/csms/{name}.pem", leaf.pem)
        put(tmp_path, f"client/csms/{name}-chain.pem", leaf.pem, parties.sub2.pem, parties.sub1.pem)
        put(tmp_path, f"client/csms/{name}.key", leaf.key_pem("123456"))
    folder = tmp_path / CERTS / "client/csms"
    both = [
        ClientFiles(str(folder / f"{name}-chain.pem"), str(folder / f"{name}.key"), str(folder / f"{name}.pem"))
        for name in ("older", "newer")
    ]

    async def test(world: Any) -> None:
        async def given() -> ClientFiles:
            info = (await ask(world, "get_leaf_certificate_info", CSMS, PEM, False)).info
            return ClientFiles(info.certificate, info.key, info.certificate_single)

        assert await given() == both[1]
        discard(both[1 - kept], both[kept])
        assert await given() == both[kept]
        assert len([one for one in folder.iterdir() if one.is_file()]) == 3

    running(run, assemble, test)


class Store(Certificates):
    """A store with the certificate that is installed last; the new one is of `issuer`."""

    def __init__(self, folder: Path, issuer: c.Issued) -> None:
        self.folder = folder
        self.issuer = issuer
        self.roots = c.write(folder, "trusted", c.root())[0]
        self.newest = c.write(folder, "former", c.issue("cp001", c.root()))
        self.feed: Any = None

    async def files(self) -> TlsFiles:
        if not Path(self.newest[0]).exists():
            self.newest = (str(self.folder / "former.pem"), str(self.folder / "former.key"))
        return TlsFiles(self.roots, *self.newest)

    def act(self, effect: Any) -> None:
        if not isinstance(effect, Command):
            return
        match effect.call.command:
            case "update_leaf_certificate":
                self.newest = c.write(self.folder, "renewed", c.issue("cp001", self.issuer))
                result: Any = InstallCertificateResult.Accepted
            case "get_leaf_certificate_info":
                certificate, key = self.newest
                info = CertificateInfo(key=key, certificate_count=1, certificate_single=certificate)
                result = GetCertificateInfoResult(status=GetCertificateInfoStatus.Accepted, info=info)
            case _:
                result = None
        asyncio.get_running_loop().call_soon(self.feed, CommandDone(effect.command_id, result))

    def left(self) -> set[str]:
        return {one.stem for one in self.folder.iterdir() if one.stem in ("former", "renewed")}


@pytest.mark.ocpp("A02.FR.10", "A02.FR.28", "A02.FR.29", "A03.FR.10", "A03.FR.24", "A03.FR.25")
@pytest.mark.parametrize("refused", [False, True])
def test_the_csms_decides_which_certificate_stays(runtime: Runtime, tmp_path: Path, refused: bool) -> None:
    async def main() -> None:
        csms = Csms("2.0.1")
        server = c.issue("CSMS", c.root(), names=("localhost", "127.0.0.1"))
        url = await csms.listen(c.server(tmp_path, server, wants_client=True))
        folder = tmp_path / "store"
        folder.mkdir()
        store = Store(folder, c.issue("Other root") if refused else c.root())
        point = Point(
            runtime,
            url,
            Version.V201,
            profile={"security_profile": 3},
            connection_settings={
                "tls": TlsSettings(system_roots=False),
                "attempts": 1,
                "pause_minimum_s": 0.0,
                "pause_random_s": 0.0,
            },
            certificates=store,
            blocks=(SecurityEvents2, RenewedCertificate2, Certificates2),
            variables=Variables(declared(connectors={1: 1})),
        )
        store.feed, point.runner._outward = point.runner.feed, store.act
        await point.start()
        await csms.received("BootNotification", 10)
        signed = {"certificateChain": "PEM", "certificateType": "ChargingStationCertificate"}
        assert await csms.call("CertificateSigned", signed) == {"status": "Accepted"}
        assert store.left() == {"former", "renewed"}
        async with asyncio.timeout(20):
            while len(point.recorder.of(Connected)) < 2 or len(store.left()) > 1:
                await asyncio.sleep(0.05)
        assert store.left() == {"former" if refused else "renewed"}
        await asyncio.sleep(0.3)
        events = [one["type"] for one in csms.requests("SecurityEventNotification")]
        assert events == (["DiscardedRenewedClientCertificate"] if refused else [])
        await csms.disconnect()
        async with asyncio.timeout(20):
            while len(point.recorder.of(Connected)) < 3:
                await asyncio.sleep(0.05)
        await point.stop()
        await csms.close()

    clock.run(main())
