"""EvseManager: charges at one EVSE. Composes the machines of `machine/` and the adapters around them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from chargebyte_fw.contracts.interfaces.ac_rcd import AcRcd
from chargebyte_fw.contracts.interfaces.connector_lock import ConnectorLock
from chargebyte_fw.contracts.interfaces.evse_board_support import EvseBoardSupport
from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.interfaces.isolation_monitor import IsolationMonitor
from chargebyte_fw.contracts.interfaces.kvs import Kvs
from chargebyte_fw.contracts.interfaces.over_voltage_monitor import OverVoltageMonitor
from chargebyte_fw.contracts.interfaces.power_supply_dc import PowerSupplyDC
from chargebyte_fw.contracts.interfaces.powermeter import Powermeter
from chargebyte_fw.contracts.interfaces.slac import Slac
from chargebyte_fw.contracts.types.evse_board_support import PowerOnOff, PowerOnOffReason
from chargebyte_fw.contracts.types.power_supply_DC import ChargingPhase, Mode
from chargebyte_fw.kernel.contract import Contract
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.module import (
    ITSELF,
    ConfigIssue,
    End,
    Module,
    provides,
    requires,
    requires_optional,
)
from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.kernel.trace import FullTape, Tape, record_answers
from chargebyte_fw.modules.evse.adapters.commands import Commands
from chargebyte_fw.modules.evse.adapters.connected import Connected
from chargebyte_fw.modules.evse.adapters.energy import EnergyAdapter
from chargebyte_fw.modules.evse.adapters.ev_info import EvInfoAdapter
from chargebyte_fw.modules.evse.adapters.hlc import HlcInputs
from chargebyte_fw.modules.evse.adapters.inputs import Inputs
from chargebyte_fw.modules.evse.adapters.meter import BillingMeter
from chargebyte_fw.modules.evse.adapters.node_red import Panel
from chargebyte_fw.modules.evse.adapters.outputs import Outputs
from chargebyte_fw.modules.evse.adapters.own_faults import OwnFaults
from chargebyte_fw.modules.evse.adapters.panel_commands import PanelCommands
from chargebyte_fw.modules.evse.adapters.provided import (
    EnergyLeaf,
    EvseImplementation,
    EvTokens,
    ExternalDerate,
    RandomDelay,
)
from chargebyte_fw.modules.evse.adapters.requests import Requests
from chargebyte_fw.modules.evse.adapters.session_reports import SessionReports
from chargebyte_fw.modules.evse.adapters.start_up import StartUp
from chargebyte_fw.modules.evse.config import EvseConfig, contradictions
from chargebyte_fw.modules.evse.logs.session_logger import SessionLogger
from chargebyte_fw.modules.evse.machine.composite import RANDOM_DELAY, EvseMachines, Fitted
from chargebyte_fw.modules.evse.machine.events import Charging, MeterRead, ModuleReady
from chargebyte_fw.modules.evse.machine.snapshot import Snapshot

if TYPE_CHECKING:
    from chargebyte_fw.contracts.evse_status import EvseStatus

SAFE_STATE_S = 4.0


class EvseManager(Module):
    """Charges at one EVSE: authorization gate, IEC 61851-1, HLC, DC power path, limits, faults, sessions."""

    enable_external_mqtt = True
    enable_telemetry = True
    Config = EvseConfig

    config: EvseConfig
    evse = provides(EvseImplementation, description="The EVSE for authorization, back ends and user interfaces.")
    energy_grid = provides(EnergyLeaf, description="Leaf of the energy tree.")
    token_provider = provides(EvTokens, description="Tokens from the EV: Autocharge, Plug and Charge.")
    random_delay = provides(RandomDelay, description="Random delay of the UK's smart charge point regulations.")
    dc_external_derate = provides(ExternalDerate, description="Limits on the power path from outside.")

    bsp = requires(EvseBoardSupport)
    ac_rcd = requires_optional(AcRcd)
    connector_lock = requires_optional(ConnectorLock)
    powermeter_grid_side = requires_optional(Powermeter)
    powermeter_car_side = requires_optional(Powermeter)
    slac = requires_optional(Slac)
    hlc = requires_optional(Iso15118Charger)
    imd = requires_optional(IsolationMonitor)
    over_voltage_monitor = requires_optional(OverVoltageMonitor)
    powersupply_DC = requires_optional(PowerSupplyDC)
    store = requires_optional(Kvs)

    @classmethod
    def config_issues(cls, config: EvseConfig, ends: Mapping[str, Sequence[End]]) -> Iterable[ConfigIssue]:
        """Keys that contradict each other, the connections or the mapping."""
        mapping = ends[ITSELF][0].mapping
        return contradictions(config, {name for name in ends if ends[name]}, mapping.evse if mapping else None)

    async def init(self) -> None:
        """Build the machines for what is configured and connected, and the adapters around them."""
        self.connected = self._connected()
        tape = self._build_machines()
        self._build_adapters()
        self.pump = Pump(self.machines, self.outputs.act, self.crash, tape)

    def _connected(self) -> Connected:
        config = self.config
        hlc = (
            self.hlc is not None
            and self.slac is not None
            and (config.dc or config.ac_hlc_enabled or config.ac_with_soc)
        )
        return Connected(
            bsp=self.bsp,
            ac_rcd=self.ac_rcd,
            connector_lock=self.connector_lock,
            grid_meter=self.powermeter_grid_side,
            car_meter=self.powermeter_car_side,
            slac=self.slac if hlc else None,
            hlc=self.hlc if hlc else None,
            imd=self.imd,
            over_voltage_monitor=self.over_voltage_monitor,
            supply=self.powersupply_DC,
            store=self.store,
        )

    def _build_machines(self) -> Tape | None:
        trace, connected = self.runtime.trace, self.connected
        fitted = Fitted(
            hlc=connected.hlc is not None,
            lock=connected.connector_lock is not None,
            imd=connected.imd is not None,
            monitor=connected.over_voltage_monitor is not None,
        )
        self.machines = EvseMachines(
            self.config,
            fitted,
            self.id,
            new_uuid=record_answers(trace, "chance", self.id, self.runtime.new_uuid),
            draw=record_answers(trace, "chance", f"{self.id}.{RANDOM_DELAY}", self._draw),
        )
        if not trace.contracts:
            return None
        begins = {"config": self.config, "fitted": fitted}
        return FullTape(trace, self.id, begins, tuple(self.machines.machines.values()), elsewhere=(MeterRead,))

    def _draw(self, longest: int) -> int:
        return self.runtime.random.randint(0, longest)

    def _build_adapters(self) -> None:
        config, connected = self.config, self.connected
        store_key = f"{self.id}_session"
        self.panel = Panel(self.runtime.mqtt, self.id, config.connector_id)
        self.session_log = SessionLogger(config, self.runtime.root, self.log, self.panel.log)
        self.ev_info = EvInfoAdapter(self.evse.ev_info.publish)
        self.commands = Commands(connected, self)
        self.requests = Requests(self.feed, self.snapshot, hlc=connected.hlc is not None, log=self.log)
        self.panel_commands = PanelCommands(self.requests, self.log)
        self.energy = EnergyAdapter(
            self.id,
            config,
            connected,
            self.snapshot,
            energy=self.energy_grid,
            evse=self.evse,
            ev_info=self.ev_info,
            random_delay=self.random_delay,
        )
        self._reports = reports = SessionReports(self, config, self.evse, self.session_log, self.ev_info, self.panel)
        meter = BillingMeter(connected.billing_meter, config.evse_id, self, self.feed)
        provided: list[Contract] = [self.evse, self.energy_grid, self.token_provider]
        self.outputs = Outputs(
            self.log,
            store_key,
            {one.interface: one for one in provided},
            commands=self.commands,
            energy=self.energy,
            faults=OwnFaults(self, self.evse, self.snapshot),
            meter=meter,
            reports=reports,
            session_log=self.session_log,
        )
        self.start_up = StartUp(
            config,
            connected.store,
            store_key,
            commands=self.commands,
            meter=meter,
            requests=self.requests,
            report=reports.event,
            evse=self.evse,
            log=self.log,
        )

    def feed(self, event: Any) -> None:
        """Give the machines an event."""
        self.pump.feed(event)

    def snapshot(self) -> Snapshot:
        """Return what the machines publish of themselves, as of the last event."""
        return self.machines.snapshot

    async def ready(self) -> None:
        """Begin to listen; what takes time goes on beside."""
        self._subscribe()
        # They may still run for an earlier process.
        self.commands.send(call(OverVoltageMonitor.stop))
        self.commands.send(call(IsolationMonitor.stop))
        self.evse.evse_id.publish(self.config.evse_id)
        self.feed(ModuleReady())
        self.spawn(self.energy.repeat(), "energy requests")
        if self.config.session_logging:
            self.spawn(self.session_log.flush_repeatedly(), "session log")
        self.spawn(self.start_up.run(self._show_idle), "start")

    def _subscribe(self) -> None:
        config, connected = self.config, self.connected
        Inputs(
            config,
            connected,
            self.feed,
            self.snapshot,
            commands=self.commands,
            requests=self.requests,
            evse=self.evse,
            derate=self.dc_external_derate,
            ev_info=self.ev_info,
            session_log=self.session_log,
        ).subscribe()
        hlc = HlcInputs(
            config,
            self.feed,
            self.snapshot,
            evse=self.evse,
            ev_info=self.ev_info,
            session_log=self.session_log,
            log=self.log,
        )
        if connected.slac is not None:
            hlc.subscribe_slac(connected.slac)
        if connected.hlc is not None:
            hlc.subscribe_hlc(connected.hlc)
        self.panel.mirror(self.evse, self.crash)
        self.panel_commands.subscribe(self.panel)

    def report_status(self) -> EvseStatus:
        """Return state and session, as the machines and the published events have them."""
        # Imported only where one looks.
        from chargebyte_fw.modules.evse.adapters.status import status

        machines = self.machines
        return status(machines.snapshot, machines.pilot, self._reports.present, machines.limited_by, f"{self.id}.evse")

    def _show_idle(self) -> None:
        if self.snapshot().state is Charging.Idle:
            self.panel.state(Charging.Idle)

    async def stop(self) -> None:
        """Go to the safe state: supply off, contactors open, state F."""
        self.pump.close()
        self.panel.close()
        self.panel_commands.close()
        self.commands.close()
        self.session_log.end()
        off = PowerOnOff(allow_power_on=False, reason=PowerOnOffReason.PowerOff)
        # With an EV under power the supply must be off when the contactors open; but nothing waits for it for long.
        if self.powersupply_DC is not None and self.config.dc:
            await self._last(self.powersupply_DC.setMode(Mode.Off, ChargingPhase.Other))
        await asyncio.gather(
            self._last(self.bsp.allow_power_on(off)),
            self._last(self.bsp.cp_state_F()),
            *([self._last(self.imd.stop())] if self.imd is not None and self.config.dc else []),
        )

    async def _last(self, command: Awaitable[Any]) -> None:
        try:
            async with asyncio.timeout(SAFE_STATE_S / 4):
                await command
        except (CommandError, TimeoutError) as error:
            self.log.warning("a provider did not carry out its last command: %s", str(error) or "timeout")
