"""Evse15118D20 with TLS: whole sessions of ISO 15118-20 over TLS 1.3, each strategy, one port for both."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.modules.v2g import sdp
from chargebyte_fw.modules.v2g.evse15118_d20 import PORT
from tests.v2g.test_evse15118_d20 import Client, World
from tests.v2g.tls import pki
from tests.v2g.tls.test_evse_v2g_tls import lines
from tests.v2g.tls.world import Store, TlsCar, keys, settings

PLAIN, TLS = sdp.SECURITY_NONE, sdp.SECURITY_TLS


class TlsWorld(World):
    """A charger of ISO 15118-20 whose store has one chain and the roots of the cars."""

    def __init__(self, assemble: Any, runtime: Any, tmp_path: Path, kind: str = "P-256", **config: Any) -> None:
        super().__init__(assemble, runtime, store=Store, **config)
        self.store = self.assembly.modules["security"].main
        self.store.put(tmp_path / "chains", pki.leaf(kind=kind))
        self.bundle = tmp_path / "roots.pem"
        self.store.roots(self.bundle, pki.leaf(kind=kind).root)

    def car(self, kind: str = "P-256", vehicle: str | None = "V2G", **values: Any) -> TlsCar:
        shown = None if vehicle is None else pki.vehicle(kind, vehicle)
        values.setdefault("protocols", ("ISO15118D20",))
        values.setdefault("keys", keys(shown, pki.leaf(kind=kind).root))
        car = TlsCar(self.host, settings(**values))
        car.start()
        return car

    async def found(self, security: int) -> int | None:
        """Ask SDP once; return the security of the answer, whose port is the module's only one."""
        answers: list[bytes] = []
        port = self.host.bind(lambda data, _: answers.append(data))
        self.host.send_datagram(sdp.Request(security).to_bytes(), sdp.PORT, port)
        await asyncio.sleep(1)
        for response in map(sdp.parse_response, answers):
            assert response.port == PORT
            return response.security
        return None


@pytest.fixture(autouse=True)
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "secc")
    return caplog


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("P-256", {}),
        ("P-521", {"enforce_tls_1_3": True, "tls_profile": "strict", "tls_negotiation_strategy": "ENFORCE_TLS"}),
    ],
)
def test_a_session_of_20_over_tls_13(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path, kind: str, config: Any
) -> None:
    async def main() -> None:
        async with TlsWorld(assemble, runtime, tmp_path, kind, **config) as world:
            car = world.car(kind)
            await car.until("charging")
            security = world.v2g.engine._session[0].machine.connection.security
            assert security.tls_version == "1.3" and security.peer_certificate == pki.vehicle(kind).der
            await asyncio.sleep(5)
            car.wish(stop=True)
            assert (await car.ended).outcome == "terminated"

    run(main())


@pytest.mark.parametrize(
    ("strategy", "plain", "tls"),
    [("ACCEPT_CLIENT_OFFER", PLAIN, TLS), ("ENFORCE_TLS", TLS, TLS), ("ENFORCE_NO_TLS", PLAIN, PLAIN)],
)
def test_each_strategy_answers_sdp_and_holds_the_port_to_it(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path, strategy: str, plain: int, tls: int
) -> None:
    async def main() -> None:
        async with TlsWorld(assemble, runtime, tmp_path, tls_negotiation_strategy=strategy) as world:
            assert (await world.found(PLAIN), await world.found(TLS)) == (plain, tls)
            client = Client(world.host)
            if strategy == "ENFORCE_TLS":
                client.stream.send(b"\x01\xfe\x80\x01\0\0\0\0")
                await asyncio.sleep(1)
                assert client.closed
            else:
                assert await client.handshake() == "OK_SuccessfulNegotiation"

    run(main())


def test_enforced_tls_without_a_chain_is_silent(run: Any, assemble: Any, runtime: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with TlsWorld(assemble, runtime, tmp_path, tls_negotiation_strategy="ENFORCE_TLS") as world:
            world.store.put(tmp_path / "chains")
            world.store.updated()
            assert await world.found(TLS) is None

    run(main())


def test_below_tls_13_there_is_no_session_of_20(run: Any, assemble: Any, runtime: Any, tmp_path: Path) -> None:
    """Field cases 3 and 5 (a): the handshake succeeds, the selection does not."""

    async def main() -> None:
        async with TlsWorld(assemble, runtime, tmp_path) as world:
            car = world.car(protocols=("ISO15118D2",))
            assert "speaks none of" in (await car.ended).reason
            assert car.security.tls_version == "1.2"

    run(main())


def test_a_car_without_a_certificate_and_one_of_an_oem(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path, caplog: Any
) -> None:
    """Field case 14."""

    async def main() -> None:
        async with TlsWorld(assemble, runtime, tmp_path) as world:
            for vehicle in (None, "OEM"):
                car = world.car(vehicle=vehicle)
                reason = (await car.ended).reason
                assert ("116 certificate_required" if vehicle is None else "48 unknown_ca") in reason
                await asyncio.sleep(5)
            world.store.roots(world.bundle, pki.leaf().root, pki.cas("OEM").root)
            world.store.roots_updated()
            await asyncio.sleep(2)
            car = world.car(vehicle="OEM")
            await car.until("charging")

    run(main())
    failed = [line for line in lines(caplog, logging.WARNING) if line.startswith("no TLS with")]
    assert len(failed) == 2
    assert "the peer shows no certificate, which TLS 1.3 of ISO 15118-20 demands" in failed[0]
    assert "CN=OEM sub 1" in failed[1] and "install the root (V2G, or OEM of vehicles)" in failed[1]


def test_an_alert_in_mid_session_takes_the_power_off_and_is_one_line(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path, caplog: Any
) -> None:
    async def main() -> None:
        async with TlsWorld(assemble, runtime, tmp_path) as world:
            car = world.car()
            await car.until("charging")
            transport: Any = world.v2g.engine._session[1]
            # A record that the car cannot decrypt: it answers with an alert, which is encrypted in TLS 1.3.
            transport._wire.send(b"\x17\x03\x03\x00\x40" + bytes(64))
            await asyncio.sleep(1)
            names = world.manager.names()
            assert "dc_open_contactor" in names and names[-2:] == ["dlink_error", "hlc_session_failed"]
            assert not world.v2g.engine.is_connected() and "20 bad_record_mac" in (await car.ended).reason
            await world.car().until("charging")

    run(main())
    found = [line for line in lines(caplog, logging.WARNING) if "alert" in line]
    assert found == ["TLS with fe80::2 ended: the peer ended it with alert 20 bad_record_mac"]


def test_a_silent_car_on_the_port_of_both_is_given_up(run: Any, assemble: Any, runtime: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with TlsWorld(assemble, runtime, tmp_path) as world:
            silent = Client(world.host)
            await asyncio.sleep(16)
            assert silent.closed
            assert await world.found(TLS) == TLS

    run(main())


def test_the_course_of_handshakes_is_logged_where_it_is_wanted(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path, caplog: Any
) -> None:
    async def main() -> None:
        async with TlsWorld(assemble, runtime, tmp_path, enable_ssl_logging=True) as world:
            await world.car().until("charging")

    run(main())
    text = "\n".join(lines(caplog))
    assert "ClientHello: the car offers TLS 1.3" in text
    assert "TLS 1.3 with the chain of O=T,CN=SECC" in text and "a client certificate is demanded" in text
