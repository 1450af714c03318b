"""EvseV2G with TLS: whole sessions over a link in memory, each tls_security, and certificates that come and go."""

from __future__ import annotations

import asyncio
import logging
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.contracts.types import evse_security as types
from chargebyte_fw.kernel.clock import VIRTUAL_EPOCH, ClockLoop
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.manager.recording import read
from chargebyte_fw.modules.v2g import sdp
from chargebyte_fw.modules.v2g.link import TCP_PORT, TLS_PORT
from chargebyte_fw.modules.v2g.replay import replay
from chargebyte_fw.modules.v2g.transport.tls import alerts
from chargebyte_fw.modules.v2g.transport.tls import connection as tls
from tests.v2g.station import AcManager, Car, Manager
from tests.v2g.test_evse_v2g import World
from tests.v2g.tls import hellos, pki
from tests.v2g.tls.test_handshake import car as tls_client
from tests.v2g.tls.world import Store, TlsCar, settings

PLAIN, TLS = (TCP_PORT, sdp.SECURITY_NONE), (TLS_PORT, sdp.SECURITY_TLS)


class TlsWorld(World):
    """A charger whose store has one chain."""

    def __init__(self, assemble: Any, runtime: Any, tmp_path: Path, *leaves: pki.Party, **values: Any) -> None:
        staple = values.pop("staple", b"")
        super().__init__(assemble, runtime, store=Store, **values)
        self.folder = tmp_path / "chains"
        self.store = self.assembly.modules["security"].main
        self.store.put(self.folder, *(leaves or (pki.leaf(),)), staple=staple)

    async def found(self, security: int) -> tuple[int, int] | None:
        """Ask SDP once; return port and security of the answer."""
        answers: list[bytes] = []
        port = self.host.bind(lambda data, _: answers.append(data))
        self.host.send_datagram(sdp.Request(security).to_bytes(), sdp.PORT, port)
        await asyncio.sleep(1)
        if not answers:
            return None
        (response,) = map(sdp.parse_response, answers)
        return response.port, response.security

    async def tls_car(self, **values: Any) -> TlsCar:
        await self.manager.hlc.dlink_ready(True)
        car = TlsCar(self.host, settings(**values))
        car.start()
        return car


def lines(caplog: pytest.LogCaptureFixture, level: int = logging.INFO) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= level]


@pytest.fixture(autouse=True)
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "secc")
    return caplog


@pytest.mark.parametrize(("manager", "mode"), [(Manager, "DC_extended"), (AcManager, "AC_three_phase_core")])
def test_a_session_of_2_over_tls(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path, caplog: Any, manager: type[Manager], mode: str
) -> None:
    async def main() -> None:
        async with TlsWorld(assemble, runtime, tmp_path, manager=manager) as world:
            car = await world.tls_car(energy_transfer_mode=mode)
            await car.until("charging")
            assert world.v2g.engine._session[0].machine.connection.security.tls_version == "1.2"
            await asyncio.sleep(10)
            car.wish(stop=True)
            assert (await car.ended).outcome == "terminated"
            await asyncio.sleep(6)
            assert world.manager.names()[-1] == "dlink_terminate"

    run(main())
    assert any(line.startswith("TLS 1.2 with fe80::2: ECDHE-ECDSA-AES128-SHA256") for line in lines(caplog))
    assert any(line.startswith("TLS with O=T,CN=SECC (serial ") for line in lines(caplog))


def test_the_second_session_follows_its_own_connection(run: Any, assemble: Any, runtime: Any, tmp_path: Path) -> None:
    """Field case 15: TLS, then TCP, then TLS."""

    async def main() -> None:
        async with TlsWorld(assemble, runtime, tmp_path) as world:
            for tls in ("require", "none", "require"):
                car = await world.tls_car(tls=tls)
                await car.until("charging")
                expected = "1.2" if tls == "require" else ""
                assert world.v2g.engine._session[0].machine.connection.security.tls_version == expected
                car.wish(stop=True)
                await car.ended
                await asyncio.sleep(10)

    run(main())


