"""An EVSE manager among fake modules on a virtual clock, and an EV that is driven step by step."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from chargebyte_fw.contracts.types import authorization, energy
from chargebyte_fw.contracts.types.authorization import (
    AuthorizationStatus,
    AuthorizationType,
    IdToken,
    IdTokenType,
    ProvidedIdToken,
    ValidationResult,
)
from chargebyte_fw.contracts.types.energy import EnforcedLimits, LimitsRes, NumberWithSource
from chargebyte_fw.contracts.types.evse_manager import SessionEvent
from chargebyte_fw.contracts.types.iso15118 import DcEvErrorCode, DcEvMaximumLimits, DcEvStatus, DcEvTargetValues
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.modules.evse.evse_manager import EvseManager
from chargebyte_fw.modules.evse.machine.charging import ChargingMachine
from chargebyte_fw.modules.evse.machine.snapshot import Snapshot
from tests.evse import fakes

Assemble = Callable[..., Assembly]
Run = Callable[[Coroutine[Any, Any, Any]], Any]

TOKEN = ProvidedIdToken(
    id_token=IdToken(value="DEADBEEF", type=IdTokenType.ISO14443), authorization_type=AuthorizationType.RFID
)
ACCEPTED = ValidationResult(authorization_status=AuthorizationStatus.Accepted, tariff_messages=[])


class World:
    """`dc` or AC; `config` goes to the EVSE manager, `without` leaves modules out."""

    def __init__(
        self, assemble: Assemble, *, dc: bool = False, without: tuple[str, ...] = (), hlc: bool = False, **config: Any
    ) -> None:
        parts: dict[str, tuple[type[Any], str]] = {
            "bsp": (fakes.FakeBoard, "bsp"),
            "lock": (fakes.FakeLock, "connector_lock"),
            "meter": (fakes.FakeMeter, "powermeter_car_side" if dc else "powermeter_grid_side"),
            "store": (fakes.FakeStore, "store"),
        }
        if dc or hlc:
            parts |= {"slac": (fakes.FakeSlac, "slac"), "hlc": (fakes.FakeHlc, "hlc")}
        if dc:
            parts |= {
                "supply": (fakes.FakeSupply, "powersupply_DC"),
                "imd": (fakes.FakeImd, "imd"),
                "monitor": (fakes.FakeMonitor, "over_voltage_monitor"),
            }
        for name in without:
            del parts[name]
        from chargebyte_fw.modules.evse.config import ChargeMode

        settings = {"connector_id": 1, "charge_mode": ChargeMode.DC if dc else ChargeMode.AC, **config}
        if hlc and not dc:
            settings.setdefault("ac_hlc_enabled", True)
        connections = {requirement: f"{name}.main" for name, (_, requirement) in parts.items()}
        modules: dict[str, tuple[Any, ...]] = {name: (cls,) for name, (cls, _) in parts.items()}
        self.assembly = assemble(**modules, evse=(EvseManager, settings, connections))
        self.commands: fakes.Commands = []
        for name in parts:
            setattr(self, name, self.assembly.modules[name])
            self.assembly.modules[name].commands = self.commands  # type: ignore[attr-defined]
        self.m: EvseManager = self.assembly.modules["evse"]  # type: ignore[assignment]
        self.events: list[SessionEvent] = []
        self.tokens: list[ProvidedIdToken] = []
        self.limits_A = 32.0
        self.limits_W: float | None = 40_000.0 if dc else None
        self.energy_on = True
        self.dc = dc
        self.ev_mac = "56:2F:33:97:B3:74"
        """How the EV names itself on HLC."""

    bsp: fakes.FakeBoard
    lock: fakes.FakeLock
    meter: fakes.FakeMeter
    store: fakes.FakeStore
    slac: fakes.FakeSlac
    hlc: fakes.FakeHlc
    supply: fakes.FakeSupply
    imd: fakes.FakeImd
    monitor: fakes.FakeMonitor

    async def start(self, *, settle_s: float = 3.0) -> World:
        """Start everybody; the energy management grants once a second."""
        self.m.evse.session_event.subscribe(self.events.append)
        self.m.token_provider.provided_token.subscribe(self.tokens.append)
        await self.assembly.start()
        self.m.spawn(self._grant())
        await asyncio.sleep(settle_s)
        return self

    async def _grant(self) -> None:
        while True:
            if self.energy_on:
                await self.grant()
            await asyncio.sleep(1.0)

    async def grant(self, *, phases: int | None = None) -> None:
        """Enforce the present limits."""
        side = LimitsRes(
            ac_max_current_A=NumberWithSource(value=self.limits_A, source="test"),
            total_power_W=None if self.limits_W is None else NumberWithSource(value=self.limits_W, source="test"),
            ac_max_phase_count=None if phases is None else energy.IntegerWithSource(value=phases, source="test"),
        )
        await self.m.energy_grid.enforce_limits(
            EnforcedLimits(uuid="evse", valid_for=10, limits_root_side=side, schedule=[])
        )

    async def authorize(self, token: ProvidedIdToken = TOKEN) -> None:
        await self.m.evse.authorize_response(token, ACCEPTED)

    @property
    def names(self) -> list[str]:
        """Session events so far, by name, without the one of the start."""
        return [event.event.value for event in self.events[1:]]

    @property
    def now(self) -> Snapshot:
        """What the machines publish of themselves."""
        return self.m.machines.snapshot

    @property
    def charging(self) -> ChargingMachine:
        """The charging state machine, for what only a test looks at."""
        machine = self.m.machines.machines["charging"]
        assert isinstance(machine, ChargingMachine)
        return machine

    @property
    def state(self) -> str:
        return str(self.now.state.name)

    async def until(self, condition: Callable[[], bool], limit_s: float = 60.0) -> None:
        """Let time pass until `condition` holds."""
        async with asyncio.timeout(limit_s):
            while not condition():
                await asyncio.sleep(0.05)

    async def until_state(self, name: str, limit_s: float = 60.0) -> None:
        try:
            await self.until(lambda: self.state == name, limit_s)
        except TimeoutError:
            raise AssertionError(f"stays in {self.state}, {name} was expected; events {self.names}") from None
        # What was published reaches its listeners on the next turns of the loop.
        await asyncio.sleep(0.01)

    def calls(self, peer: str, command: str) -> list[tuple[Any, ...]]:
        return [args for _, who, name, args in self.commands if who == peer and name == command]

    def pilot(self) -> Any:
        """What the pilot shows: duty cycle in percent, "X1" or "F"."""
        shown: Any = None
        for _, who, name, args in self.commands:
            if who == "bsp" and name == "pwm_on":
                shown = args[0]
            elif who == "bsp" and name.startswith("cp_state"):
                shown = name.removeprefix("cp_state_")
        return shown

    async def to_preparation(self) -> None:
        """Plugged in, then authorized."""
        self.bsp.cp("B")
        await asyncio.sleep(0.5)
        await self.authorize()
        await self.until_state("PrepareCharging")

    # An EV on DC, the way ISO 15118-2 leads it.

    async def plug_and_match(self) -> None:
        self.bsp.cp("B")
        await asyncio.sleep(1.0)
        self.slac.match()
        await asyncio.sleep(0.2)

    def ask_authorization(self) -> None:
        self.hlc.publish("evcc_id", self.ev_mac)
        self.hlc.publish("require_auth_eim")

    def parameters(self, voltage_V: float = 450.0, current_A: float = 125.0) -> None:
        self.hlc.publish(
            "dc_ev_maximum_limits",
            DcEvMaximumLimits(dc_ev_maximum_voltage_limit=voltage_V, dc_ev_maximum_current_limit=current_A),
        )
        self.hlc.publish(
            "dc_ev_status",
            DcEvStatus(dc_ev_ready=True, dc_ev_error_code=DcEvErrorCode.NO_ERROR, dc_ev_ress_soc=30.0),
        )

    def target(self, voltage_V: float, current_A: float) -> None:
        self.hlc.publish(
            "dc_ev_target_voltage_current",
            DcEvTargetValues(dc_ev_target_voltage=voltage_V, dc_ev_target_current=current_A),
        )

    async def to_cable_check(self) -> None:
        await self.plug_and_match()
        await self.authorize()
        self.ask_authorization()
        await self.until_state("PrepareCharging")
        self.parameters()
        self.bsp.cp("C")
        await asyncio.sleep(0.1)
        self.hlc.publish("start_cable_check")

    async def cable_checked(self) -> bool:
        await self.until(lambda: bool(self.calls("hlc", "cable_check_finished")))
        return bool(self.calls("hlc", "cable_check_finished")[-1][0])

    async def to_charging(self, current_A: float = 50.0) -> None:
        await self.to_cable_check()
        assert await self.cable_checked()
        self.hlc.publish("start_pre_charge")
        self.target(400.0, 2.0)
        await asyncio.sleep(1.0)
        self.hlc.publish("v2g_setup_finished")
        self.hlc.publish("current_demand_started")
        self.target(400.0, current_A)
        await self.until_state("Charging")

    async def ev_stops(self) -> None:
        """PowerDelivery stop, then SessionStop."""
        self.target(400.0, 0.0)
        await asyncio.sleep(0.5)
        self.bsp.cp("B")
        await asyncio.sleep(0.3)
        self.hlc.publish("current_demand_finished")
        self.hlc.publish("dc_open_contactor")
        await asyncio.sleep(1.0)
        self.hlc.publish("dlink_terminate")
        await asyncio.sleep(0.5)

    async def unplug(self) -> None:
        self.bsp.cp("A")
        await asyncio.sleep(1.0)


__all__ = ["ACCEPTED", "TOKEN", "Assemble", "Run", "World", "authorization"]
