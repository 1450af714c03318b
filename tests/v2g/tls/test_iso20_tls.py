"""ISO 15118-20 over TLS 1.3: Evse15118D20, and EvseV2G that speaks all three protocols without IsoMux."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.manager.recording import read
from chargebyte_fw.modules.v2g import sdp
from chargebyte_fw.modules.v2g.evse15118_d20 import PORT, Evse15118D20
from chargebyte_fw.modules.v2g.replay import replay
from tests.v2g.station import Car
from tests.v2g.test_evse_v2g import DIN
from tests.v2g.tls import pki
from tests.v2g.tls.test_evse_v2g_tls import TlsWorld


class World20(TlsWorld):
    """A charger that knows the roots of cars."""

    def __init__(self, assemble: Any, runtime: Any, tmp_path: Path, **values: Any) -> None:
        super().__init__(assemble, runtime, tmp_path, **values)
        self.store.roots(tmp_path / "roots.pem", pki.vehicle().root)


async def charge(world: TlsWorld, car: Car) -> Any:
    """Charge a while and end; returns how the connection was secured."""
    await car.until("charging")
    security = world.v2g.engine._session[0].machine.connection.security
    await asyncio.sleep(5)
    car.wish(stop=True)
    assert (await car.ended).outcome == "terminated"
    await asyncio.sleep(8)
    return security


def test_three_cars_one_after_the_other_without_a_multiplexer(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path
) -> None:
    async def main() -> None:
        async with World20(assemble, runtime, tmp_path, supported_ISO15118_20=True) as world:
            await world.manager.hlc.dlink_ready(True)
            plain = Car(world.host, DIN)
            plain.start()
            assert (await charge(world, plain)).tls_version == ""
            assert (await charge(world, await world.tls_car())).tls_version == "1.2"
            newest = await world.tls_car(protocols=("ISO15118D20", "ISO15118D2"))
            security = await charge(world, newest)
            assert security.tls_version == "1.3"
            assert security.peer_certificate == pki.vehicle().der
            selected = [value for name, value in world.manager.heard if name == "selected_protocol"]
            assert selected == ["DIN70121", "ISO15118-2-2013", "ISO15118-20:DC"]

    run(main())


def test_a_car_without_tls_gets_iso_15118_2_of_what_it_offers(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path
) -> None:
    async def main() -> None:
        async with World20(assemble, runtime, tmp_path, supported_ISO15118_20=True) as world:
            await world.manager.hlc.dlink_ready(True)
            car = await world.tls_car(protocols=("ISO15118D20", "ISO15118D2"), tls="none")
            await charge(world, car)
            selected = [value for name, value in world.manager.heard if name == "selected_protocol"]
            assert selected == ["ISO15118-2-2013"]

    run(main())


@pytest.mark.parametrize(
    ("strategy", "tls", "version"),
    [("ENFORCE_TLS", "require", "1.3"), ("ACCEPT_CLIENT_OFFER", "require", "1.3"), ("ENFORCE_NO_TLS", "none", "")],
)
def test_a_session_with_each_strategy(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path, strategy: str, tls: str, version: str
) -> None:
    async def main() -> None:
        values = {"kind": Evse15118D20, "tls_negotiation_strategy": strategy}
        async with World20(assemble, runtime, tmp_path, **values) as world:
            await world.manager.hlc.dlink_ready(True)
            wanted = sdp.SECURITY_TLS if tls == "require" else sdp.SECURITY_NONE
            assert await world.found(wanted) == (PORT, wanted)
            car = await world.tls_car(protocols=("ISO15118D20",), tls=tls)
            assert (await charge(world, car)).tls_version == version

    run(main())


def test_a_trace_of_iso_15118_20_is_played_again(run: Any, assemble: Any, runtime: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with World20(assemble, runtime, tmp_path, kind=Evse15118D20) as world:
            await world.manager.hlc.dlink_ready(True)
            await charge(world, await world.tls_car(protocols=("ISO15118D20",)))
            runtime.trace.save(trace)

    trace = tmp_path / "trace.cbor"
    run(main())
    (outcome,) = [one for one in replay(read(trace).entries) if one.inputs > 20]
    assert outcome.difference is None and outcome.outputs > 20
