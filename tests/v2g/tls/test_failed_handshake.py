"""A handshake that fails: EvseManager gets the reason, the car may try again, and its time is bounded."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.contracts.types.evse_manager import HlcSessionFailedReasonEnum as Reason
from chargebyte_fw.modules.v2g.evcc import Misbehaviour
from chargebyte_fw.modules.v2g.link import TLS_PORT
from chargebyte_fw.modules.v2g.secc.access import FIRST_CONNECTION_S
from tests.v2g.mux.world import World as MuxWorld
from tests.v2g.tls import hellos, pki
from tests.v2g.tls.test_evse15118_d20_tls import TlsWorld as D20World
from tests.v2g.tls.test_evse_v2g_tls import TlsWorld as V2gWorld
from tests.v2g.tls.world import TlsCar, keys, settings

FAILED = [("hlc_session_failed", Reason.FailedTLSHandshake)]
WORLDS: dict[str, tuple[type[Any], str]] = {
    "EvseV2G": (V2gWorld, "ISO15118D2"),
    "Evse15118D20": (D20World, "ISO15118D20"),
    "IsoMux": (MuxWorld, "ISO15118D20"),
}


def car(world: Any, protocol: str, root: str) -> TlsCar:
    """Let a car with this V2G root come."""
    own = keys(pki.vehicle(), pki.leaf("SECC", root).root)
    one = TlsCar(world.host, settings(protocols=(protocol,), keys=own))
    one.start()
    return one


def ends(world: Any) -> list[tuple[str, Any]]:
    """What EvseManager had of failures and of the data link's end."""
    return [one for one in world.manager.heard if one[0] in ("hlc_session_failed", "dlink_error", "dlink_terminate")]


@pytest.mark.parametrize("module", WORLDS)
def test_evse_manager_gets_the_reason_and_the_car_may_try_again(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path, module: str
) -> None:
    async def main() -> None:
        kind, protocol = WORLDS[module]
        async with kind(assemble, runtime, tmp_path) as world:
            await world.manager.hlc.dlink_ready(True)
            refused = await car(world, protocol, "other").ended
            assert refused.outcome == "failed" and "its issuer is not installed" in refused.reason
            await asyncio.sleep(1)
            assert ends(world) == FAILED
            again = car(world, protocol, "V2G")
            await again.until("charging")
            again.wish(stop=True)
            assert (await again.ended).outcome == "terminated"
            await asyncio.sleep(8)
            assert ends(world) == [*FAILED, ("dlink_terminate", None)]

    run(main())


def test_without_another_try_the_data_link_is_given_up_in_time(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "secc")

    async def main() -> None:
        async with V2gWorld(assemble, runtime, tmp_path) as world:
            await world.manager.hlc.dlink_ready(True)
            await car(world, "ISO15118D2", "other").ended
            await asyncio.sleep(FIRST_CONNECTION_S)
            assert ends(world) == [*FAILED, ("dlink_error", None)]
            end = world.host.connect(TLS_PORT)
            await asyncio.sleep(0.1)
            assert not end._open

    run(main())
    assert "no car connected after its TLS handshake had failed" in caplog.messages


def test_many_that_fail_are_published_once_a_second(run: Any, assemble: Any, runtime: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with V2gWorld(assemble, runtime, tmp_path) as world:
            await world.manager.hlc.dlink_ready(True)
            for _ in range(50):
                world.host.connect(TLS_PORT).send(b"GET / HTTP/1.1\r\n\r\n")
                await asyncio.sleep(0.05)
            assert ends(world) == FAILED * 3

    run(main())


def test_the_handshake_of_another_one_is_not_the_failure_of_the_car_that_charges(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path
) -> None:
    async def main() -> None:
        async with V2gWorld(assemble, runtime, tmp_path) as world:
            await world.manager.hlc.dlink_ready(True)
            other = world.host.connect(TLS_PORT)
            one = car(world, "ISO15118D2", "V2G")
            await one.until("charging")
            other.send(b"GET / HTTP/1.1\r\n\r\n")
            await asyncio.sleep(1)
            assert ends(world) == [] and not one.ended.done()

    run(main())


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (hellos.stream()[:40], "the peer closed the connection in the middle of the handshake"),
        (hellos.stream(with_extensions=False, suites=(0xC02B,)), "alert 40 handshake_failure"),
        (hellos.records(hellos.message(hellos.hello()[:-1])), "alert 50 decode_error"),
        (hellos.records(b"\x01\x00\x40\x01" + bytes(16_385)), "alert"),
        (hellos.stream(extensions=[(21, bytes(16_000))], suites=(0xC02B,)), "alert 40 handshake_failure"),
        (hellos.stream(versions=(0x0304,), suites=(0x1302,), extensions=[(42, b"")]), "alert"),
    ],
    ids=["cut", "no extensions", "a byte too short", "more than 16 kB", "16 kB", "early data"],
)
def test_a_client_hello_of_another_kind_fails_alone(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture, data: bytes, text: str
) -> None:
    """One line, the reason, and the next car charges."""
    caplog.set_level(logging.INFO, "secc")

    async def main() -> None:
        async with V2gWorld(assemble, runtime, tmp_path) as world:
            await world.manager.hlc.dlink_ready(True)
            end = world.host.connect(TLS_PORT)
            end.send(data)
            await asyncio.sleep(1)
            end.close()
            await asyncio.sleep(1)
            assert ends(world) == FAILED
            one = car(world, "ISO15118D2", "V2G")
            await one.until("charging")

    run(main())
    (line,) = [line for line in caplog.messages if line.startswith("no TLS with")]
    assert text in line


def test_a_car_that_is_silent_after_its_handshake_keeps_nobody_out(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path
) -> None:
    async def main() -> None:
        async with V2gWorld(assemble, runtime, tmp_path) as world:
            await world.manager.hlc.dlink_ready(True)
            silent = TlsCar(world.host, settings(misbehaviours=(Misbehaviour("silent", "supportedAppProtocolReq"),)))
            silent.start()
            await asyncio.sleep(2)
            assert silent.security.tls_version == "1.2" and not silent.ended.done()
            one = car(world, "ISO15118D2", "V2G")
            await one.until("charging")
            assert silent.ended.done() and ends(world) == []

    run(main())
