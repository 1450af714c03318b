"""Back ends by others for the charger's OCPP: `python -m tests.peers.csms --python VENV/bin/python --node FOLDER`.

The charger is a shipped configuration with all of its modules on a simulated board and car, in real time, connected
by a real socket to a CSMS that is a process of its own. A car charges and is stopped from the CSMS; another one
charges, loses the connection, is unplugged meanwhile, and the transaction arrives afterwards. Peers in strict mode
hold every frame against schemas of their own. Prints one line for each peer and version, `passed` or why not; exit
status 1 then.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from chargebyte_fw.kernel import clock
from chargebyte_fw.sim.car_models import Model
from tests.peers import csms_calls
from tests.peers.csms_link import Peer, Relay
from tests.peers.csms_security import Security
from tests.peers.josev import Failed
from tests.session.plant import Plant

HERE = Path(__file__).parent
OFFLINE_S = 5.0
PYPI_MISSING = "not run: it could not be installed from PyPI"
NODE_MISSING = "not run: Node.js 17 or newer with npm, and its registry, are needed: apt-get install nodejs npm"


@dataclass(frozen=True, slots=True)
class Case:
    """One peer and one version."""

    peer: str
    version: str
    security_profile: int

    @property
    def name(self) -> str:
        return f"{self.peer}, OCPP {self.version}, security profile {self.security_profile}"


CASES = (
    Case("ocpp-csms", "1.6", 0),
    Case("ocpp-csms", "1.6", 2),
    Case("ocpp-rpc", "1.6", 1),
    Case("ocpp-rpc", "1.6", 3),
    Case("ocpp-rpc", "2.0.1", 3),
    Case("ocpp-ws-io", "2.1", 2),
    Case("arthexis", "1.6", 1),
    Case("arthexis", "2.0.1", 1),
    Case("ocpp-broker", "1.6", 0),
)


class Session16:
    """How transactions look in 1.6."""

    calls = csms_calls.CALLS_16

    def __init__(self, peer: Peer) -> None:
        self.peer = peer

    async def started(self) -> Any:
        """Return the id of the transaction that has begun."""
        payload, response = await self.peer.received("StartTransaction")
        if (payload["connectorId"], payload["idTag"]) != (1, "DEADBEEF"):
            raise Failed(f"StartTransaction has {payload}")
        return response["transactionId"]

    async def metered(self, transaction: Any) -> None:
        await self.peer.received("MeterValues", transactionId=transaction)

    async def stop(self, transaction: Any) -> dict[str, Any]:
        return await self.peer.call("RemoteStopTransaction", {"transactionId": transaction})

    async def ended(self, transaction: Any, reason: str) -> None:
        await self.peer.received("StopTransaction", transactionId=transaction, reason=reason)


class Session2:
    """How transactions look in 2.0.1 and 2.1."""

    calls = csms_calls.CALLS_2

    def __init__(self, peer: Peer) -> None:
        self.peer = peer

    async def started(self) -> Any:
        def begun() -> list[Any]:
            events = self.peer.payloads("TransactionEvent")
            over = {one["transactionInfo"]["transactionId"] for one in events if one["eventType"] == "Ended"}
            ids = [one["transactionInfo"]["transactionId"] for one in events if one["eventType"] == "Started"]
            return [one for one in ids if one not in over]

        await self.peer.until(begun, "TransactionEvent Started")
        return begun()[-1]

    def _events(self, transaction: Any) -> list[dict[str, Any]]:
        events = self.peer.payloads("TransactionEvent")
        return [one for one in events if one["transactionInfo"]["transactionId"] == transaction]

    async def metered(self, transaction: Any) -> None:
        def found() -> bool:
            return any(one["eventType"] == "Updated" and "meterValue" in one for one in self._events(transaction))

        await self.peer.until(found, "TransactionEvent with meter values")

    async def stop(self, transaction: Any) -> dict[str, Any]:
        return await self.peer.call("RequestStopTransaction", {"transactionId": transaction})

    async def ended(self, transaction: Any, reason: str) -> None:
        await self.peer.until(lambda: self._events(transaction)[-1]["eventType"] == "Ended", "TransactionEvent Ended")
        events = self._events(transaction)
        if [one["seqNo"] for one in events] != list(range(len(events))):
            raise Failed(f"sequence numbers {[one['seqNo'] for one in events]}")
        if (found := events[-1]["transactionInfo"].get("stoppedReason")) != reason:
            raise Failed(f"stoppedReason {found}, not {reason}")


async def judges(peer: Peer, case: Case, security: Security) -> None:
    """Raise Failed unless the peer refuses a wrong frame and a stranger: else its approval is worth nothing."""
    subprotocols = [Subprotocol(f"ocpp{case.version}")]
    url = security.url(peer.port)
    try:
        async with connect(url, subprotocols=subprotocols, proxy=None, **security.of_stranger()) as socket:
            # With TLS 1.3 a missing certificate is refused after the handshake.
            await socket.ping()
            await asyncio.wait_for(socket.recv(), 0.3)
    except TimeoutError:
        if case.security_profile:
            raise Failed("it lets anybody in") from None
    except (WebSocketException, OSError, EOFError):
        peer.refused.clear()
    async with connect(url, subprotocols=subprotocols, proxy=None, **security.of_station()) as socket:
        await socket.send('[2,"1","BootNotification",{"chargePointVendor":1}]')
        answer = json.loads(await socket.recv())
    await asyncio.sleep(0.2)
    if answer[0] != 4 or not peer.refused:
        raise Failed(f"it judges nothing: a wrong frame was answered with {answer}")
    peer.refused.clear()


async def session(plant: Plant, peer: Peer, relay: Relay, version: str) -> None:
    """Two cars; raises Failed."""
    of: Session16 | Session2 = Session16(peer) if version == "1.6" else Session2(peer)
    await peer.received("BootNotification")
    await peer.until(lambda: peer.payloads("StatusNotification"), "StatusNotification")
    for action, payload, wanted in of.calls:
        answer = await peer.call(action, payload)
        if wanted not in str(answer):
            raise Failed(f"{action} was answered with {answer}")
    await plant.charging()
    transaction = await of.started()
    await of.metered(transaction)
    if (await of.stop(transaction))["status"] != "Accepted":
        raise Failed("the remote stop was not accepted")
    await of.ended(transaction, "Remote")
    await unplug(plant)

    await plant.charging()
    transaction = await of.started()
    await relay.cut()
    await asyncio.sleep(OFFLINE_S)
    if plant.world.car.inlet.power_W <= 0:
        raise Failed("the car does not charge without the CSMS")
    await unplug(plant)
    await relay.open()
    await of.ended(transaction, "EVDisconnected")
    # Whatever the peer still refuses.
    await asyncio.sleep(1)
    if peer.refused:
        raise Failed(f"refused {peer.refused[0]}")
    if peer.payloads("BootNotification"):
        raise Failed("booted again after the outage")


async def unplug(plant: Plant) -> None:
    """Pull the plug and wait until the charger is ready for the next car."""
    plant.world.car.replace("unplug")
    await asyncio.sleep(3)


async def run(case: Case, command: list[str], logs: Path, environment: dict[str, str]) -> set[str]:
    """Run one case; returns the actions that the peer has not, raises Failed."""
    log = logs / case.name.replace(", ", "-").replace(" ", "-")
    with tempfile.TemporaryDirectory(prefix="secc-csms-") as folder:
        security = Security(case.security_profile, Path(folder) / "peer")
        whole = [*command, str(case.security_profile), security.password, str(security.folder)]
        peer = await Peer.start(whole, log.with_name(f"{log.name}.err"), **environment)
        relay = Relay(peer.port)
        try:
            await judges(peer, case, security)
            await relay.open()
            state = Path(folder) / "charger"
            configuration = security.configure(state, case.version, relay.port)
            plant = Plant(state, Model("basic", battery_kWh=60.0, soc_percent=10), configuration=configuration)
            plant.settle_s = 2.0
            async with plant:
                await session(plant, peer, relay, case.version)
                if traces := plant.tracebacks():
                    raise Failed(f"the charger's log has a traceback: {traces[0]}")
            return peer.unknown
        finally:
            await relay.cut()
            await peer.stop(log.with_name(f"{log.name}.lines"))


def attempt(case: Case, pythons: dict[str, str], node: Path | None, logs: Path) -> bool:
    """Run a case, print its line, return whether it passed."""
    environment = dict(os.environ)
    python = pythons.get(case.peer, "")
    if case.peer == "ocpp-csms":
        command = [python, str(HERE / "csms_python.py")]
    elif case.peer in ("arthexis", "ocpp-broker"):
        if not python:
            print(f"{case.name}: {PYPI_MISSING}", flush=True)
            return False
        command = [sys.executable, str(HERE / "csms_wire.py"), case.peer, python, case.version]
    elif node is None or shutil.which("node") is None:
        print(f"{case.name}: {NODE_MISSING}", flush=True)
        return False
    else:
        command = ["node", str(HERE / "csms_node.js"), case.peer, case.version]
        environment["NODE_PATH"] = str(node / "node_modules")
    try:
        unknown = clock.run(run(case, command, logs, environment))
    except (Failed, AssertionError, OSError, WebSocketException) as why:
        print(f"{case.name}: {why or type(why).__name__}", flush=True)
        return False
    without = f" (it has no {', '.join(sorted(unknown))})" if unknown else ""
    print(f"{case.name}: passed{without}", flush=True)
    return True


def main() -> int:
    """Run the cases one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", required=True, help="an interpreter with ocpp-csms in its environment")
    parser.add_argument("--arthexis", default="", help="an interpreter with arthexis in its environment")
    parser.add_argument("--broker", default="", help="an interpreter with ocpp-broker in its environment")
    parser.add_argument("--node", type=Path, default=None, help="a folder where npm installed ocpp-rpc and ocpp-ws-io")
    parser.add_argument("--logs", type=Path, default=None, help="where the logs go (default: thrown away)")
    parser.add_argument("--only", default="", help="run only cases whose name contains this")
    arguments = parser.parse_args()
    pythons = {"ocpp-csms": arguments.python, "arthexis": arguments.arthexis, "ocpp-broker": arguments.broker}
    status = 0
    with tempfile.TemporaryDirectory() as thrown_away:
        logs: Path = arguments.logs or Path(thrown_away)
        logs.mkdir(parents=True, exist_ok=True)
        for case in CASES:
            if arguments.only in case.name:
                status |= not attempt(case, pythons, arguments.node, logs)
    return status


if __name__ == "__main__":
    sys.exit(main())
