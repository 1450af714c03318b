"""The SECC on an interface with a manager in a few lines: `python -m tests.peers.charger_alone eth1 [--ac] [--iso20]`.

Writes one JSON line for each variable that the module publishes and ends when the session has ended.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from chargebyte_fw.kernel import clock, log
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.plan import Connection, ModulePlan
from chargebyte_fw.modules.v2g.evse15118_d20 import Evse15118D20
from chargebyte_fw.modules.v2g.evse_v2g import EvseV2G
from tests.v2g.station import AcManager, Manager, Security

LIMIT_S = 240.0


async def serve(device: str, manager: type[Manager], trace: Path | None, *, iso20: bool = False) -> int:
    """Serve one session; returns 0 when the car ended it as agreed."""
    runtime = Runtime(root=Root(Path("/"), Path("/")))
    assembly = Assembly(runtime)
    kind: Any = Evse15118D20 if iso20 else EvseV2G
    more = {"supported_scheduled_mode": True, "tls_negotiation_strategy": "ENFORCE_NO_TLS"} if iso20 else {}
    config = kind.Config(device=device, **more)
    plans = [
        ModulePlan("security", Security, Security.Config(), {}, {}),
        ModulePlan("v2g", kind, config, {}, {"security": [Connection("security", "main")]}),
        ModulePlan("manager", manager, manager.Config(), {}, {"hlc": [Connection("v2g", "charger")]}),
    ]
    assembly.build(plans)
    await assembly.start()
    over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    hlc = assembly.modules["manager"].hlc  # type: ignore[attr-defined]

    def tell(name: str, value: Any) -> None:
        if name != "v2g_messages":
            print(json.dumps({"variable": name, "value": msgspec.to_builtins(value)}), flush=True)
        if name in ("dlink_terminate", "dlink_error", "dlink_pause") and not over.done():
            over.set_result(name)

    for name in hlc.variables:
        getattr(hlc, name).subscribe(lambda value, name=name: tell(name, value))
    await hlc.dlink_ready(True)
    # The real 18 s for a connection begin with the data link; a car whose Java machine is still starting needs longer.
    again = asyncio.get_running_loop().create_task(_keep_link(hlc))
    try:
        async with asyncio.timeout(LIMIT_S):
            how = await over
    except TimeoutError:
        how = "nothing"
    again.cancel()
    if trace is not None:
        runtime.trace.save(trace)
    await assembly.stop()
    print(json.dumps({"over": how}), flush=True)
    return 0 if how == "dlink_terminate" else 1


async def _keep_link(hlc: Any) -> None:
    while True:
        await asyncio.sleep(5)
        if not hlc.ev_app_protocol.known:
            await hlc.dlink_ready(True)


def main() -> int:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("device")
    parser.add_argument("--ac", action="store_true")
    parser.add_argument("--iso20", action="store_true", help="Evse15118D20 instead of EvseV2G")
    parser.add_argument("--trace", type=Path)
    arguments = parser.parse_args()
    log.set_up("INFO")
    manager = AcManager if arguments.ac else Manager
    return clock.run(serve(arguments.device, manager, arguments.trace, iso20=arguments.iso20))


if __name__ == "__main__":
    sys.exit(main())
