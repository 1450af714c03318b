"""The virtual car: a script at the wheel, a plug on the pilot, SLAC and V2G in its modem, a battery behind its inlet.

Owns no socket and no clock of its own: pilot, Ethernet port and network are given to it, time is the event loop's.
What it does is reported through `report` as the demo's screen reads it (cli/demo_state.py).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.modules.v2g import evcc
from chargebyte_fw.modules.v2g.evcc import misbehaviour
from chargebyte_fw.sim import car_events as car
from chargebyte_fw.sim.battery import Battery
from chargebyte_fw.sim.car_power import Inlet, allowed_current_A
from chargebyte_fw.sim.car_script import ScriptRunner
from chargebyte_fw.sim.car_slac import SlacAdapter
from chargebyte_fw.sim.car_v2g import V2gAdapter
from chargebyte_fw.sim.net import Net, Port
from chargebyte_fw.sim.pilot import CarState, Drive, Pilot
from chargebyte_fw.sim.script import parse

AC_TICK_S = 0.5
SOC_STEP_PERCENT = 0.01
"""Change of the state of charge that the script is notified of."""

_PAYMENTS = {"externalpayment": "external", "contract": "contract"}
_DONE_AT = {
    evcc.Step.CONNECTED: "SDP",
    evcc.Step.SESSION: "V2G session",
    evcc.Step.AUTHORIZED: "authorized",
    evcc.Step.PRECHARGE: "cable check",
    evcc.Step.CHARGING: "precharge",
}
"""Which step of the demo's screen is behind the car when it gets to a step of its session."""

_FLOWING = {evcc.Step.CABLE_CHECK, evcc.Step.PRECHARGE, evcc.Step.CHARGING, evcc.Step.RENEGOTIATING}
"""Where losing the pilot is an emergency (IEC 61851-23: the car opens its contactors at once)."""


@dataclass
class CarWires:
    """What connects the car with the world outside."""

    pilot: Pilot
    ethernet: Port
    net: Net


