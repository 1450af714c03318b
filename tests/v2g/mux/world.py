"""IsoMux with both of its back ends, and a car at the other end of an IPv6 link in memory."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Self

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.interfaces.iso15118_extensions import Iso15118Extensions
from chargebyte_fw.kernel import memory
from chargebyte_fw.kernel.contract import Contract
from chargebyte_fw.kernel.module import Module, provides, requires
from chargebyte_fw.modules.v2g.evse15118_d20 import Evse15118D20
from chargebyte_fw.modules.v2g.evse_v2g import EvseV2G
from chargebyte_fw.modules.v2g.iso_mux import IsoMux
from tests.v2g.station import Car, Manager
from tests.v2g.tls import pki
from tests.v2g.tls.world import Store, TlsCar, settings

CONNECTIONS = {
    "security": "security.main",
    "iso2": "old.charger",
    "ext2": "old.extensions",
    "iso20": "new.charger",
    "ext20": "new.extensions",
}


def passed_on(contract: type[Contract]) -> type[Any]:
    """Return an implementation whose commands go to `real_<interface>` of its module."""

    def forwarded(name: str) -> Any:
        async def command(self: Any, *args: Any, **kwargs: Any) -> Any:
            return await getattr(self.module.real(self.interface), name)(*args, **kwargs)

        return command

    return type(f"Passed{contract.__name__}", (contract,), {name: forwarded(name) for name in contract.commands})


class Program(Module):
    """Stands in the configuration for a module in another process: what crosses is its contract, and TCP."""

    charger = provides(passed_on(Iso15118Charger))
    extensions = provides(passed_on(Iso15118Extensions))
    real_charger = requires(Iso15118Charger)
    real_extensions = requires(Iso15118Extensions)

    def real(self, interface: str) -> Any:
        return self.real_charger if interface == Iso15118Charger.interface else self.real_extensions

    async def init(self) -> None:
        for ours, theirs in ((self.charger, self.real_charger), (self.extensions, self.real_extensions)):
            for name in theirs.variables:
                getattr(theirs, name).subscribe(getattr(ours, name).publish)


class World:
    """A charger with IsoMux; `hlc` is what EvseManager uses."""

    def __init__(
        self, assemble: Any, runtime: Any, tmp_path: Path, *, manager: type[Manager] = Manager, **values: Any
    ) -> None:
        charger_host, self.host = memory.link("fe80::1", "fe80::2")
        runtime.wires.plug("ip:eth1", charger_host)
        security = {"security": "security.main"}
        old, new = values.pop("old", {}), values.pop("new", {})
        self.assembly = assemble(
            **values.pop("before", {}),
            security=(Store,),
            old=values.pop("old_entry", (EvseV2G, {"device": "lo", "enable_sdp_server": False, **old}, security)),
            new=values.pop("new_entry", (Evse15118D20, {"device": "lo", "enable_sdp_server": False, **new}, security)),
            manager=(manager, {}, {"hlc": "mux.charger"}),
            mux=(IsoMux, {"device": "eth1", **values}, CONNECTIONS),
        )
        self.store = self.assembly.modules["security"].main
        self.store.put(tmp_path / "chains", pki.leaf())
        self.store.roots(tmp_path / "roots.pem", pki.vehicle().root)

    async def __aenter__(self) -> Self:
        await self.assembly.start()
        self.mux, self.manager, self.old, self.new = (
            self.assembly.modules.get(name) for name in ("mux", "manager", "old", "new")
        )
        await asyncio.sleep(0.01)
        await self.manager.hlc.dlink_ready(True)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.assembly.stop()
        for module in self.assembly.modules.values():
            assert not module.failed.done() or module.id == "manager", (module.id, module.failed)

    def car(self, *protocols: str, tls: str = "none") -> TlsCar:
        car = TlsCar(self.host, settings(protocols=protocols, tls=tls))
        car.start()
        return car

    @property
    def selected(self) -> list[str]:
        return [value for name, value in self.manager.heard if name == "selected_protocol"]


async def charge(car: Car) -> None:
    """Charge for a while and stop."""
    await car.until("charging")
    await asyncio.sleep(3)
    car.wish(stop=True)
    assert (await car.ended).outcome == "terminated"
    await asyncio.sleep(8)
