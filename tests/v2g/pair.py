"""A car and a charger joined by nothing: both machines on one time line, bytes carried from effect to event."""

from __future__ import annotations

import heapq
import ipaddress
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from chargebyte_fw.kernel.effects import Publish
from chargebyte_fw.modules.v2g import evcc, sdp
from chargebyte_fw.modules.v2g.evcc import CarFacts, CarSettings, Evcc
from chargebyte_fw.modules.v2g.secc import effects as out
from chargebyte_fw.modules.v2g.secc.connection import Secc
from chargebyte_fw.modules.v2g.secc.facts import ChargerFacts, SessionFacts, Settings
from chargebyte_fw.modules.v2g.secc.protocol import Environment
from chargebyte_fw.modules.v2g.secc.registry import protocols
from chargebyte_fw.modules.v2g.security import PLAIN, Security

START = datetime(2026, 1, 1, tzinfo=UTC)


def change(facts: ChargerFacts, changes: dict[str, Any]) -> ChargerFacts:
    """Change facts of the charger, or of its session, by name."""
    for name, value in changes.items():
        setattr(facts.session if name in SessionFacts.__struct_fields__ else facts, name, value)
    return facts


def dc_facts(**changes: Any) -> ChargerFacts:
    """A DC charger of 150 kW that knows its limits."""
    facts = ChargerFacts(
        evse_id="DE*CHB*E123456*1",
        evse_id_din="49A80737A45678",
        energy_transfer_modes=["DC_extended"],
        dc_max_voltage_V=900.0,
        dc_max_current_A=200.0,
        dc_max_power_W=150_000.0,
        dc_min_voltage_V=200.0,
        dc_min_current_A=1.0,
        dc_supply_max_power_W=150_000.0,
        peak_current_ripple_A=2.0,
    )
    return change(facts, changes)


def ac_facts(**changes: Any) -> ChargerFacts:
    """A three-phase AC charger of 32 A."""
    facts = ChargerFacts(energy_transfer_modes=["AC_three_phase_core"], ac_max_current_A=32.0)
    return change(facts, changes)


class Charger:
    """The charger's machine and somebody who works for it: the rest of a charging station in a few lines."""

    def __init__(self, facts: ChargerFacts, settings: Settings | None = None) -> None:
        self.facts = facts
        self.environment = Environment(lambda n: bytes(range(1, n + 1)), lambda: START + timedelta(seconds=self.now))
        self.machine = Secc(protocols(), facts, settings or Settings(), self.environment)
        self.now = 0.0
        self.log: list[Any] = []
        self.reactions: dict[str, Callable[[Any], None]] = {}
        """What the rest of the station does when a variable is published (it may change the facts)."""

    def feed(self, event: Any, now: float) -> list[Any]:
        self.now = now
        effects = self.machine.feed(event, now)
        return self.keep(effects, now)

    def wake(self, now: float) -> list[Any]:
        self.now = now
        return self.keep(self.machine.wake(now), now)

    def keep(self, effects: list[Any], now: float) -> list[Any]:
        self.log += effects
        for effect in effects:
            if isinstance(effect, Publish) and effect.variable in self.reactions:
                self.reactions[effect.variable](effect.value)
        return effects

    def published(self, *names: str) -> list[tuple[str, Any]]:
        """The variables published so far, those of `names` only if given."""
        return [
            (effect.variable, effect.value)
            for effect in self.log
            if isinstance(effect, Publish) and (not names or effect.variable in names)
        ]

    def names(self) -> list[str]:
        return [name for name, _ in self.published()]

    def sent(self) -> list[Any]:
        """The bodies of the charger's messages."""
        return [
            e.message.Body if hasattr(e.message, "Body") else e.message
            for e in self.log
            if isinstance(e, out.MessageExchanged) and e.name.endswith("Res")
        ]

    def broken(self) -> list[str]:
        return [effect.text for effect in self.log if isinstance(effect, out.ProtocolViolation)]


