"""EvSlac: the car's side of SLAC on a powerline modem."""

from __future__ import annotations

import asyncio
import random
from typing import Annotated

from msgspec import Meta

from chargebyte_fw.contracts.interfaces.ev_slac import EvSlac as EvSlacContract
from chargebyte_fw.contracts.types.slac import State
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.lasting_condition import LastingCondition
from chargebyte_fw.kernel.module import Module, ModuleConfig, provides
from chargebyte_fw.sim.car_slac import SlacAdapter
from chargebyte_fw.sim.net import Port
from chargebyte_fw.sim.net_sockets import PacketPort

RETRY_S = 2.0
"""Before the interface is looked for again."""


class EvSlacConfig(ModuleConfig):
    """The modem."""

    device: Annotated[str, Meta(min_length=1, description="Network interface of the modem.")] = "eth1"
    set_key_timeout_ms: Annotated[int, Meta(ge=1, description="Time for the key of the modem, in ms (no effect).")] = (
        500
    )


class _Modem(EvSlacContract):
    """The car's modem."""

    module: EvSlac
    config: EvSlacConfig

    async def reset(self) -> None:
        """Leave the network."""
        self.module.leave()

    async def trigger_matching(self) -> bool:
        """Look for a charger; returns whether the modem is there."""
        return self.module.match()


class EvSlac(Module):
    """The car's side of SLAC (ISO 15118-3) on a powerline modem."""

    main = provides(_Modem, config=EvSlacConfig, description="The car's modem.")

    async def init(self) -> None:
        """Open the modem's interface, where it is there."""
        self._adapter: SlacAdapter | None = None
        self._port: Port | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._missing = LastingCondition(self.log)
        self._open()

    async def ready(self) -> None:
        """Publish that the modem is alone."""
        self.main.state.publish(State.UNMATCHED)
        self.main.dlink_ready.publish(False)

    async def stop(self) -> None:
        """Leave the network and give the interface back."""
        if self._timer is not None:
            self._timer.cancel()
        self.leave()
        if self._adapter is not None:
            self._adapter.close()
        if isinstance(self._port, PacketPort):
            self._port.close()
        self._missing.close()

    def match(self) -> bool:
        """Look for a charger; returns whether the modem is there."""
        if self._adapter is None:
            return False
        self.main.state.publish(State.MATCHING)
        self._adapter.begin()
        return True

    def leave(self) -> None:
        """Leave the network."""
        if self._adapter is not None:
            self._adapter.drop()
            self.main.state.publish(State.UNMATCHED)

    def _open(self) -> None:
        device = self.main.config.device
        try:
            self._port = self.runtime.wires.find(f"car-ethernet:{device}") or PacketPort(device)
        except Unavailable as error:
            self._missing.begin(f"{error}; looking again every {RETRY_S:g} s")
            self._timer = self.after(RETRY_S, self._open)
            return
        self._missing.end(f"{device} is there")
        chance = self.runtime.random if self.runtime.wires.in_memory else random.SystemRandom()
        self._adapter = SlacAdapter(self._port, self._matched, self._log, self.crash, chance)
        self.main.ev_mac_address.publish(self._port.mac.hex(":").upper())

    def _matched(self, up: bool) -> None:
        self.main.state.publish(State.MATCHED if up else State.UNMATCHED)
        self.main.dlink_ready.publish(up)

    def _log(self, text: str) -> None:
        self.log.debug("%s", text)
