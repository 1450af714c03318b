"""A whole charger in memory with everything around it in reach, and a charger that can be started again."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import yaml

from chargebyte_fw.board.link.messages.charge_som import EstopState, RcmState
from chargebyte_fw.kernel import bus
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.kernel.scope import Scope
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.configuration.loading import load
from chargebyte_fw.manager.module_restarts import ModuleRestarts
from chargebyte_fw.manager.wire.carrier import Carrier
from chargebyte_fw.manager.wire.publisher import Publisher
from chargebyte_fw.modules.slac.machine.events import LinkUp
from chargebyte_fw.sim.car_models import PROTOCOLS, Model
from chargebyte_fw.sim.mcu_hardware import Hardware
from chargebyte_fw.sim.net import MemoryNet, Net
from chargebyte_fw.sim.world import CAR_MAC, RESET_LINE, SERIAL_PORT, MemoryWorld
from hil.drivers.plant import Mailbox
from hil.drivers.sim_line import DisturbedLine
from hil.drivers.sim_net import LineNet
from tests.soak.clients import MqttClients, RpcClient
from tests.soak.garble import GarbledNet
from tests.soak.life import Life
from tests.soak.vocabulary import KINDS

REPOSITORY = Path(__file__).parents[2]
BATTERY_KWH = 40.0
HLC_MODULES: dict[str, Any] = {
    "slac": {"module": "EvseSlac", "config_implementation": {"main": {"device": "eth1"}}},
    "evse_security": {"module": "EvseSecurity", "config_module": {"private_key_password": "123456"}},
    "iso15118_charger": {
        "module": "EvseV2G",
        "config_module": {"device": "eth1"},
        "connections": {"security": [{"module_id": "evse_security", "implementation_id": "main"}]},
    },
}
"""What the AC configuration needs besides for a car that speaks ISO 15118-2."""
Observer = Callable[[str, Any], None]


class Scene:
    """World and charger of one life. `observe(kind, what)` gets every event of the charger and of the car."""

    def __init__(self, life: Life, state: Path, observe: Observer) -> None:
        self.life = life
        self.state = state
        self.observe = observe
        self.chance = random.Random(f"scene {life.seed}")
        self.dc = life.kind in ("dc", "infypower")
        self.hlc = life.kind != "ac"
        self.mailbox = Mailbox()
        self.broker = MqttClients()
        self.runtime = Runtime(root=Root(REPOSITORY, state), mqtt=self.mailbox, random=random.Random(life.seed))
        self.runtime.wires.plug("websocket:8080", self._serve)
        self.rpc: RpcClient | None = None
        self._rpc_tasks: set[asyncio.Task[None]] = set()
        hardware = Hardware()
        hardware.estops[0] = EstopState.NOT_TRIPPED
        if "rcm" in life.board:
            hardware.rcm = RcmState.MONITORING
        if "no feedback" in life.board:
            hardware.contactors[0].has_feedback = False
        model = Model("iso2" if self.hlc else "basic", battery_kWh=BATTERY_KWH, soc_percent=30.0, demand_pause_s=0.5)
        self.world = MemoryWorld(
            self.runtime.wires, model, report=self._reported, seed=life.seed, hardware=hardware, over=self._over
        )
        self.line = DisturbedLine(self.runtime.wires.find(f"serial:{SERIAL_PORT}"), random.Random(life.seed))
        self.runtime.wires.plug(f"serial:{SERIAL_PORT}", self.line.charger_end)
        self._reset_line: Callable[[bool], None] = self.runtime.wires.find(f"gpio:{RESET_LINE}") or (lambda _: None)
        self.runtime.wires.plug(f"gpio:{RESET_LINE}", self._drive_reset_line)
        self._dark = False
        self._reset_high = True
        self.can: Any = self.runtime.wires.find("can:can0")
        self.number = 0
        """Which car it is: they count from 1."""
        self.plugged_by_script = False
        """Whether the car's script has not pulled the plug since it put it in."""
        self.forced_pp: int | None = None
        """What the proximity pilot shows whatever is plugged in."""
        self.supply_obeys_from_s = 0.0
        """The supply carries commands out from then on."""
        self.supply_is_late = asyncio.Event()
        self.capabilities: Any = None
        self.wall_jump = timedelta()
        self.foreign_lines: list[Any] = []
        self._calls: set[asyncio.Task[Any]] = set()
        self.world.pilot.on_change.append(self._hold_proximity)
        self.assembly: Assembly | None = None
        self.restarts: ModuleRestarts | None = None
        self.wire: Publisher | None = None
        self.starts = 0
        self._plans = self._load()

    def _over(self, net: Net) -> Net:
        assert isinstance(net, MemoryNet)
        self.foreign_net = MemoryNet(net._host)
        self.garbled = GarbledNet(net, random.Random(self.life.seed))
        self.net = LineNet(self.garbled)
        return self.net

    def _load(self) -> Any:
        name = KINDS[self.life.kind]
        modules: dict[str, Any] = {module_id: {"config_module": values} for module_id, values in self.life.keys.items()}
        if self.life.kind == "ac-hlc":
            connector = modules.setdefault("connector", {})
            connector.setdefault("config_module", {})["ac_hlc_enabled"] = True
            connector["connections"] = {
                "slac": [{"module_id": "slac", "implementation_id": "main"}],
                "hlc": [{"module_id": "iso15118_charger", "implementation_id": "charger"}],
            }
            modules |= HLC_MODULES
        if modules:
            overlay = self.state / "etc/everest/user-config" / name
            overlay.parent.mkdir(parents=True)
            overlay.write_text(yaml.safe_dump({"active_modules": modules}))
        return load(REPOSITORY / "etc/everest" / name, self.runtime.root, environment={}).require_sound().plans

    # -- the charger

    async def start(self) -> None:
        """Start the charger, the first time or again over the same files."""
        self.starts += 1
        self.mailbox.takers.clear()
        self.runtime.all_faults.clear()
        self.assembly = assembly = Assembly(self.runtime)
        assembly.build(self._plans)
        self.wire = Publisher(Carrier(self.broker, "everest/"))  # type: ignore[arg-type]
        self.wire.join(assembly)
        assembly.modules["connector"].evse.session_event.subscribe(self._session)  # type: ignore[attr-defined]
        await assembly.start(self.wire.announce_ready)
        wire = self.wire
        self.restarts = ModuleRestarts(assembly, ModuleLog("manager"), wire.adopt, wire.announce_to, wire.refuse_calls)
        self.restarts.begin()

    async def stop(self) -> None:
        """Stop the charger."""
        assembly, self.assembly = self.assembly, None
        if self.rpc is not None:
            self.rpc.leave()
            self.rpc = None
        restarts, self.restarts = self.restarts, None
        if restarts is not None:
            restarts.cancel()
        if assembly is not None:
            await assembly.stop()
        if restarts is not None:
            await restarts.closed()
        if self.wire is not None:
            self.wire.leave()
            self.wire = None

    def close(self) -> None:
        """Take the world away."""
        self.world.close()
        self.line.close()
        self.net.end()
        for task in (*self._rpc_tasks, *self._calls):
            task.cancel()

    def _serve(self, serve: Callable[[Any], Any]) -> None:
        self.rpc = RpcClient()
        task = asyncio.get_running_loop().create_task(serve(self.rpc), name="soak rpc")
        self._rpc_tasks.add(task)
        task.add_done_callback(self._rpc_ended)
        self.rpc.send_request("API.Hello")

    def _rpc_ended(self, task: asyncio.Task[None]) -> None:
        self._rpc_tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.observe("broken", f"the WebSocket server ends with {task.exception()!r}")

    def implementation(self, module_id: str, name: str = "main") -> Any:
        """Return a provider of the running charger."""
        assert self.assembly is not None
        return self.assembly.implementations[module_id, name]

    def module(self, module_id: str) -> Any:
        """Return a module of the running charger."""
        assert self.assembly is not None
        return self.assembly.modules[module_id]

    def books(self) -> list[Any]:
        """Return the fault books of the running charger."""
        return self.runtime.all_faults

    def _session(self, event: Any) -> None:
        self.observe("session", event)

    def command(self, name: str, payload: str) -> None:
        """Publish an integrator's command as any MQTT client."""
        for topic, take in tuple(self.mailbox.takers.items()):
            if topic == f"everest_api/connector/cmd/{name}":
                take(topic, payload)

    def call(self, module_id: str, implementation: str, name: str, *arguments: Any) -> None:
        """Call a command of a module as a backend does; its answer is not looked at."""
        if self.assembly is None:
            return
        face = bus.consumer(self.implementation(module_id, implementation), Scope(self._broken))
        task = asyncio.get_running_loop().create_task(self._called(getattr(face, name)(*arguments)))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def _called(self, call: Any) -> None:
        try:
            await call
        except CommandError as error:
            self.observe("refused", str(error))

    def _broken(self, error: BaseException) -> None:
        self.observe("broken", repr(error))

    # -- the board

    @property
    def controller_dark(self) -> bool:
        """Whether the safety controller is without power."""
        return self._dark

    @controller_dark.setter
    def controller_dark(self, dark: bool) -> None:
        self._dark = dark
        self._reset_line(False)
        if not dark:
            self._reset_line(self._reset_high)

    def _drive_reset_line(self, high: bool) -> None:
        self._reset_high = high
        if not self._dark:
            self._reset_line(high)

    def _hold_proximity(self) -> None:
        if self.forced_pp is not None:
            self.pilot.pp_code = self.forced_pp

    @property
    def board_is_watched(self) -> bool:
        """Whether the charger can see the plug at all."""
        line = self.line
        return not (line.is_cut or self._dark or line.noise_share or line.delay_s or self.assembly is None)

    # -- the car

    def drive(self, script: str, *, fresh: bool = False) -> None:
        """Let the car's script go on with this, or begin (`fresh`)."""
        if fresh or script.startswith("unplug"):
            self.plugged_by_script = False
        (self.world.car.run if fresh else self.world.car.replace)(script)

    def _reported(self, report: dict[str, Any]) -> None:
        if report.get("step") in ("plugged in", "unplugged"):
            self.plugged_by_script = report["step"] == "plugged in"
        self.observe("car", report)

    @property
    def pilot(self) -> Any:
        """The control pilot."""
        return self.world.pilot

    @property
    def hardware(self) -> Hardware:
        """What is wired to the safety controller."""
        return self.world.mcu.mcu.hardware

    def new_car(self) -> None:
        """Let another car stand at the charger; it is not plugged in."""
        self.number += 1
        mac = CAR_MAC[:4] + (256 + self.number).to_bytes(2, "big")
        car = self.world.car
        car.settings = msgspec.structs.replace(car.settings, evcc_id=mac, protocols=PROTOCOLS["iso2"])
        car.battery.soc_percent = 30.0
        car._v2g.session_id = bytes(8)
        car._slac._pump.feed(LinkUp(mac))

    @property
    def _stage(self) -> Any:
        """The simulated power stage, None where there is none, or none yet."""
        if self.life.kind != "dc" or self.assembly is None:
            return None
        pump = getattr(self.module("powersupply_dc"), "pump", None)
        return None if pump is None else pump.machine

    @property
    def supply_on(self) -> bool:
        """Whether the power supply's output is on."""
        if self.life.kind == "infypower":
            return any(module.on and module.powered for module in self.world.power_modules.modules)
        return self._stage is not None and self._stage.state.name in ("EXPORT", "IMPORT")

    @property
    def output_V(self) -> float:
        """Voltage at the power supply's output."""
        if self.life.kind == "infypower":
            return self.world.power_modules.voltage_V
        return 0.0 if self._stage is None else float(self._stage.voltage_V)

    @property
    def output_W(self) -> float:
        """Power at the power supply's output: what a silent car takes, too, whose own reading stands still."""
        if self.life.kind == "infypower":
            return self.world.power_modules.voltage_V * self.world.power_modules.current_A
        stage = self._stage
        return 0.0 if stage is None else float(stage.voltage_V * stage.current_A)

    @property
    def can_is_cut(self) -> bool:
        """Whether the supply cannot be reached."""
        return bool(self.can.plug.cut)

    @property
    def closed(self) -> bool:
        """Whether a contactor is closed that could open."""
        return any(one.closed and not one.welded for one in self.hardware.contactors)


def quiet_logs(observe: Observer) -> Callable[[], None]:
    """Let `observe` have each line of the product's log; returns what ends that."""
    logger = logging.getLogger("secc")
    handler = _Lines(observe)
    before = logger.level, logger.propagate, list(logger.handlers)
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False

    def restore() -> None:
        logger.level, logger.propagate = before[0], before[1]
        logger.handlers[:] = before[2]

    return restore


class _Lines(logging.Handler):
    def __init__(self, observe: Observer) -> None:
        super().__init__()
        self._observe = observe

    def emit(self, record: logging.LogRecord) -> None:
        self._observe("log", record)