class Pair:
    """A car and a charger; `run` lets time pass. `authorize_s`, `cable_check_s`: how long the station takes."""

    def __init__(
        self,
        charger_facts: ChargerFacts | None = None,
        car_settings: CarSettings | None = None,
        car_facts: CarFacts | None = None,
        settings: Settings | None = None,
        authorize_s: float | None = 1.0,
        cable_check_s: float | None = 2.0,
        security: Security = PLAIN,
    ) -> None:
        self.security = security
        self.charger = Charger(charger_facts or dc_facts(), settings)
        self.car_facts = car_facts or CarFacts(battery_voltage_V=350.0, target_voltage_V=360.0, target_current_A=50.0)
        self.car_settings = car_settings or CarSettings()
        self.car = Evcc(self.car_settings, self.car_facts)
        self.now = 0.0
        self.queue: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()
        self.car_log: list[tuple[float, Any]] = []
        self.connected = False
        self.requests: list[str] = []
        self.services: dict[int, list[Any]] = {}
        """Parameter sets of value-added services."""
        react = self.charger.reactions
        if authorize_s is not None:
            react["require_auth_eim"] = lambda _: self.later(authorize_s, self.fact, authorized=True)
        if cable_check_s is not None:
            react["start_cable_check"] = lambda _: self.later(
                cable_check_s, self.fact, isolation="Valid", cable_check=True
            )
        react["dc_ev_target_voltage_current"] = self._follow
        react["current_demand_finished"] = lambda _: self._set(0.0, 0.0)
        react["dc_open_contactor"] = lambda _: self._set(0.0, 0.0)
        react["ac_close_contactor"] = lambda _: self.later(0.2, self.fact, contactor_closed=True)
        react["ac_open_contactor"] = lambda _: self.later(0.1, self.fact, contactor_closed=False)

    def _set(self, voltage_V: float, current_A: float) -> None:
        self.charger.facts.present_voltage_V = voltage_V
        self.charger.facts.present_current_A = current_A

    def _follow(self, targets: Any) -> None:
        session: Any = self.charger.machine.session
        charging = session is not None and session.energy.charging
        self._set(targets.dc_ev_target_voltage, targets.dc_ev_target_current if charging else 0.0)

    def later(self, delay_s: float, call: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        heapq.heappush(self.queue, (self.now + delay_s, next(self._count), lambda: call(*args, **kwargs)))

    def fact(self, **changes: Any) -> None:
        """Change facts of the charger."""
        change(self.charger.facts, changes)
        self._charger(self.charger.feed(out.FactsChanged(), self.now))

    def wish(self, **changes: Any) -> None:
        """Change facts of the car."""
        for name, value in changes.items():
            setattr(self.car_facts, name, value)
        self._car(self.car.feed(evcc.FactsChanged(), self.now))

    def start(self) -> None:
        self._car(self.car.feed(evcc.Start(), self.now))

    def to_car(self, event: Any) -> None:
        self._car(self.car.feed(event, self.now))

    def to_charger(self, event: Any) -> None:
        self._charger(self.charger.feed(event, self.now))

    def _car(self, effects: list[Any]) -> None:
        for effect in effects:
            self.car_log.append((self.now, effect))
            match effect:
                case evcc.SendSdp(data):
                    sdp.parse_request(data)
                    kind = sdp.SECURITY_TLS if self.security.tls_version else sdp.SECURITY_NONE
                    answer = sdp.Response(ipaddress.IPv6Address("fe80::1"), 61341, kind)
                    self.later(0.01, self.to_car, evcc.SdpAnswer(answer.to_bytes()))
                case evcc.Connect():
                    self.connected = True
                    self.later(0.0, self.to_charger, out.Connected(self.security))
                    self.later(0.001, self.to_car, evcc.Connected(self.security.tls_version))
                case evcc.Send(data, name):
                    self.requests.append(name)
                    self.later(0.001, self.to_charger, out.Received(data))
                case evcc.Close() if self.connected:
                    self.connected = False
                    self.later(0.001, self.to_charger, out.Disconnected())

    def _charger(self, effects: list[Any]) -> None:
        for effect in effects:
            match effect:
                case out.Send(data):
                    self.later(0.001, self.to_car, evcc.Received(data))
                case out.GetServiceParameters(service_id):
                    self.later(0.05, self._describe, service_id)
                case out.Abort() | out.ShutDown() if self.connected:
                    self.connected = False
                    self.later(0.001, self.to_car, evcc.Disconnected())
                    if isinstance(effect, out.ShutDown):
                        self.later(0.002, self.to_charger, out.Disconnected())

    def _describe(self, service_id: int) -> None:
        """The provider of a value-added service answers."""
        self.charger.facts.session.service_parameters[service_id] = self.services.get(service_id)
        self.fact()

    def run(self, duration_s: float = 300.0, until: Callable[[], bool] | None = None) -> None:
        """Let time pass until nothing is left to happen, or `until` holds, at most `duration_s`."""
        end = self.now + duration_s
        while until is None or not until():
            moments = [at for at in (self.car.deadline, self.charger.machine.deadline) if at is not None]
            if self.queue:
                moments.append(self.queue[0][0])
            if not moments or min(moments) > end:
                self.now = end if moments else self.now
                return
            self.now = max(self.now, min(moments))
            if self.queue and self.queue[0][0] <= self.now:
                heapq.heappop(self.queue)[2]()
                continue
            self._car(self.car.wake(self.now))
            self._charger(self.charger.wake(self.now))

    @property
    def steps(self) -> list[str]:
        return [effect.step.value for _, effect in self.car_log if isinstance(effect, evcc.Report)]

    @property
    def outcome(self) -> evcc.SessionStopped | None:
        return next((effect for _, effect in self.car_log if isinstance(effect, evcc.SessionStopped)), None)

    def charge(self, duration_s: float = 5.0) -> None:
        """Run into the charge loop, and on for a while."""
        self.start()
        self.run(60.0, until=lambda: "charging" in self.steps)
        assert "charging" in self.steps, (self.steps, self.outcome, self.charger.broken())
        self.run(duration_s)
