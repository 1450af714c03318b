"""A new root of the CSMS (M05): tried alone, then the former one, but that one only at the CSMS that it was for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.modules.ocpp.connection import effects as fx
from chargebyte_fw.modules.ocpp.connection import events as ev
from chargebyte_fw.modules.ocpp.connection.machine import S
from chargebyte_fw.modules.ocpp.connection.settings import TlsSettings
from chargebyte_fw.modules.ocpp.station import Block, Station, receives
from chargebyte_fw.modules.ocpp.station.events import CsmsRootProven
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.connection import certificates as c
from tests.ocpp.connection.test_machine import Bench, of, profile
from tests.ocpp.connection.test_sockets import GOOD
from tests.ocpp.connection.test_sockets import Bench as SocketBench
from tests.ocpp.csms import Csms

NEW = c.issue("New root", c.root(), ca=True)
PEM = NEW[0].public_bytes(Encoding.PEM).decode()


def orders(it: Bench, attempts: int) -> list[tuple[int, bool]]:
    """Fail so many attempts; the slot of each, and whether the former root counts there."""
    found: list[tuple[int, bool]] = []
    while len(found) < attempts:
        for one in of(fx.OpenSocket, it.found):
            assert one.new_root == PEM
            found.append((one.profile.slot, one.former_root))
        if it.machine.state is S.OPENING:
            it.fail("the certificate is refused", "InvalidCsmsCertificate")
        assert it.machine.deadline is not None
        it.wait(it.machine.deadline - it.now)
    return found[:attempts]


@pytest.mark.ocpp("M05.FR.15", "M05.FR.16")
def test_at_another_csms_the_new_root_alone_counts_and_back_at_the_last_one_the_former_too() -> None:
    it = Bench(profile(1, 2), profile(2, 2), last=2, attempts=3)
    it.feed(ev.RootReplaced(PEM))
    it.feed(ev.Start())
    assert orders(it, 8) == [*[(1, False)] * 3, *[(2, True)] * 5]


@pytest.mark.parametrize("former", [False, True])
def test_which_root_has_verified_the_csms_is_reported(former: bool) -> None:
    it = Bench(profile(1, 2))
    it.feed(ev.RootReplaced(PEM))
    it.feed(ev.Start())
    it.feed(ev.Opened(it.attempt, "ocpp1.6", former))
    assert [one.former for one in of(fx.RootProven, it.found)] == [former]
    it.feed(ev.RootReplaced(""))
    it.closed()
    it.wait(60)
    it.opened()
    assert of(fx.RootProven, it.found) == []


class Proof(Block):
    """Keeps by which root the CSMS was verified."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self.former: list[bool] = []

    @receives(CsmsRootProven)
    def proven(self, event: CsmsRootProven) -> None:
        self.former.append(event.former)


@pytest.mark.ocpp("M05.FR.13", "M05.FR.14", "M05.FR.15")
@pytest.mark.parametrize(
    ("issuer", "last", "outcome"),
    [
        (NEW, 1, False),
        (NEW, 2, False),
        (c.root(), 1, True),
        (c.root(), 2, None),
        (c.issue("Other root"), 1, None),
    ],
)
def test_the_new_root_is_tried_and_then_the_former_one(
    runtime: Runtime, tmp_path: Path, issuer: c.Issued, last: int, outcome: bool | None
) -> None:
    async def main() -> None:
        csms = Csms("2.0.1")
        url = await csms.listen(c.server(tmp_path, c.issue("CSMS", issuer, names=GOOD)))
        how: dict[str, Any] = {
            "profile": {"security_profile": 2, "password": b"secret"},
            "connection_settings": {"tls": TlsSettings(system_roots=False, partial_chain=True)},
        }
        bench = SocketBench(
            runtime, url, Version.V201, certificates=c.Installed(tmp_path), last_slot=last, blocks=(Proof,), **how
        )
        bench.point.connection.feed(ev.RootReplaced(PEM), 0.0)
        if outcome is None:
            assert "certificate" in await bench.fails()
            assert bench.security_events == ["InvalidCsmsCertificate"] and csms.handshakes == []
        else:
            await bench.connects()
            assert bench.point.station.block(Proof).former == [outcome]
            await bench.point.stop()
        await csms.close()

    clock.run(main())


@pytest.mark.parametrize("partial_chain", [False, True])
def test_a_root_that_was_signed_verifies_alone_where_the_check_is_on(
    runtime: Runtime, tmp_path: Path, partial_chain: bool
) -> None:
    """After the former one is gone."""

    async def main() -> None:
        csms = Csms("2.0.1")
        url = await csms.listen(c.server(tmp_path, c.issue("CSMS", NEW, names=GOOD)))
        installed = c.Installed(tmp_path, trusted=NEW)
        tls = TlsSettings(system_roots=False, partial_chain=partial_chain)
        how: dict[str, Any] = {
            "profile": {"security_profile": 2, "password": b"secret"},
            "connection_settings": {"tls": tls},
        }
        bench = SocketBench(runtime, url, Version.V201, certificates=installed, **how)
        if partial_chain:
            await bench.connects()
            await bench.point.stop()
        else:
            assert "certificate" in await bench.fails()
        await csms.close()

    clock.run(main())
