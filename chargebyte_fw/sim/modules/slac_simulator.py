"""SlacSimulator: the modems of a charger and of a car, which find each other without a powerline."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.contracts.interfaces.ev_slac import EvSlac
from chargebyte_fw.contracts.interfaces.slac import Slac
from chargebyte_fw.contracts.types.slac import State
from chargebyte_fw.kernel.machine import Unexpected
from chargebyte_fw.kernel.module import Module, provides
from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.sim.modules.slac_line import Car, Charger, Line


class _Charger(Slac):
    """The charger's modem."""

    module: SlacSimulator

    async def reset(self, enable: bool) -> None:
        """Leave the network."""
        self.module.pump.feed(Charger(False))

    async def enter_bcd(self) -> None:
        """Look for a car."""
        self.module.pump.feed(Charger(True))

    async def leave_bcd(self) -> None:
        """Leave the network: the car is gone."""
        self.module.pump.feed(Charger(False))

    async def dlink_terminate(self) -> None:
        """Leave the network."""
        self.module.pump.feed(Charger(False))

    async def dlink_error(self) -> None:
        """Leave the network and look for the car again."""
        self.module.pump.feed(Charger(True))

    async def dlink_pause(self) -> None:
        """Stay in the network."""


class _Car(EvSlac):
    """The car's modem."""

    module: SlacSimulator

    async def reset(self) -> None:
        """Leave the network."""
        self.module.pump.feed(Car(False))

    async def trigger_matching(self) -> bool:
        """Look for a charger."""
        self.module.pump.feed(Car(True))
        return True


class SlacSimulator(Module):
    """The modems of a charger and of a car, simulated: 2 s after both look for each other they are matched."""

    evse = provides(_Charger, description="The charger's modem.")
    ev = provides(_Car, description="The car's modem.")

    pump: Pump

    async def init(self) -> None:
        """Build the line."""
        self.pump = Pump(Line(), self._act, self.crash)

    async def ready(self) -> None:
        """Publish that both modems are alone."""
        for end in (self.evse, self.ev):
            end.state.publish(State.UNMATCHED)
            end.dlink_ready.publish(False)

    async def stop(self) -> None:
        """Take the line away."""
        self.pump.close()

    def _act(self, effect: Any) -> None:
        if not isinstance(effect, Unexpected):
            end = self.evse if effect.interface == Slac.interface else self.ev
            getattr(end, effect.variable).publish(effect.value)
