"""The machine that runs a car's script: EvManager's command language, a command at a time, until one has to wait.

Rules of the pilot (IEC 61851-1, table 8) and of the script live here; SLAC and V2G are others' machines, spoken to by
effects. Every 250 ms, and whenever something changes, the script goes on as far as it can.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Any

from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.sim import car_events as car
from chargebyte_fw.sim.script import Command, parse

TICK_S = 0.25
MAX_BCB_TOGGLES = 3
RESUME_BY_CHARGER = (
    "pause;iso_wait_v2g_session_stopped;sleep 2;iso_wait_pwm_is_running;iso_start_v2g_session {mode};"
    "iso_wait_pwr_ready;iso_wait_for_stop 36000"
)
"""What a car does when the charger asks for a pause in the middle of a charge."""


class Plug(Enum):
    """What the car is doing at its inlet."""

    UNPLUGGED = auto()
    PLUGGED_IN = auto()
    CHARGING_REGULATED = auto()
    """Draws what the pilot allows, and nothing without PWM."""
    CHARGING_FIXED = auto()
    """Draws regardless of the pilot (breaks the rule on purpose)."""
    ERROR_E = auto()
    DIODE_FAIL = auto()
    ISO_POWER_READY = auto()
    ISO_CHARGING_REGULATED = auto()
    BCB_TOGGLE = auto()


class ScriptRunner(Machine):
    """Runs a script against what the car sees. `state` is what hangs on the pilot, `queue` what is still to do.

    Rows hold in every state and commands of the script enter any: a script may do what no car does.
    """

    initial = Plug.UNPLUGGED

    def __init__(
        self,
        plugin_commands: str = "",
        *,
        departure_s: float = 86_400.0,
        energy_Wh: float = 0.0,
        real_plug: bool = False,
        stays: bool = False,
        matches_at_plug: bool = False,
    ) -> None:
        """`departure_s` and `energy_Wh` hold for a V2G session whose command has none.

        `stays`: as in EVerest, a script that waits for power, or for a stop, goes on waiting when the V2G session
        ends, and the car stays plugged in.

        `matches_at_plug`: as in EVerest, the match begins with the plug; otherwise the car waits for the charger's PWM,
        which a charger of AC without 5 % has not before the authorization.

        `real_plug`: a person plugs in, which `wait_for_real_plugin` waits for; otherwise the script does it itself.
        """
        super().__init__()
        self._stays = stays
        self._matches_at_plug = matches_at_plug
        self.plugin_commands = plugin_commands
        self._departure_s, self._energy_Wh = departure_s, energy_Wh
        self._real_plug = real_plug
        self._inlet_empty = False
        self.running = False
        self.queue: list[Command] = []
        self.duty_percent = 100.0
        self.soc_percent = 0.0
        self._out: list[Any] = []
        self._hung = car.Hang("A")
        self._power = car.Power(0.0)
        self._limit = (16.0, 3)
        self._mode = ""
        self._step = 0
        self._until_s: float | None = None
        self._matched = False
        self._news: set[car.Hlc] = set()
        self._interrupted = False
        """The power was taken off in a V2G session that goes on: it may come again, with other services."""

    @on(event=car.Run, to=tuple(Plug))
    def begins(self, event: car.Run, now: float) -> list[Any]:
        """Begin a script with a car that is unplugged."""
        self.enter(Plug.UNPLUGGED)
        self._out.append(car.DropV2g())
        self._forget_session()
        return self._take(event.commands, now)

    @on(event=car.Replace, to=tuple(Plug))
    def goes_on_with(self, event: car.Replace, now: float) -> list[Any]:
        """Run other commands from where the car is."""
        return self._take(event.commands, now)

    @on(event=car.DutySeen, to=tuple(Plug))
    def sees_duty(self, event: car.DutySeen, now: float) -> list[Any]:
        """Note the duty cycle; 0 V and -12 V begin the match anew."""
        ran, self.duty_percent = self._pwm_runs(), event.percent
        waits = bool(self.queue) and self.queue[0].name == "iso_wait_slac_matched"
        if waits and (event.percent <= 0.0 or self._pwm_runs() > ran):
            self._step = 0  # the charger asks by E or F for a new match (ISO 15118-3 A.9.6), or is ready for one now
        return self._go(now)

    @on(event=car.InletSeen, to=tuple(Plug))
    def sees_inlet(self, event: car.InletSeen, now: float) -> list[Any]:
        """Note whether the board reports state A: it is ready for a plug that a person puts in."""
        self._inlet_empty = event.empty
        return self._go(now)

    @on(event=car.SocSeen, to=tuple(Plug))
    def sees_soc(self, event: car.SocSeen, now: float) -> list[Any]:
        """Note the state of charge, for the commands that wait for it."""
        self.soc_percent = event.percent
        waits = ("wait_for_soc", "wait_for_soc_below")
        return self._go(now) if self.queue and self.queue[0].name in waits else []

    @on(event=car.SlacReported, to=tuple(Plug))
    def slac_reports(self, event: car.SlacReported, now: float) -> list[Any]:
        """Note whether the car is in the charger's network."""
        self._matched = event.matched
        return self._go(now)

    @on(event=car.HlcReported, to=tuple(Plug))
    def hlc_reports(self, event: car.HlcReported, now: float) -> list[Any]:
        """Note the step of the V2G session; S2 closes and opens with it."""
        self._news.add(event.news)
        charging = self.state in (Plug.ISO_POWER_READY, Plug.ISO_CHARGING_REGULATED)
        if event.news in (car.Hlc.POWER_OFF, car.Hlc.FINISHED):
            self._interrupted = event.news is car.Hlc.POWER_OFF and charging
            if charging:
                self.enter(Plug.PLUGGED_IN)
        if event.news is car.Hlc.POWER_READY and self._interrupted and self.state is Plug.PLUGGED_IN:
            self.enter(Plug.ISO_POWER_READY)
        if event.news is car.Hlc.DC_POWER_ON and self.state is Plug.ISO_POWER_READY:
            self.enter(Plug.ISO_CHARGING_REGULATED)
        return self._go(now)

    @on(timer="tick", to=tuple(Plug))
    def ticks(self, now: float) -> list[Any]:
        """Go on with a command that waits."""
        return self._go(now)

    def _take(self, commands: tuple[Command, ...], now: float) -> list[Any]:
        self.queue = list(commands)
        self.running = True
        self._step, self._until_s = 0, None
        return self._go(now)

    def _go(self, now: float) -> list[Any]:
        """Run commands until one blocks, then bring pilot and power in line with what the car is doing."""
        while self.queue:
            command = self.queue[0]
            done = _COMMANDS[command.name](self, command, now)
            self._settle()
            if not done:
                break
            if self.queue and self.queue[0] is command:
                self.queue.pop(0)
            self._step, self._until_s = 0, None
        self._settle()
        if self.running and not self.queue:
            self.running = False
            self._out.append(car.Ended())
        if self.queue:
            self.start("tick", now + TICK_S)
        else:
            self.stop("tick")
        out, self._out = self._out, []
        return out

    def _settle(self) -> None:
        hang = self._wanted_pilot()
        if hang != self._hung:
            self._hung = hang
            self._out.append(hang)
        power = self._wanted_power()
        if power != self._power:
            self._power = power
            self._out.append(power)

    def _wanted_pilot(self) -> car.Hang:
        match self.state:
            case Plug.UNPLUGGED:
                return car.Hang("A")
            case Plug.CHARGING_REGULATED:
                return car.Hang("C" if self._pwm_allows_power() else "B")
            case Plug.CHARGING_FIXED | Plug.ISO_POWER_READY | Plug.ISO_CHARGING_REGULATED:
                return car.Hang("C")
            case Plug.ERROR_E:
                return car.Hang("E")
            case Plug.DIODE_FAIL:
                return car.Hang(self._hung.cp_state, diode_ok=False)
            case Plug.BCB_TOGGLE:
                return car.Hang("C" if self._step % 2 else "B")
        return car.Hang("B")

    def _wanted_power(self) -> car.Power:
        drawing = self.state in (Plug.CHARGING_FIXED, Plug.ISO_CHARGING_REGULATED)
        drawing = drawing or (self.state is Plug.CHARGING_REGULATED and self._pwm_allows_power())
        return car.Power(*self._limit) if drawing else car.Power(0.0)

    def _pwm_allows_power(self) -> bool:
        return 7.0 < self.duty_percent < 97.0

    def _forget_session(self) -> None:
        self._news.clear()
        self._interrupted = False
        self._matched = False

    # The commands: each returns whether it is done.

    def _sleep(self, command: Command, now: float) -> bool:
        if self._until_s is None:
            self._until_s = now + command.number(0)
        return now >= self._until_s

    def _iec_wait_pwr_ready(self, _command: Command, _now: float) -> bool:
        self.enter(Plug.PLUGGED_IN)
        return self._pwm_allows_power()

    def _iso_wait_pwm_is_running(self, _command: Command, _now: float) -> bool:
        self.enter(Plug.PLUGGED_IN)
        return 4.0 < self.duty_percent < 97.0

    def _draw(self, command: Command, state: Plug) -> bool:
        self._limit = (command.number(0), 3 if command.arguments[1] == "3" else 1)
        self.enter(state)
        return True

    def _draw_power_regulated(self, command: Command, _now: float) -> bool:
        return self._draw(command, Plug.CHARGING_REGULATED)

    def _draw_power_fixed(self, command: Command, _now: float) -> bool:
        return self._draw(command, Plug.CHARGING_FIXED)

    def _iso_draw_power_regulated(self, command: Command, _now: float) -> bool:
        return self._draw(command, Plug.ISO_CHARGING_REGULATED)

    def _pause(self, _command: Command, _now: float) -> bool:
        self.enter(Plug.PLUGGED_IN)
        return True

    def _unplug(self, _command: Command, _now: float) -> bool:
        self.enter(Plug.UNPLUGGED)
        self._mode = ""
        self._forget_session()
        self._out.append(car.DropV2g())
        return True

    def _error_e(self, _command: Command, _now: float) -> bool:
        self.enter(Plug.ERROR_E)
        return True

    def _diode_fail(self, _command: Command, _now: float) -> bool:
        self.enter(Plug.DIODE_FAIL)
        return True

    def _rcd_current(self, command: Command, _now: float) -> bool:
        self._out.append(car.Leak(command.number(0)))
        return True

    def _wait_for_real_plugin(self, _command: Command, _now: float) -> bool:
        return self._inlet_empty or not self._real_plug

    def _plugin(self, _command: Command, _now: float) -> bool:
        if self.plugin_commands:
            self.queue[:] = parse(self.plugin_commands)
        else:
            self._out.append(car.Log("no plugin_commands are set: going on with the script"))
        return True

    def _set_soc(self, command: Command, _now: float) -> bool:
        self._out.append(car.SetSoc(min(100.0, max(0.0, command.number(0)))))
        return True

    def _wait_for_soc(self, command: Command, _now: float) -> bool:
        # A session that the charger ends early must not leave the car waiting for energy that never comes.
        return self.soc_percent >= command.number(0) or car.Hlc.FINISHED in self._news

    def _wait_for_soc_below(self, command: Command, _now: float) -> bool:
        return self.soc_percent <= command.number(0) or car.Hlc.FINISHED in self._news

    def _pwm_runs(self) -> bool:
        return 3.0 < self.duty_percent < 97.0

    def _iso_wait_slac_matched(self, _command: Command, _now: float) -> bool:
        self.enter(Plug.PLUGGED_IN)
        if self._step == 0 and (self._pwm_runs() or (self._matches_at_plug and self.duty_percent > 0.0)):
            self._step = 1
            self._out.append(car.Match())
        return self._matched

    def _iso_start_v2g_session(self, command: Command, _now: float) -> bool:
        start = self._v2g_session(command)
        if start is None:
            return False
        self._mode = start.mode
        self._news.clear()
        self._interrupted = False
        self._out.append(start)
        return True

    def _iso_wait_pwr_ready(self, _command: Command, _now: float) -> bool:
        if car.Hlc.POWER_READY in self._news:
            charging = car.Hlc.DC_POWER_ON in self._news
            self.enter(Plug.ISO_CHARGING_REGULATED if charging else Plug.ISO_POWER_READY)
            return True
        return car.Hlc.FINISHED in self._news and not self._stays

    def _iso_dc_power_on(self, _command: Command, now: float) -> bool:
        if self.state is not Plug.ISO_CHARGING_REGULATED:
            self.enter(Plug.ISO_POWER_READY)
        if car.Hlc.DC_POWER_ON in self._news:
            self.enter(Plug.ISO_CHARGING_REGULATED)
            return True
        return self._paused_by_charger(now) or car.Hlc.FINISHED in self._news

    def _iso_stop_charging(self, _command: Command, _now: float) -> bool:
        # S2 opens when the V2G stack reports that the current is down (IEC 61851-23: never under load).
        self._out.append(car.StopV2g())
        return True

    def _iso_wait_for_stop(self, command: Command, now: float) -> bool:
        if self._until_s is None:
            self._until_s = now + command.number(0)
        if self._paused_by_charger(now):
            return True
        if car.Hlc.STOP_FROM_CHARGER in self._news or (car.Hlc.FINISHED in self._news and not self._stays):
            return True
        if now >= self._until_s:
            self._out.append(car.StopV2g())
            return True
        return False

    def _iso_wait_v2g_session_stopped(self, _command: Command, _now: float) -> bool:
        return car.Hlc.FINISHED in self._news

    def _iso_renegotiate(self, _command: Command, _now: float) -> bool:
        return self._renegotiate(services=False)

    def _iso_renegotiate_services(self, _command: Command, _now: float) -> bool:
        return self._renegotiate(services=True)

    def _renegotiate(self, *, services: bool) -> bool:
        if self._step == 0:
            self._step = 1
            self._news -= {car.Hlc.POWER_READY, car.Hlc.DC_POWER_ON, car.Hlc.CHARGING}
            self._out.append(car.Renegotiate(services))
        if car.Hlc.FINISHED in self._news:
            return True
        charging = bool(self._news & {car.Hlc.DC_POWER_ON, car.Hlc.CHARGING})
        # Other services begin with the power off: S2 opens before them and closes with the cable check.
        if self.state is Plug.PLUGGED_IN and car.Hlc.POWER_READY in self._news:
            self.enter(Plug.ISO_POWER_READY)
        if charging and self.state is Plug.ISO_POWER_READY:
            self.enter(Plug.ISO_CHARGING_REGULATED)
        return charging

    def _iso_standby(self, command: Command, _now: float) -> bool:
        self._out.append(car.Standby(command.arguments[0] == "on"))
        return True

    def _discharge(self, command: Command, _now: float) -> bool:
        self._out.append(car.Discharge(max(0.0, command.number(0))))
        return True

    def _misbehave(self, command: Command, _now: float) -> bool:
        self._out.append(car.Misbehave(command.arguments))
        return True

    def _iso_pause_charging(self, _command: Command, _now: float) -> bool:
        self._out.append(car.StopV2g(pause=True))
        return True

    def _iso_wait_for_resume(self, _command: Command, _now: float) -> bool:
        # The charger wakes a sleeping car with PWM after none (ISO 15118-3 clause 7.6).
        if self._step == 0 and not self._pwm_runs():
            self._step = 1
        return self._step == 1 and self._pwm_runs()

    def _iso_start_bcb_toggle(self, command: Command, now: float) -> bool:
        if self._until_s is None:
            self.enter(Plug.BCB_TOGGLE)
            self._step, self._until_s = 1, now + TICK_S
        elif now >= self._until_s:
            self._step, self._until_s = self._step + 1, now + TICK_S
        if self._step > 2 * min(command.number(0), MAX_BCB_TOGGLES):
            self.enter(Plug.PLUGGED_IN)
            return True
        return False

    def _paused_by_charger(self, _now: float) -> bool:
        if car.Hlc.PAUSE_FROM_CHARGER not in self._news:
            return False
        self._news.discard(car.Hlc.PAUSE_FROM_CHARGER)
        self.queue[:] = parse(RESUME_BY_CHARGER.format(mode=self._mode or "dc"))
        return True

    def _v2g_session(self, command: Command) -> car.StartV2g | None:
        """Read the four forms of `iso_start_v2g_session`; None for a mode that never completes."""
        mode, *rest = command.arguments
        if mode not in ("ac", "dc"):
            return None
        payment = rest[0] if len(rest) in (1, 3) and rest[0] in ("externalpayment", "contract") else "auto"
        departure_s, energy_Wh = rest[-2:] if len(rest) >= 2 else ("", "")
        return car.StartV2g(mode, payment, float(departure_s or self._departure_s), float(energy_Wh or self._energy_Wh))


_COMMANDS: dict[str, Callable[[ScriptRunner, Command, float], bool]] = {
    name[1:]: method
    for name, method in vars(ScriptRunner).items()
    if name.startswith("_") and not name.startswith("__") and callable(method)
}
