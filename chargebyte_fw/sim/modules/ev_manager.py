"""EvManager: the car at a charger, driven by scripts of EVerest's commands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from chargebyte_fw.contracts.interfaces.car_simulator import CarSimulator
from chargebyte_fw.contracts.interfaces.ev_board_support import EvBoardSupport
from chargebyte_fw.contracts.interfaces.ev_manager import EvManager as EvManagerContract
from chargebyte_fw.contracts.interfaces.ev_slac import EvSlac
from chargebyte_fw.contracts.interfaces.iso15118_ev import Iso15118Ev
from chargebyte_fw.contracts.interfaces.kvs import Kvs
from chargebyte_fw.contracts.interfaces.powermeter import Powermeter
from chargebyte_fw.contracts.types.board_support_common import BspEvent, BspEventEvent, BspMeasurement
from chargebyte_fw.contracts.types.evse_manager import EVInfo
from chargebyte_fw.contracts.types.iso15118 import AcTargetPower
from chargebyte_fw.contracts.types.powermeter import Powermeter as MeterValue
from chargebyte_fw.contracts.types.slac import State
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.module import Module, provides, requires, requires_optional
from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.kernel.rate_limited_log import RateLimitedLog
from chargebyte_fw.sim import car_events as car
from chargebyte_fw.sim.battery import Battery
from chargebyte_fw.sim.car_script import Plug, ScriptRunner
from chargebyte_fw.sim.modules.ev_config import EvConfig
from chargebyte_fw.sim.modules.ev_orders import Orders
from chargebyte_fw.sim.script import ScriptError, parse

TICK_S = 1.0
"""Period in which the state of charge is counted on."""
SOC_STEP_PERCENT = 0.01
PLUG_COMMANDS = ("iec_wait_pwr_ready", "iso_wait_slac_matched")
"""With these a script plugs in; the last one is kept over a new start."""


class _Simulator(CarSimulator):
    """The scripts."""

    module: EvManager

    async def enable(self, value: bool) -> None:
        """Bring a car, or take it away."""
        self.module.enable(value)

    async def execute_charging_session(self, value: str) -> None:
        """Run a script of commands separated by semicolons."""
        self.module.execute(value)


class _Manager(EvManagerContract):
    """What the car sees and is."""


class EvManager(Module):
    """A car that runs scripts of EVerest's commands at a charger.

    `everest_external/nodered/<connector_id>/carsim/cmd/` takes `enable`, `execute_charging_session` and
    `modify_charging_session`.
    """

    Config = EvConfig
    enable_external_mqtt = True

    config: EvConfig
    main = provides(_Simulator, description="Runs scripts.")
    ev_manager = provides(_Manager, description="What the car sees and is.")
    ev_board_support = requires(EvBoardSupport)
    ev = requires_optional(Iso15118Ev)
    slac = requires_optional(EvSlac)
    powermeter = requires_optional(Powermeter)
    kvs = requires_optional(Kvs)

    async def init(self) -> None:
        """Build the car and subscribe to all that it sees."""
        config = self.config
        self.enabled = False
        self.battery = Battery(capacity_Wh=config.dc_energy_capacity, soc_percent=config.soc)
        self._mode = ""
        self._counted_s = asyncio.get_running_loop().time()
        self._reported_percent = -1.0
        self._metered_W: float | None = None
        self._power = car.Power(0.0)
        self._timer: asyncio.TimerHandle | None = None
        self._refused = RateLimitedLog(self.log)
        self.orders = Orders(self, config, self.ev_board_support, self.slac, self.ev, self._keep_plug)
        self.runner = ScriptRunner(
            config.plugin_commands,
            departure_s=config.departure_time,
            energy_Wh=config.e_amount,
            real_plug=True,
            stays=True,
            matches_at_plug=True,
        )
        self.runner.soc_percent = config.soc
        self.pump = Pump(self.runner, self._act, self.crash)
        self._subscribe()

    def _subscribe(self) -> None:
        board = self.ev_board_support
        board.bsp_event.subscribe(self._on_event)
        board.bsp_measurement.subscribe(self._on_measurement)
        board.ev_info.subscribe(self.ev_manager.ev_info.publish)
        if self.slac is not None:
            self.slac.state.subscribe(lambda state: self.pump.feed(car.SlacReported(state is State.MATCHED)))
        if self.powermeter is not None:
            self.powermeter.powermeter.subscribe(self._on_meter)
        if self.ev is not None:
            self._follow_stack(self.ev)
        before = f"everest_external/nodered/{self.config.connector_id}/carsim/cmd/"
        take = self.runtime.mqtt.subscribe
        self._stops: list[Callable[[], None]] = [
            take(before + "enable", lambda _, payload: self.enable(payload == "true")),
            take(before + "execute_charging_session", lambda _, payload: self.execute(payload)),
            take(before + "modify_charging_session", lambda _, payload: self.modify(payload)),
        ]

    def _follow_stack(self, ev: Iso15118Ev) -> None:
        def news(variable: Any, one: car.Hlc) -> None:
            variable.subscribe(lambda _: self.pump.feed(car.HlcReported(one)), replay=False)

        news(ev.dc_power_on, car.Hlc.DC_POWER_ON)
        news(ev.stop_from_charger, car.Hlc.STOP_FROM_CHARGER)
        news(ev.pause_from_charger, car.Hlc.PAUSE_FROM_CHARGER)
        news(ev.v2g_session_finished, car.Hlc.FINISHED)
        ev.v2g_session_finished.subscribe(lambda _: self.orders.limit(None), replay=False)
        ev.ev_power_ready.subscribe(self._on_power_ready, replay=False)
        ev.ac_evse_max_current.subscribe(self.orders.limit, replay=False)
        ev.ac_evse_target_power.subscribe(self._on_target_power, replay=False)

    async def ready(self) -> None:
        """Bring the car where the configuration has it there from the start."""
        self.main.enabled.publish(False)
        self._report_soc()
        if self.config.auto_enable:
            self.enable(True)
        command = await self._kept_plug()
        if self.enabled and command:
            self.execute(command)
        elif self.enabled and self.config.auto_exec:
            self.execute(self.config.auto_exec_commands)

    async def stop(self) -> None:
        """Take the car away."""
        for stop in self._stops:
            stop()
        self._refused.close()
        if self._timer is not None:
            self._timer.cancel()
        self.pump.close()
        self.orders.close()

    # Scripts.

    def enable(self, enabled: bool) -> None:
        """Bring a car, or take it away; what is so already is not done again."""
        if enabled is self.enabled:
            return
        self.enabled = enabled
        self.main.enabled.publish(enabled)
        if enabled:
            self.orders.begin()
        else:
            self._run(car.Replace, "unplug")
            self.orders.end()

    def execute(self, script: str) -> None:
        """Run a script with a car that is unplugged; refused while there is no car or a script runs."""
        if not self.enabled or self.runner.running:
            reason = "a script is running" if self.enabled else "the simulation is not enabled"
            self._refused.write("refuses to begin a script: %s", reason)
            return
        self._run(car.Run, script)

    def modify(self, script: str) -> None:
        """Go on with another script from where the car is."""
        if not self.enabled:
            self._refused.write("refuses to change the script: the simulation is not enabled")
            return
        self._run(car.Replace, script)

    def _run(self, event: Callable[[tuple[Any, ...]], Any], script: str) -> None:
        try:
            commands = parse(script)
        except ScriptError as error:
            self._refused.write("refuses a script: %s", error)
            return
        self.pump.feed(event(tuple(commands)))

    def _act(self, effect: Any) -> None:
        match effect:
            case car.SetSoc(percent):
                self.battery.soc_percent = percent
                self._report_soc()
            case car.Ended():
                self.log.info("the script is at its end")
                if self.config.auto_exec and self.config.auto_exec_infinite and self.enabled:
                    self.after(0.0, partial(self.execute, self.config.auto_exec_commands))
                return
            case car.StartV2g(mode):
                self._mode = mode
            case car.DropV2g():
                self._mode = ""
            case car.Power():
                self._count()
                self._power = effect
        self.orders.act(effect)
        if self._timer is None and self._power_W():
            self._timer = self.after(TICK_S, self._tick)

    # What the car sees.

    def _on_event(self, event: BspEvent) -> None:
        self.ev_manager.bsp_event.publish(event)
        if event.event is BspEventEvent.Disconnected:
            if self.runner.state is not Plug.UNPLUGGED:
                self.log.info("the plug was pulled: the script ends")
                self._run(car.Replace, "unplug")
        elif event.event not in (BspEventEvent.PowerOn, BspEventEvent.PowerOff):
            self.pump.feed(car.InletSeen(event.event is BspEventEvent.A))

    def _on_measurement(self, value: BspMeasurement) -> None:
        if value.cp_pwm_duty_cycle != self.runner.duty_percent:
            self.pump.feed(car.DutySeen(value.cp_pwm_duty_cycle))

    def _on_power_ready(self, ready: bool) -> None:
        self.pump.feed(car.HlcReported(car.Hlc.POWER_READY if ready else car.Hlc.POWER_OFF))

    def _on_target_power(self, target: AcTargetPower) -> None:
        if target.target_active_power is not None:
            phases = 3 if target.target_active_power_L2 is None and self.config.three_phases else 1
            self.orders.limit(max(0.0, target.target_active_power / (self.config.ac_nominal_voltage * phases)))

    def _on_meter(self, value: MeterValue) -> None:
        self._metered_W = None if value.power_W is None else value.power_W.total

    # The battery.

    def _power_W(self) -> float:
        config, state = self.config, self.runner.state
        if state not in (Plug.CHARGING_REGULATED, Plug.CHARGING_FIXED, Plug.ISO_CHARGING_REGULATED):
            return 0.0
        if self._metered_W is not None:
            return self._metered_W
        if self._mode == "dc":
            return float(config.dc_target_voltage * config.dc_target_current)
        return config.ac_nominal_voltage * self._power.current_A * self._power.phases

    def _count(self) -> None:
        now = asyncio.get_running_loop().time()
        self.battery.draw(self._power_W(), now - self._counted_s)
        self._counted_s = now

    def _tick(self) -> None:
        self._count()
        self._timer = self.after(TICK_S, self._tick) if self._power_W() else None
        if abs(self.battery.soc_percent - self._reported_percent) >= SOC_STEP_PERCENT:
            self._report_soc()

    def _report_soc(self) -> None:
        percent = self._reported_percent = self.battery.soc_percent
        self.orders.soc(percent)
        self.ev_manager.ev_info.publish(EVInfo(soc=percent, battery_capacity=self.battery.capacity_Wh))
        self.pump.feed(car.SocSeen(percent))

    # The plug over a new start.

    def _key(self, what: str) -> str:
        return f"{self.module_name()}_{self.id}_simulated_{what}"

    def _keep_plug(self, plugged: bool) -> None:
        if self.kvs is None or not self.config.keep_cross_boot_plugin_state:
            return
        command = self.runner.queue[0].name if self.runner.queue else ""
        if plugged and command not in PLUG_COMMANDS:
            return
        self.spawn(self._store_plug(self.kvs, plugged, command), "plug")

    async def _store_plug(self, kvs: Kvs, plugged: bool, command: str) -> None:
        try:
            await kvs.store(self._key("already_plugged_in"), plugged)
            if plugged:
                await kvs.store(self._key("plugged_in_command"), command)
        except CommandError as error:
            self._refused.write("cannot keep whether the car is plugged in: %s", error)

    async def _kept_plug(self) -> str:
        """Return the command that plugs in, where the car was plugged in before the start."""
        if self.kvs is None or not self.config.keep_cross_boot_plugin_state:
            return ""
        try:
            if await self.kvs.load(self._key("already_plugged_in")) is not True:
                return ""
            command = await self.kvs.load(self._key("plugged_in_command"))
        except CommandError as error:
            self._refused.write("cannot read whether the car was plugged in: %s", error)
            return ""
        return command if command in PLUG_COMMANDS else PLUG_COMMANDS[0]