@pytest.mark.parametrize(
    ("security", "with_chain", "answers"),
    [
        ("allow", True, (PLAIN, TLS)),
        ("allow", False, (PLAIN, PLAIN)),
        ("prohibit", True, (PLAIN, PLAIN)),
        ("force", True, (TLS, TLS)),
        ("force", False, (None, None)),
    ],
)
def test_sdp_answers_what_can_be_had(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path, security: str, with_chain: bool, answers: Any
) -> None:
    async def main() -> None:
        async with TlsWorld(assemble, runtime, tmp_path, tls_security=security) as world:
            if not with_chain:
                world.store.put(world.folder)
                world.store.updated()
            await world.manager.hlc.dlink_ready(True)
            found = [await world.found(wanted) for wanted in (sdp.SECURITY_NONE, sdp.SECURITY_TLS)]
            assert tuple(found) == answers
            for port, open_ in ((TCP_PORT, security != "force"), (TLS_PORT, security != "prohibit")):
                try:
                    world.host.connect(port).close()
                except ConnectionRefusedError:
                    assert not open_
                else:
                    assert open_

    run(main())


def test_prohibit_asks_the_store_for_nothing(run: Any, assemble: Any, runtime: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with TlsWorld(assemble, runtime, tmp_path, tls_security="prohibit") as world:
            await asyncio.sleep(1)
            assert not hasattr(world.store, "asked")

    run(main())


def test_force_without_a_chain_is_silent_and_has_its_reason(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path, caplog: Any
) -> None:
    async def main() -> None:
        async with TlsWorld(assemble, runtime, tmp_path, tls_security="force") as world:
            world.store.put(world.folder)
            world.store.updated()
            await world.manager.hlc.dlink_ready(True)
            await world.found(sdp.SECURITY_TLS)

    run(main())
    assert "no TLS: no V2G certificate chain is installed" in lines(caplog)
    silent = "an SDP request is not answered: there is TLS alone, and none now (no V2G certificate chain is installed)"
    assert silent in lines(caplog, logging.WARNING)


def test_a_clock_that_jumps_brings_tls_at_the_next_sdp_request(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path, caplog: Any
) -> None:
    """Field case 23: boot in 1970, one warning; the clock is set, nothing else changes."""

    async def main() -> None:
        async with TlsWorld(assemble, runtime, tmp_path) as world:
            loop = asyncio.get_running_loop()
            assert isinstance(loop, ClockLoop)
            loop.set_wall(datetime(1970, 1, 1, tzinfo=VIRTUAL_EPOCH.tzinfo))
            infos, world.store.infos = world.store.infos, []
            world.store.status = types.GetCertificateInfoStatus.NotFoundValid
            world.store.updated()
            await world.manager.hlc.dlink_ready(True)
            for _ in range(5):
                assert await world.found(sdp.SECURITY_TLS) == PLAIN
            loop.set_wall(VIRTUAL_EPOCH + timedelta(days=150))
            world.store.infos, world.store.status = infos, types.GetCertificateInfoStatus.Accepted
            assert await world.found(sdp.SECURITY_TLS) == TLS
            car = await world.tls_car()
            await car.until("charging")

    run(main())
    warnings = [line for line in lines(caplog, logging.WARNING) if "no TLS" in line]
    assert len(warnings) == 1
    assert warnings[0].startswith("no TLS: no V2G certificate chain is valid now: the system time is 1970-01-01T00:00:")


def test_a_chain_that_expires_is_offered_no_longer_though_the_store_is_silent(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    async def main() -> None:
        async with TlsWorld(assemble, runtime, tmp_path) as world:
            await world.manager.hlc.dlink_ready(True)
            assert await world.found(sdp.SECURITY_TLS) == TLS

            async def fails(*_: Any, **__: Any) -> None:
                raise CommandError("NotReady", "the module starts again")

            monkeypatch.setattr(world.store, "get_all_valid_certificates_info", fails)
            assert await world.found(sdp.SECURITY_TLS) == TLS, "what was known stays in use"
            loop = asyncio.get_running_loop()
            assert isinstance(loop, ClockLoop)
            loop.set_wall(VIRTUAL_EPOCH + timedelta(days=400))
            assert await world.found(sdp.SECURITY_TLS) == PLAIN

    run(main())


def test_a_renewed_chain_is_shown_in_the_next_handshake_and_the_session_goes_on(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path
) -> None:
    """Field case 9."""

    async def main() -> None:
        async with TlsWorld(assemble, runtime, tmp_path) as world:
            car = await world.tls_car()
            await car.until("charging")
            assert car.security.peer_certificate == pki.leaf().der
            renewed = pki.issue("SECC", pki.cas(), ca=False)
            world.store.put(world.folder, renewed)
            world.store.updated()
            await asyncio.sleep(10)
            assert not car.ended.done()
            car.wish(stop=True)
            assert (await car.ended).outcome == "terminated"
            await asyncio.sleep(10)
            after = await world.tls_car()
            await after.until("charging")
            assert after.security.peer_certificate == renewed.der

    run(main())


@pytest.mark.parametrize(
    "content", [b"", b"-----BEGIN CERTIFICATE-----\nMIIB", b"\xff" * 100], ids=["empty", "cut", "noise"]
)
def test_a_store_that_is_half_written_while_charging_ends_no_session(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path, caplog: Any, content: bytes
) -> None:
    async def main() -> None:
        async with TlsWorld(assemble, runtime, tmp_path) as world:
            car = await world.tls_car()
            await car.until("charging")
            (world.folder / "0.pem").write_bytes(content)
            world.store.updated()
            await asyncio.sleep(10)
            assert not car.ended.done()
            car.wish(stop=True)
            assert (await car.ended).outcome == "terminated"
            await asyncio.sleep(10)
            assert await world.found(sdp.SECURITY_TLS) == PLAIN
            world.store.put(world.folder, pki.leaf())
            world.store.updated()
            assert await world.found(sdp.SECURITY_TLS) == TLS

    run(main())
    assert len([line for line in lines(caplog, logging.WARNING) if line.startswith("no TLS: ")]) == 1


def test_a_key_that_does_not_belong_to_the_chain_leaves_the_other_chain(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path, caplog: Any
) -> None:
    async def main() -> None:
        async with TlsWorld(assemble, runtime, tmp_path, pki.leaf("A"), pki.leaf("B")) as world:
            (world.folder / "0.key").write_bytes(pki.leaf("B").key_pem)
            world.store.updated()
            car = await world.tls_car()
            await car.until("charging")
            assert car.security.peer_certificate == pki.leaf("B").der

    run(main())
    (warning,) = [line for line in lines(caplog, logging.WARNING) if "certificate" in line]
    assert warning.startswith("a certificate is not used: the private key does not belong to O=T,CN=A")


def test_a_car_that_opens_tls_and_is_silent_is_given_up_and_the_next_one_served(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path, caplog: Any
) -> None:
    async def main() -> None:
        async with TlsWorld(assemble, runtime, tmp_path, tls_timeout=3000) as world:
            await world.manager.hlc.dlink_ready(True)
            closed: list[float] = []
            loop = asyncio.get_running_loop()
            silent = world.host.connect(TLS_PORT)
            began = loop.time()
            silent.closed = lambda: closed.append(loop.time() - began)
            await asyncio.sleep(1)
            car = await world.tls_car()
            await car.until("charging")
            await asyncio.sleep(4)
            assert closed == [pytest.approx(3.0, abs=0.01)]

    run(main())
    assert "no TLS with fe80::2: the peer sent no complete ClientHello within 3 s" in lines(caplog)


def test_of_many_silent_connections_the_oldest_make_way(run: Any, assemble: Any, runtime: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with TlsWorld(assemble, runtime, tmp_path) as world:
            await world.manager.hlc.dlink_ready(True)
            ends = [world.host.connect(TLS_PORT) for _ in range(10)]
            await asyncio.sleep(1)
            assert [end._open for end in ends] == [False] * 6 + [True] * 4
            car = await world.tls_car()
            await car.until("charging")
            await world.manager.hlc.dlink_ready(False)
            await asyncio.sleep(1)
            assert not any(end._open for end in ends), "the data link took them with it"

    run(main())


def test_an_alert_in_mid_session_takes_the_power_off_and_is_one_line(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path, caplog: Any
) -> None:
    async def main() -> None:
        async with TlsWorld(assemble, runtime, tmp_path) as world:
            car = await world.tls_car()
            await car.until("charging")
            # OpenSSL sends no alert of one's choice in a session: a record that the charger cannot decrypt makes it
            # send one, and the car's is what it answers to such a record of the charger.
            transport: Any = world.v2g.engine._session[1]
            transport._wire.send(b"\x17\x03\x03\x00\x40" + bytes(64))
            await asyncio.sleep(1)
            names = world.manager.names()
            assert "dc_open_contactor" in names and names[-2:] == ["dlink_error", "hlc_session_failed"]
            assert not world.v2g.engine.is_connected()
            assert "20 bad_record_mac" in (await car.ended).reason
            after = await world.tls_car()
            await after.until("charging")

    run(main())
    found = [line for line in lines(caplog, logging.WARNING) if "alert" in line]
    assert found == ["TLS with fe80::2 ended: the peer ended it with alert 20 bad_record_mac"]


def test_while_a_car_charges_no_other_one_gets_a_handshake(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path
) -> None:
    async def main() -> None:
        async with TlsWorld(assemble, runtime, tmp_path) as world:
            car = await world.tls_car()
            await car.until("charging")
            other = world.host.connect(TLS_PORT)
            got: list[bytes] = []
            other.receive = got.append
            await asyncio.sleep(1)
            assert not other._open and got == []
            assert not car.ended.done()

    run(main())


def test_a_car_without_tls_on_the_tls_port_is_closed(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path, caplog: Any
) -> None:
    async def main() -> None:
        async with TlsWorld(assemble, runtime, tmp_path) as world:
            await world.manager.hlc.dlink_ready(True)
            end = world.host.connect(TLS_PORT)
            end.send(b"\x01\xfe\x80\x01\0\0\0\0")
            await asyncio.sleep(1)
            assert not end._open and not world.v2g.engine.is_connected()

    run(main())
    assert "no TLS with fe80::2: the peer speaks V2GTP without TLS" in lines(caplog)


def test_a_car_that_connects_without_a_chain_gets_an_alert(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path, caplog: Any
) -> None:
    async def main() -> None:
        async with TlsWorld(assemble, runtime, tmp_path) as world:
            await world.manager.hlc.dlink_ready(True)
            assert await world.found(sdp.SECURITY_TLS) == TLS
            world.store.put(world.folder)
            world.store.updated()
            await asyncio.sleep(1)
            net_end = world.host.connect(TLS_PORT)
            got: list[bytes] = []
            net_end.receive = got.append
            client = tls_client(versions=("1.2",))

            (hello,) = client.connection(VIRTUAL_EPOCH).feed(tls.Begin(), 0.0)
            net_end.send(hello.data)
            await asyncio.sleep(1)
            assert b"".join(got) == alerts.record(alerts.Alert.handshake_failure)

    run(main())
    assert any("there is no certificate chain to show" in line for line in lines(caplog))


def test_session_keys_go_to_the_file_and_over_the_link(run: Any, assemble: Any, runtime: Any, tmp_path: Path) -> None:
    async def main() -> list[tuple[bytes, int]]:
        got: list[tuple[bytes, int]] = []
        async with TlsWorld(
            assemble, runtime, tmp_path, tls_key_logging=True, tls_key_logging_path="/var/keys"
        ) as world:
            # The car's TCP port is where the datagrams go; its first connection has this one.
            world.host.bind(lambda data, source: got.append((data, source[1])), 50_001)
            car = await world.tls_car()
            await car.until("charging")
        return got

    got = run(main())
    written = (tmp_path / "var/keys/tls_session_keys.log").read_bytes()
    assert written.startswith(b"CLIENT_RANDOM ") and written.endswith(b"\n")
    assert [source for _, source in got] == [49_152]
    assert got[0][0] == written.rstrip(b"\n")


def test_a_key_log_that_cannot_be_written_is_one_line_and_no_end(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path, caplog: Any
) -> None:
    (tmp_path / "full").write_text("a file where a folder should be")

    async def main() -> None:
        options = {"tls_key_logging": True, "tls_key_logging_path": "/full/keys"}
        async with TlsWorld(assemble, runtime, tmp_path, **options) as world:
            car = await world.tls_car()
            await car.until("charging")

    run(main())
    assert len([line for line in lines(caplog) if "session key is not logged" in line]) == 1


def test_an_old_ocsp_response_is_not_stapled_and_has_its_line(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path, caplog: Any
) -> None:
    """Field case 13 (b)."""
    day = timedelta(days=1)
    old = pki.staple(pki.leaf(), VIRTUAL_EPOCH - 8 * day, VIRTUAL_EPOCH - day)

    async def main() -> None:
        async with TlsWorld(assemble, runtime, tmp_path, staple=old) as world:
            for _ in range(2):
                car = await world.tls_car()
                await car.until("charging")
                car.wish(stop=True)
                await car.ended
                await asyncio.sleep(10)

    run(main())
    (warning,) = [line for line in lines(caplog, logging.WARNING) if "OCSP" in line]
    assert "of O=T,CN=SECC (serial " in warning
    assert "is not stapled: it is valid from 2025-12-24T00:00:00Z to 2025-12-31T00:00:00Z" in warning


def test_plain_cars_are_served_beside_tls(run: Any, assemble: Any, runtime: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with TlsWorld(assemble, runtime, tmp_path) as world:
            await world.manager.hlc.dlink_ready(True)
            car = Car(world.host, settings(tls="none"))
            car.start()
            await car.until("charging")

    run(main())


def test_keys_that_tls_12_has_no_use_for_are_not_offered(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path, caplog: Any
) -> None:
    async def main() -> None:
        leaf = pki.leaf("SECC", "V2G", "Ed448")
        async with TlsWorld(assemble, runtime, tmp_path, leaf, tls_security="force") as world:
            await world.manager.hlc.dlink_ready(True)
            assert await world.found(sdp.SECURITY_TLS) is None

    run(main())
    assert any("keys of the kind Ed448 are of no use" in line for line in lines(caplog, logging.WARNING))


def test_without_pyopenssl_there_is_no_tls_and_a_line(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path, caplog: Any, monkeypatch: Any
) -> None:
    monkeypatch.setitem(sys.modules, "chargebyte_fw.modules.v2g.transport.tls.contexts", None)

    async def main() -> None:
        async with TlsWorld(assemble, runtime, tmp_path) as world:
            await world.manager.hlc.dlink_ready(True)
            assert await world.found(sdp.SECURITY_TLS) == PLAIN

    run(main())
    (line,) = [line for line in lines(caplog, logging.WARNING) if line.startswith("no TLS: ")]
    assert line.endswith("install pyOpenSSL")


def test_a_chain_that_openssl_does_not_take_is_not_offered(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path, caplog: Any
) -> None:
    """A key of 1024 bits is too weak for it."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    weak = pki.issue("weak", pki.cas(), ca=False, key=rsa.generate_private_key(65_537, 1024))

    async def main() -> None:
        async with TlsWorld(assemble, runtime, tmp_path, weak) as world:
            await world.manager.hlc.dlink_ready(True)
            assert await world.found(sdp.SECURITY_TLS) == PLAIN

    run(main())
    (line,) = [line for line in lines(caplog, logging.WARNING) if line.startswith("no TLS: ")]
    assert "OpenSSL does not take O=T,CN=weak" in line


def test_a_trace_of_a_session_over_tls_is_played_again(run: Any, assemble: Any, runtime: Any, tmp_path: Path) -> None:
    """The trace has what is inside TLS, and how the connection was secured: the responses depend on it."""

    async def main() -> None:
        async with TlsWorld(assemble, runtime, tmp_path) as world:
            car = await world.tls_car()
            await car.until("charging")
            car.wish(stop=True)
            await car.ended
            await asyncio.sleep(10)
            runtime.trace.save(trace)

    trace = tmp_path / "trace.cbor"
    run(main())
    entries = read(trace).entries
    (opened,) = [data for _, kind, _, data in entries if kind == "conn" and "opened" in data]
    assert opened["security"]["tls_version"] == "1.2"
    (hello,) = [data["hello"] for _, kind, _, data in entries if kind == "conn" and "hello" in data]
    assert hello.startswith("the car offers TLS 1.2") and "suites C023" in hello
    (outcome,) = [one for one in replay(entries) if one.inputs > 20]
    assert outcome.difference is None and outcome.outputs > 20


def test_a_handshake_that_begins_late_has_the_time_of_an_sdp_answer(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path
) -> None:
    """The access is shut 30 s after the match, 5 s after an SDP answer, 5 s after a connection."""

    async def main() -> None:
        async with TlsWorld(assemble, runtime, tmp_path) as world:
            await world.manager.hlc.dlink_ready(True)
            await asyncio.sleep(27)
            assert await world.found(sdp.SECURITY_TLS) == TLS
            await asyncio.sleep(3.5)
            end = world.host.connect(TLS_PORT)
            await asyncio.sleep(4.5)
            client = tls_client(versions=("1.2",)).connection(VIRTUAL_EPOCH)
            end.receive = lambda data: send(client.feed(tls.Arrived(data), 0.0))

            def send(effects: list[Any]) -> None:
                for effect in effects:
                    if isinstance(effect, tls.Transmit):
                        end.send(effect.data)

            send(client.feed(tls.Begin(), 0.0))
            await asyncio.sleep(1)
            assert world.v2g.engine.is_connected()

    run(main())


def test_many_bad_handshakes_are_a_few_lines_and_the_next_car_is_served(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path, caplog: Any
) -> None:
    async def main() -> None:
        async with TlsWorld(assemble, runtime, tmp_path) as world:
            await world.manager.hlc.dlink_ready(True)
            for number in range(200):
                end = world.host.connect(TLS_PORT)
                end.send([b"", b"\x16", hellos.stream(suites=(number,)), b"\x80" * number, HELLO[:number]][number % 5])
                if number % 3:
                    end.close()
                await asyncio.sleep(0.01)
            server = world.v2g.endpoints.server
            assert len(server._handshakes) <= 4 and len(server._contexts) <= 8
            await asyncio.sleep(20)
            assert not server._handshakes and not server._open
            car = await world.tls_car()
            await car.until("charging")
            assert len(server._open) == 1

    run(main())
    assert len(lines(caplog, logging.WARNING)) < 12
    assert any("more TLS handshakes failed within" in line for line in lines(caplog, logging.WARNING))


HELLO = hellos.stream()


def test_an_ocsp_response_about_another_certificate_is_not_stapled(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path, caplog: Any
) -> None:
    async def main() -> None:
        async with TlsWorld(assemble, runtime, tmp_path, staple=pki.staple(pki.vehicle())) as world:
            car = await world.tls_car()
            await car.until("charging")

    run(main())
    (warning,) = [line for line in lines(caplog, logging.WARNING) if "OCSP" in line]
    assert "0.der is not about O=T,CN=SECC" in warning
