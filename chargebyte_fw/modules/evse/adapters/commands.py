"""The commands of the machines: one queue for each module that is connected."""

from __future__ import annotations

from chargebyte_fw.contracts.interfaces.evse_board_support import EvseBoardSupport
from chargebyte_fw.kernel.command_queue import CommandQueue
from chargebyte_fw.kernel.contract import Contract
from chargebyte_fw.kernel.effects import Call
from chargebyte_fw.kernel.module import Module
from chargebyte_fw.modules.evse.adapters.connected import Connected

CONTACTORS = EvseBoardSupport.allow_power_on.__name__


class Commands:
    """Sends each command to the module that provides its interface; where none is connected, it is lost.

    The permission to close the contactors has a queue of its own, and its withdrawal overtakes: the board may take a
    second to set a duty cycle, and opening may not wait for that (IEC 61851-1: 100 ms).
    """

    def __init__(self, connected: Connected, module: Module) -> None:
        providers: dict[str, Contract | None] = {
            "bsp": connected.bsp,
            "supply": connected.supply,
            "imd": connected.imd,
            "monitor": connected.over_voltage_monitor,
            "lock": connected.connector_lock,
            "store": connected.store,
            "slac": connected.slac,
            "hlc": connected.hlc,
        }
        self._queues = {
            one.interface: CommandQueue(name, one, module) for name, one in providers.items() if one is not None
        }
        self._contactors = CommandQueue("power", connected.bsp, module)

    def send(self, call: Call) -> None:
        """Send one command."""
        if call.command == CONTACTORS:
            (order,) = call.args
            self._contactors.send(call.command, call.args, urgent=not order.allow_power_on)
        elif (queue := self._queues.get(call.interface)) is not None:
            queue.send(call.command, call.args, urgent=call.urgent, latest=call.latest)

    def close(self) -> None:
        """Send nothing more."""
        self._contactors.close()
        for queue in self._queues.values():
            queue.close()
