"""EvseManager: the charging kernel of one EVSE, between its hardware, the EV and everybody who decides."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

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
from chargebyte_fw.contracts.types import evse_manager as types
from chargebyte_fw.contracts.types import units
from chargebyte_fw.contracts.types.authorization import (
    AuthorizationStatus,
    AuthorizationType,
    CertificateStatus,
    ProvidedIdToken,
    ValidationResult,
)
from chargebyte_fw.contracts.types.evse_board_support import PowerOnOff, PowerOnOffReason
from chargebyte_fw.contracts.types.power_supply_DC import ChargingPhase, Mode
from chargebyte_fw.contracts.types.powermeter import Powermeter as MeterValue
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
from chargebyte_fw.kernel.rate_limited_log import RateLimitedLog
from chargebyte_fw.kernel.trace import FullTape, Tape, record_answers
from chargebyte_fw.modules.evse.adapters.energy import EnergyAdapter
from chargebyte_fw.modules.evse.adapters.ev_info import EvInfoAdapter
from chargebyte_fw.modules.evse.adapters.hlc import HlcAdapter
from chargebyte_fw.modules.evse.adapters.inputs import Inputs
from chargebyte_fw.modules.evse.adapters.nodered import Panel
from chargebyte_fw.modules.evse.adapters.outputs import Outputs
from chargebyte_fw.modules.evse.adapters.provided import Delay, Derate, Evse, Leaf, Tokens
from chargebyte_fw.modules.evse.adapters.start_up import StartUp
from chargebyte_fw.modules.evse.config import EvseConfig, contradictions
from chargebyte_fw.modules.evse.logs.session_logger import SessionLogger
from chargebyte_fw.modules.evse.machine.composite import LOGGING_PATH, EvseMachines, Fitted
from chargebyte_fw.modules.evse.machine.enabling import EnableTable
from chargebyte_fw.modules.evse.machine.events import (
    Authorized,
    AvailabilityChanged,
    Cancel,
    Charging,
    ContractRejected,
    MeterRead,
    PhasesWanted,
    UserPause,
)
from chargebyte_fw.modules.evse.machine.facts import TransactionState
from chargebyte_fw.modules.evse.machine.reservations import Reservation
from chargebyte_fw.modules.evse.machine.signals import SessionEventDue

SAFE_STATE_S = 4.0
PANEL_SOURCE = types.EnableDisableSourceEnableSource.LocalAPI
PANEL_PRIORITY = 100


class EvseManager(Module):
    """Charging kernel of one EVSE: authorization gate, IEC 61851-1, HLC, DC power path, limits, faults, sessions."""

    enable_external_mqtt = True
    enable_telemetry = True
    Config = EvseConfig

    config: EvseConfig
    evse = provides(Evse, description="The EVSE for authorization, back ends and user interfaces.")
    energy_grid = provides(Leaf, description="Leaf of the energy tree.")
    token_provider = provides(Tokens, description="Tokens from the EV: Autocharge, Plug and Charge.")
    random_delay = provides(Delay, description="Random delay of the UK's smart charge point regulations.")
    dc_external_derate = provides(Derate, description="Limits on the power path from outside.")

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
        """Build the machines for what is configured and connected."""
        config = self.config
        self._refused = RateLimitedLog(self.log)
        known = config.connector_type in list(types.ConnectorTypeEnum)
        self.connector_type = types.ConnectorTypeEnum(config.connector_type if known else "Unknown")
        used = self.hlc is not None and self.slac is not None and (config.dc or config.ac_hlc_enabled)
        self.car_meter_value: MeterValue | None = None
        self.grid_meter_value: MeterValue | None = None
        self.reservation = Reservation()
        self.enabling = EnableTable()
        self.gate = asyncio.Event()
        self.released = False
        self.panel = Panel(self.runtime.mqtt, self.id, config.connector_id)
        self.logbook = SessionLogger(config, self.runtime.root, self.log, self.panel.log)
        self.ev_info = EvInfoAdapter(self.evse.ev_info.publish)
        tape = self._build(used)
        self.hlc_adapter = HlcAdapter(self, used=used)
        self.energy_adapter = EnergyAdapter(self)
        self.hands = Outputs(self)
        self.pump = Pump(self.machines, self.hands.act, self.crash, tape)

    def _build(self, used: bool) -> Tape | None:
        trace = self.runtime.trace
        fitted = Fitted(
            hlc=used,
            lock=self.connector_lock is not None,
            imd=self.imd is not None,
            monitor=self.over_voltage_monitor is not None,
        )
        self.machines = EvseMachines(
            self.config,
            fitted,
            new_uuid=record_answers(trace, "chance", self.id, self.runtime.new_uuid),
            logging_path=record_answers(trace, "answer", f"{self.id}.{LOGGING_PATH}", self.logbook.begin),
        )
        if not trace.contracts:
            return None
        begins = {"config": self.config, "fitted": fitted}
        return FullTape(trace, self.id, begins, tuple(self.machines.machines.values()), elsewhere=(MeterRead,))

    @property
    def billing_meter(self) -> Powermeter | None:
        """The meter that counts what the EV gets: at the car if there is one."""
        return self.powermeter_car_side or self.powermeter_grid_side

    @property
    def billing_value(self) -> MeterValue:
        """The billing meter's last value; before the first one a value without time."""
        value = self.car_meter_value if self.powermeter_car_side is not None else self.grid_meter_value
        return value or MeterValue(timestamp="", energy_Wh_import=units.Energy(total=0.0))

    def tell_hlc(self, command: str, *args: Any) -> None:
        """Send a command to HLC, if it is used."""
        self.hands.call("hlc", command, args)

    async def ready(self) -> None:
        """Begin to listen; what takes time goes on beside."""
        Inputs(self).listen()
        self.panel.commands(
            enable=lambda _: self._panel_enables(True),
            disable=lambda _: self._panel_enables(False),
            pause_charging=lambda _: self._panel_pauses(True),
            resume_charging=lambda _: self._panel_pauses(False),
            switch_three_phases_while_charging=lambda payload: self._panel_switches(payload),
        )
        if self.hlc_adapter.used:
            self.hlc_adapter.set_up()
        # They may still run for an earlier process.
        self.hands.call("monitor", "stop")
        self.hands.call("imd", "stop")
        self.evse.evse_id.publish(self.config.evse_id)
        self.publish_limits()
        self.energy_adapter.ask(priority=True)
        self.spawn(self.energy_adapter.work(), "energy requests")
        if self.config.session_logging:
            self.spawn(self._flush(), "session log")
        self.spawn(StartUp(self).run(), "start")

    async def _flush(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            self.logbook.flush()

    async def stop(self) -> None:
        """Go to the safe state: supply off, contactors open, state F."""
        self.pump.close()
        self.panel.close()
        self._refused.close()
        self.hands.close()
        self.logbook.end()
        off = PowerOnOff(allow_power_on=False, reason=PowerOnOffReason.PowerOff)
        # With an EV under power the supply must be off when the contactors open; but nothing waits for it for long.
        if self.powersupply_DC is not None and self.config.dc:
            await self._last_word(self.powersupply_DC.setMode(Mode.Off, ChargingPhase.Other))
        await asyncio.gather(
            self._last_word(self.bsp.allow_power_on(off)),
            self._last_word(self.bsp.cp_state_F()),
            *([self._last_word(self.imd.stop())] if self.imd is not None and self.config.dc else []),
        )

    async def _last_word(self, command: Any) -> None:
        try:
            async with asyncio.timeout(SAFE_STATE_S / 4):
                await command
        except (CommandError, TimeoutError) as error:
            self.log.warning("a neighbour did not take its last command: %s", error or "timeout")

    # Commands.

    def release_gate(self) -> bool:
        """Begin now; false if the gate is open already."""
        if self.released or self.gate.is_set():
            self.log.warning("told to begin, but begun already")
            return False
        self.gate.set()
        self.evse.waiting_for_external_ready.publish(False)
        return True

    def enable_disable(self, connector_id: int, source: types.EnableDisableSource) -> bool:
        """Enter a source's wish; the machines hear of it only when the outcome flips."""
        was_connector = self.enabling.connector_enabled
        flipped = self.enabling.take(connector_id, source)
        enabled = self.enabling.enabled
        if self.released and (flipped or self.enabling.connector_enabled is not was_connector):
            if not enabled:
                self.cancel_reservation()
            self.pump.feed(
                AvailabilityChanged(
                    enabled,
                    self.enabling.winner,
                    connector_id=1 if connector_id else None,
                    connector_enabled=self.enabling.connector_enabled,
                )
            )
        return enabled

    def _panel_enables(self, enable: bool) -> None:
        state = types.EnableDisableSourceEnableState
        self.enable_disable(
            0,
            types.EnableDisableSource(
                enable_source=PANEL_SOURCE,
                enable_state=state.Enable if enable else state.Disable,
                enable_priority=PANEL_PRIORITY,
            ),
        )

    def _panel_pauses(self, pause: bool) -> None:
        if not self.pause(pause):
            self.log.info("%s had no effect: no transaction runs", "pause_charging" if pause else "resume_charging")

    def _panel_switches(self, payload: str) -> None:
        if payload.strip().lower() not in ("true", "false"):
            self._refused.write("switch_three_phases_while_charging: %r is not true or false", payload[:40])
            return
        self.switch_phases(payload.strip().lower() == "true")

    def switch_phases(self, three: bool) -> bool:
        """Switch to one or three phases; false while HLC is charging."""
        if not self.machines.snapshot.can_switch_phases:
            return False
        self.pump.feed(PhasesWanted(three))
        return True

    def authorize_response(self, token: ProvidedIdToken, result: ValidationResult) -> None:
        """Take the answer for a token."""
        contract = token.authorization_type is AuthorizationType.PlugAndCharge
        if result.authorization_status is not AuthorizationStatus.Accepted:
            if contract:
                certificate = result.certificate_status or CertificateStatus.Accepted
                self.pump.feed(ContractRejected(result.authorization_status, certificate))
            return
        if self.machines.snapshot.checks_contract and not contract:
            self.log.debug("an external token while the EV's contract is looked at: ignored")
            return
        if result.reservation_id is not None:
            self.reservation.id = result.reservation_id
        reservation_id = self.reservation.use()
        if result.allowed_energy_transfer_modes:
            self.hlc_adapter.allow_modes(result.allowed_energy_transfer_modes)
        text = result.tariff_messages[0].content if result.tariff_messages else None
        self.pump.feed(Authorized(token, text, contract, reservation_id))

    def pause(self, pause: bool) -> bool:
        """Pause or resume the session; false, and nothing happens, without a transaction."""
        if not self.machines.snapshot.transaction_begun:
            return False
        self.pump.feed(UserPause(pause))
        return True

    def cancel_transaction(self, request: types.StopTransactionRequest) -> bool:
        """End the transaction; false if none is active."""
        snapshot = self.machines.snapshot
        if not snapshot.transaction_begun or snapshot.transaction is TransactionState.Ending:
            return False
        self.pump.feed(Cancel(request.reason, request.id_tag))
        return True

    def reserve(self, reservation_id: int) -> bool:
        """Reserve, if nobody else is here."""
        snapshot = self.machines.snapshot
        occupied = snapshot.blocking_faults or snapshot.session or snapshot.plugged
        possible = self.released and snapshot.state is Charging.Idle and not occupied
        granted, new = self.reservation.reserve(reservation_id, possible=possible)
        if new:
            self.pump.feed(SessionEventDue(types.SessionEventEnum.ReservationStart))
        return granted

    def cancel_reservation(self) -> None:
        """Give up the reservation, if there is one."""
        if self.reservation.cancel():
            self.pump.feed(SessionEventDue(types.SessionEventEnum.ReservationEnd))

    def publish_limits(self) -> None:
        """Publish what the EV may draw; EVerest names the module, not the session, in `uuid`."""
        snapshot = self.machines.snapshot
        phases = snapshot.allowed_phases or self.energy_adapter.leaf.active_phases or 3
        current_A = snapshot.allowed_current_A
        self.panel.limits(current_A=current_A)
        self.evse.limits.publish(types.Limits(uuid=self.id, max_current=current_A, nr_of_phases_available=phases))
