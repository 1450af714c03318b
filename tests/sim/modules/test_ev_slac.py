"""EvSlac: the car's side of SLAC on a wire in memory, towards the charger's module."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from chargebyte_fw.contracts.types.slac import State
from chargebyte_fw.kernel import memory
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.modules.slac.evse_slac import EvseSlac
from chargebyte_fw.sim.modem_bench import ModemBench
from chargebyte_fw.sim.modules.ev_slac import EvSlac

CHARGER, CAR = b"\x02\0\0\0\0\x01", b"\x02\0\0\0\0\x02"


def test_without_its_modem_there_is_no_match(run: Any, assemble: Any, caplog: Any) -> None:
    async def main() -> None:
        assembly = assemble(ev=(EvSlac, {}, {}, {"main": {"device": "none0"}}))
        await assembly.start()
        ev: Any = assembly.provider("ev", "main")
        assert await ev.trigger_matching() is False
        await ev.reset()
        await asyncio.sleep(20)
        assert caplog.text.count("looking again every") == 1
        assert ev.state.value is State.UNMATCHED
        await assembly.stop()

    run(main())


def test_car_and_charger_match(run: Any, assemble: Any, runtime: Runtime) -> None:
    runtime.random = random.Random(1)

    def broken(error: BaseException) -> None:
        raise error

    async def main() -> None:
        charger_port, charger_modem = memory.wire(CHARGER, CHARGER)
        car_port, car_modem = memory.wire(CAR, CAR)
        modems = ModemBench({"charger": charger_modem, "car": car_modem}, broken, chance=random.Random(1))
        runtime.wires.plug("ethernet:eth1", charger_port)
        runtime.wires.plug("car-ethernet:eth1", car_port)
        assembly = assemble(ev=(EvSlac,), evse=(EvseSlac,))
        await assembly.start()
        ev: Any = assembly.provider("ev", "main")
        evse: Any = assembly.provider("evse", "main")
        await asyncio.sleep(5)
        await evse.reset(True)
        await evse.enter_bcd()
        await asyncio.sleep(1)
        assert await ev.trigger_matching() is True and ev.state.value is State.MATCHING
        await asyncio.sleep(20)
        assert evse.state.value is ev.state.value is State.MATCHED
        assert ev.dlink_ready.value is True and ev.ev_mac_address.value == "02:00:00:00:00:02"
        await ev.reset()
        await asyncio.sleep(1)
        assert ev.state.value is State.UNMATCHED and ev.dlink_ready.value is False
        await assembly.stop()
        modems.close()

    run(main())
