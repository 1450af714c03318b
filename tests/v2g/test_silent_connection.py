"""A connection without a request: it keeps nobody out, and is closed after the sequence time-out."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.cli.trace_pcap import RST, SYN, TCP, packets
from chargebyte_fw.kernel import memory
from chargebyte_fw.manager.recording import read
from chargebyte_fw.modules.v2g.iso_mux import TCP_PORT as MUX_PORT
from chargebyte_fw.modules.v2g.link import TCP_PORT
from chargebyte_fw.modules.v2g.replay import replay
from tests.v2g.mux.world import World as MuxWorld
from tests.v2g.station import Car
from tests.v2g.test_evse_v2g import ISO2, World

ENDS = ("dlink_error", "dlink_terminate", "hlc_session_failed")


def silent(host: memory.Host, port: int, begin: bytes = b"") -> memory.StreamEnd:
    """Connect and send the beginning of a frame at most."""
    end = host.connect(port)
    if begin:
        end.send(begin)
    return end


async def charges(world: Any) -> None:
    car = Car(world.host, ISO2)
    car.start()
    await car.until("charging")
    car.wish(stop=True)
    assert (await car.ended).outcome == "terminated"
    await asyncio.sleep(8)


def ends(world: Any) -> list[str]:
    return [name for name, _ in world.manager.heard if name in ENDS]


@pytest.mark.parametrize("begin", [b"", b"\x01\xfe\x80\x01\x00\x00"], ids=["no byte", "half a header"])
@pytest.mark.parametrize("module", ["EvseV2G", "IsoMux"])
def test_a_car_that_comes_after_it_charges(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path, module: str, begin: bytes
) -> None:
    async def main() -> None:
        world: Any = World(assemble, runtime) if module == "EvseV2G" else MuxWorld(assemble, runtime, tmp_path)
        port = TCP_PORT if module == "EvseV2G" else MUX_PORT
        async with world:
            await world.manager.hlc.dlink_ready(True)
            first, second = silent(world.host, port, begin), silent(world.host, port, begin)
            await asyncio.sleep(1)
            assert not first._open and second._open and ends(world) == []
            await charges(world)
            assert not second._open and ends(world) == ["dlink_terminate"]

    run(main())


def test_alone_it_is_closed_after_the_sequence_timeout(run: Any, assemble: Any, runtime: Any) -> None:
    async def main() -> None:
        async with World(assemble, runtime) as world:
            await world.manager.hlc.dlink_ready(True)
            end = silent(world.host, TCP_PORT)
            await asyncio.sleep(59.9)
            assert end._open and ends(world) == []
            await asyncio.sleep(0.2)
            assert not end._open and ends(world) == ["dlink_error", "hlc_session_failed"]

    run(main())


def test_after_its_first_request_a_car_is_not_replaced(run: Any, assemble: Any, runtime: Any) -> None:
    async def main() -> None:
        async with World(assemble, runtime) as world:
            car = await world.charging(ISO2)
            other = silent(world.host, TCP_PORT)
            await asyncio.sleep(1)
            assert not other._open and not car.ended.done()

    run(main())


def test_the_trace_of_both_connections_is_played_again(run: Any, assemble: Any, runtime: Any, tmp_path: Path) -> None:
    path = tmp_path / "trace.cbor"

    async def main() -> None:
        async with World(assemble, runtime) as world:
            await world.manager.hlc.dlink_ready(True)
            silent(world.host, TCP_PORT)
            await asyncio.sleep(1)
            await charges(world)
            runtime.trace.save(path)

    run(main())
    entries = read(path).entries
    outcomes = replay(entries)
    assert [outcome.difference for outcome in outcomes] == [None] * 2
    # In a capture the first one ends with a reset.
    flags = [frame[14 + 40 + 13] for _, frame in packets(entries) if frame[12:14] == b"\x86\xdd" and frame[20] == TCP]
    assert flags.count(SYN) == 2 and sum(bool(flag & RST) for flag in flags) == 1