class Car:
    """One car with one inlet. `run` and `replace` take scripts; `numbers` is what its instruments show."""

    def __init__(
        self,
        wires: CarWires,
        battery: Battery,
        settings: evcc.CarSettings,
        report: Callable[[dict[str, Any]], None],
        guard: Callable[[BaseException], None],
        *,
        chance: random.Random | None = None,
        cable_code: int = 3,
        plugin_commands: str = "",
    ) -> None:
        self.battery = battery
        self.settings = settings
        self.inlet = Inlet(battery)
        self._pilot = wires.pilot
        self._report = report
        self._cable_code = cable_code
        self._power = car.Power(0.0)
        self._dc_on = False
        self._step: evcc.Step | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._seen_duty = -1.0
        self._session_is_ac = False
        self._drew_basic = False
        self._by_pilot = True
        """Since the plug is in, nothing but the pilot has spoken."""
        self._discharge_W = 0.0
        self._misbehaviours: tuple[evcc.Misbehaviour, ...] | None = None
        """What the script wants in place of the settings'; None: it wants nothing."""
        self._reported_soc_percent = -1.0
        self._steps: set[str] = set()
        self._waiting: list[asyncio.Future[None]] = []
        self._runner = Pump(ScriptRunner(plugin_commands), self._act, guard)
        self._slac = SlacAdapter(wires.ethernet, self._slac_reports, self._log, guard, chance or random.Random())
        self._v2g = V2gAdapter(wires.net, self._v2g_reports, self._sent, self._answered, guard)
        self._pilot.on_change.append(self._pilot_changed)

    # -- at the wheel

    def run(self, script: str) -> None:
        """Begin a script (the car is reset first); raises ScriptError."""
        self._runner.feed(car.Run(tuple(parse(script))))

    def replace(self, script: str) -> None:
        """Go on with another script from where the car is; raises ScriptError."""
        self._runner.feed(car.Replace(tuple(parse(script))))

    @property
    def step(self) -> evcc.Step | None:
        """Where the V2G session is, None without one."""
        return self._step

    @property
    def running(self) -> bool:
        """Whether a script is running."""
        runner = self._runner.machine
        assert isinstance(runner, ScriptRunner)
        return runner.running

    def become(self, mac: bytes) -> None:
        """Be another car: with this MAC address on the powerline and as EVCCID, and no session to resume."""
        self._v2g.drop()
        self._v2g.session_id, self._v2g.paused = bytes(8), None
        self.settings = replace(self.settings, evcc_id=mac)
        self._slac.become(mac)

    def fall_silent(self) -> None:
        """Let the V2G stack die without a word; plug and pilot stay as they are."""
        self._v2g.drop()

    async def finished(self) -> None:
        """Wait for the end of the running script."""
        if self.running:
            done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(done)
            await done

    def numbers(self) -> dict[str, Any]:
        """Return what the car's instruments show now."""
        self.inlet.advance(asyncio.get_running_loop().time())
        return {
            "soc_percent": round(self.battery.soc_percent, 3),
            "voltage_V": round(self.inlet.voltage_V, 1),
            "current_A": round(self.inlet.current_A, 2),
            "power_W": round(self.inlet.power_W, 1),
            "energy_Wh": round(self.inlet.energy_Wh, 2),
            "cp_state": self._pilot.letter,
            "duty_percent": round(self._duty(), 1),
            "contactor": "closed" if self._pilot.contactors_closed else "open",
            "command": self._command(),
            **self._session_numbers(),
        }

    def _command(self) -> str:
        """Return the command of the script that is not done yet."""
        runner = self._runner.machine
        assert isinstance(runner, ScriptRunner)
        return str(runner.queue[0]) if runner.queue else ""

    def _session_numbers(self) -> dict[str, Any]:
        """Return what a screen shows of the V2G session, the last one where there is none."""
        charger = self._v2g.facts.charger
        return {
            "discharged_Wh": round(self.inlet.discharged_Wh, 2),
            "speaks": charger.protocol,
            "tls_version": charger.tls_version,
            "identity": charger.identity,
            "service": charger.service,
            "price_per_kWh": charger.price_per_kWh,
            "price_level": charger.price_level,
            "currency": charger.currency,
        }

    def close(self) -> None:
        """Pull the plug and let go of everything."""
        if self._pilot_changed in self._pilot.on_change:
            self._pilot.on_change.remove(self._pilot_changed)
        self._runner.close()
        self._v2g.drop()
        self._slac.close()
        self._pilot.car_state = CarState.A
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # -- what the script asks for

    def _act(self, effect: Any) -> None:  # noqa: C901 (one case each)
        match effect:
            case car.Hang(cp_state, diode_ok):
                self._hang(cp_state, diode_ok)
            case car.Power():
                self._power = effect
                self._flow()
            case car.Match():
                self._by_pilot = False
                self._slac.begin()
            case car.StartV2g():
                self._start_v2g(effect)
            case car.StopV2g(pause):
                self._v2g.stop(pause=pause)
            case car.Renegotiate(services):
                self._v2g.renegotiate(services=services)
            case car.Standby(wanted):
                self._v2g.stand_by(wanted)
            case car.Discharge(power_W):
                self._got_to("charging" if power_W else "discharging")
                self._discharge_W = power_W
                self._fill(self._v2g.facts)
                self._report({"discharge_W": power_W})
            case car.Misbehave(texts):
                self._misbehaviours = tuple(misbehaviour.read(text) for text in texts)
                self._v2g.misbehave(self._misbehaviours)
            case car.DropV2g():
                self._dc_on, self._step = False, None
                self._v2g.drop()
                self._slac.drop()
                self._flow()
            case car.SetSoc(percent):
                self.battery.soc_percent = percent
                self._battery_moved()
            case car.Leak(current_mA):
                self._pilot.residual_current_mA = current_mA
            case car.Log(text):
                self._log(text)
            case car.Ended():
                self._report({"script": "ended"})
                waiting, self._waiting = self._waiting, []
                for done in waiting:
                    if not done.done():
                        done.set_result(None)

    def _hang(self, cp_state: str, diode_ok: bool) -> None:
        was_plugged = self._pilot.plugged
        self._pilot.diode_fault = not diode_ok
        self._pilot.cp_short = cp_state == "E"
        if cp_state != "E":
            self._pilot.pp_code = 0 if cp_state == "A" else self._cable_code
            self._pilot.car_state = CarState(cp_state)
        if self._pilot.plugged != was_plugged:
            if self._pilot.plugged:
                self._steps.clear()
                self._by_pilot = True
            self._got_to("plugged in" if self._pilot.plugged else "unplugged")
        self._log(f"pilot {cp_state}" + ("" if diode_ok else ", diode bridged"))

    def _start_v2g(self, start: car.StartV2g) -> None:
        mode = self.settings.energy_transfer_mode
        if start.mode == "ac" and not mode.startswith("AC"):
            mode = "AC_three_phase_core"
        elif start.mode == "dc" and mode.startswith("AC"):
            mode = "DC_extended"
        settings = replace(
            self.settings,
            energy_transfer_mode=mode,
            departure_time_s=int(start.departure_s),
            energy_request_Wh=start.energy_Wh or None,
            payment=_PAYMENTS.get(start.payment, self.settings.payment),
        )
        if self._misbehaviours is not None:
            settings.misbehaviours = self._misbehaviours
        self._by_pilot = False
        self._session_is_ac = mode.startswith("AC")
        facts = evcc.CarFacts()
        self._fill(facts)
        self._v2g.begin(settings, facts)

    # -- what the car receives and measures

    def _pilot_changed(self) -> None:
        self._flow()
        duty = self._duty()
        if duty != self._seen_duty:
            self._seen_duty = duty
            self._log(f"pilot {self._pilot.drive.value}" + (f", {duty:.4g} %" if 0 < duty < 100 else ""))
            if self._step in _FLOWING and not 3.0 < duty < 97.0:
                self._v2g.fail("the control pilot is gone")
            if duty <= 0.0 and not self._v2g.active:
                self._slac.drop()
            self._runner.feed(car.DutySeen(duty))
            if 7.0 < duty < 97.0 and self._pilot.plugged and self._by_pilot:
                self._got_to("authorized")

    def _duty(self) -> float:
        if self._pilot.drive is Drive.PLUS:
            return 100.0
        return self._pilot.duty_percent or 0.0

    def _slac_reports(self, matched: bool) -> None:
        if matched:
            self._got_to("SLAC")
        self._runner.feed(car.SlacReported(matched))

    def _v2g_reports(self, effect: Any) -> None:
        match effect:
            case evcc.SetPilot(state):
                self._hlc(car.Hlc.POWER_READY if state == "C" else car.Hlc.POWER_OFF)
            case evcc.Power(on):
                self._dc_on = on
                self._flow()
                if on:
                    self._hlc(car.Hlc.DC_POWER_ON)
            case evcc.Report(step, what):
                self._session_got_to(step, what)
            case evcc.NewContract(standard, contract, emaid):
                self._keep_contract(standard, contract, emaid)
            case evcc.SessionStopped(outcome, reason):
                self._session_stopped(outcome, reason)

    def _keep_contract(self, standard: str, contract: evcc.Identity, emaid: str) -> None:
        """Have the contract for the next sessions."""
        keys = self.settings.keys
        credentials = replace(getattr(keys, standard), contract=contract)
        self.settings = replace(self.settings, keys=replace(keys, **{standard: credentials}))
        self._report({"message": f"car: has a new contract: {emaid}", "contract": emaid})

    def _session_got_to(self, step: evcc.Step, what: str) -> None:
        if step is evcc.Step.STOPPING and self._step is evcc.Step.CHARGING:
            self._got_to("charging")
        self._step = step
        self._log(f"car: {step.value}" + (f" ({what})" if what else ""))
        if step in _DONE_AT:
            self._got_to(_DONE_AT[step])
        if step is evcc.Step.CHARGING:
            self._hlc(car.Hlc.CHARGING)

    def _session_stopped(self, outcome: str, reason: str) -> None:
        self._step, self._dc_on = None, False
        self._flow()
        if outcome == "failed":
            self._slac.drop()  # D-LINK_ERROR: the same
            self._report({"failure": reason, "message": f"car: session failed: {reason}"})
        else:
            self._got_to("stopped")
            self._log(f"car: session {outcome}")
            if outcome == "terminated":
                self._slac.drop()  # D-LINK_TERMINATE: the car leaves the network (ISO 15118-3)
            notification = self._v2g.facts.charger.notification
            if notification in ("StopCharging", "Terminate"):
                self._hlc(car.Hlc.STOP_FROM_CHARGER)
            elif notification == "Pause":
                self._hlc(car.Hlc.PAUSE_FROM_CHARGER)
        self._hlc(car.Hlc.FINISHED)

    def _hlc(self, news: car.Hlc) -> None:
        self._runner.feed(car.HlcReported(news))

    def _sent(self, name: str) -> None:
        self._fill(self._v2g.facts)
        self._flow()
        wish = ""
        if name in ("CurrentDemandReq", "DC_ChargeLoopReq"):
            facts = self._v2g.facts
            wish = f"  {facts.target_voltage_V:.0f} V  {facts.target_current_A:.1f} A"
        self._log(f"car → {name}{wish}")

    def _answered(self, name: str) -> None:
        self._log(f"charger → {name.removesuffix('Req')}Res")

    def _log(self, text: str) -> None:
        self._report({"message": text})

    # -- what flows

    @property
    def battery_at_the_inlet_V(self) -> float | None:
        """Open-circuit voltage of the battery while it is connected to the charger's output (DC); None: it is not."""
        return self.battery.open_circuit_V if self._dc_on and self._pilot.contactors_closed else None

    def _flow(self) -> None:
        """Bring the inlet in line with contactors, script and charger, and the battery up to now."""
        now = asyncio.get_running_loop().time()
        self.inlet.advance(now)
        charger = self._v2g.facts.charger
        closed = self._pilot.contactors_closed
        direct = self._v2g.active and not self._session_is_ac
        if direct:
            if self._dc_on and closed:
                current_A = charger.present_current_A
                self.inlet.flow_dc(charger.present_voltage_V, current_A if self._both_ways else max(0.0, current_A))
            else:
                self.inlet.rest(charger.present_voltage_V if closed else 0.0)
        elif closed and self._power.current_A:
            most_A = self._power.current_A
            self.inlet.flow_ac(max(-most_A, min(most_A, self._ac_limit_A())), self._power.phases)
        else:
            self.inlet.rest()
        self._battery_moved()
        self._basic_steps()
        if self._timer is None and self._power.current_A and not direct:
            self._timer = asyncio.get_running_loop().call_later(AC_TICK_S, self._tick)

    def _basic_steps(self) -> None:
        """Report the steps of a session without V2G, from the pilot and the contactors."""
        if self._v2g.active or not self._pilot.plugged:
            self._drew_basic = False
            return
        if self.inlet.power_W > 0 and not self._drew_basic:
            self._drew_basic = True
            self._log(f"drawing {self.inlet.current_A:.1f} A on {self.inlet.phases} phases")
        if self._drew_basic and self._power.current_A == 0:
            self._got_to("charging")
            if not self._pilot.contactors_closed:
                self._got_to("stopped")

    def _got_to(self, step: str) -> None:
        """Report a step of the session, once from plug to plug."""
        if step not in self._steps:
            self._steps.add(step)
            self._report({"step": step})

    def _tick(self) -> None:
        self._timer = None
        self._flow()

    @property
    def _both_ways(self) -> bool:
        """Whether the session lets the car give energy."""
        return "BPT" in self._v2g.facts.charger.service

    def _ac_limit_A(self) -> float:
        if self._v2g.active:
            return self._v2g.facts.charger.ac_max_current_A or 0.0
        return allowed_current_A(self._duty())

    def _battery_moved(self) -> None:
        self._fill(self._v2g.facts)
        if abs(self.battery.soc_percent - self._reported_soc_percent) >= SOC_STEP_PERCENT:
            self._reported_soc_percent = self.battery.soc_percent
            self._runner.feed(car.SocSeen(self.battery.soc_percent))

    def _fill(self, facts: evcc.CarFacts) -> None:
        """Write what the battery wants into the facts that go out with the next request."""
        battery, charger = self.battery, facts.charger
        facts.soc_percent = battery.soc_percent
        facts.battery_voltage_V = battery.open_circuit_V
        facts.target_voltage_V = min(battery.target_voltage_V, charger.max_voltage_V or battery.target_voltage_V)
        limits = [battery.target_current_A]
        if charger.max_current_A is not None:
            limits.append(charger.max_current_A)
        if charger.max_power_W is not None:
            limits.append(charger.max_power_W / facts.target_voltage_V)
        facts.target_current_A = max(0.0, min(limits))
        if self._discharge_W and battery.soc_percent > battery.least_soc_percent:
            facts.target_current_A = -min(self._discharge_W / battery.open_circuit_V, battery.max_current_A)
        facts.present_power_W = self.inlet.power_W
        facts.charging_complete = battery.soc_percent >= 100.0
