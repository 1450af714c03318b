"""What HLC offers to an EV: payment options, energy transfer modes and the parameters that go with them."""

from __future__ import annotations

from enum import Enum
from typing import Any

from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.types import iso15118 as iso
from chargebyte_fw.contracts.types.evse_board_support import HardwareCapabilities
from chargebyte_fw.contracts.types.evse_manager import ConnectorTypeEnum
from chargebyte_fw.contracts.types.iso15118 import EnergyTransferMode, PaymentOption
from chargebyte_fw.kernel.effects import Call, call, publish
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.evse.config import BptChannelChoice, EvseConfig, GeneratorChoice, IslandChoice, SaeMode
from chargebyte_fw.modules.evse.machine import transfer_modes
from chargebyte_fw.modules.evse.machine.effects import LogLine, SessionChanged, SetUpSession
from chargebyte_fw.modules.evse.machine.events import (
    Authorized,
    BoardReported,
    DerAvailable,
    ModesAllowed,
    ModuleReady,
    PlugAndChargeConfigured,
    StartUpDone,
    SupplyCapabilitiesChanged,
)
from chargebyte_fw.modules.evse.machine.signals import OfferDirectCurrent

Effects = list[Any]
ENERGY_TO_DELIVER_WH = 10_000.0
"""Energy that is offered to EVs that ask for it."""


class OfferState(Enum):
    """Which energy transfer modes are offered."""

    HardwareUnknown = "hardware unknown"
    """None yet: the board (on DC the power supply) has not reported its capabilities."""
    Whole = "whole"
    """All that the hardware can do."""
    Narrowed = "narrowed"
    """Those that are allowed in this session."""


class Offer(Machine):
    """Sends HLC what it may offer. `hlc`: it is connected and used."""

    initial = OfferState.HardwareUnknown

    def __init__(self, config: EvseConfig, *, hlc: bool) -> None:
        super().__init__()
        self._config = config
        self._hlc = hlc
        self._eim = config.payment_enable_eim
        self._contract = config.payment_enable_contract
        self._central = config.central_contract_validation_allowed
        self._install = config.contract_certificate_installation_enabled
        self._as_dc = config.ac_with_soc and not config.dc
        """HLC offers direct current, of which the EV's messages have its state of charge."""
        self._by_contract = False
        """A contract has authorized the session."""
        self._no_payment_logged = False
        self._der = False
        self._hardware: HardwareCapabilities | None = None
        """The board's capabilities, on AC."""
        self._supply_bidirectional: bool | None = None
        """None until the power supply has reported its capabilities."""
        self.modes: list[EnergyTransferMode] = []
        """The modes that were offered last, before any narrowing."""

    def _to_hlc(self, *commands: Call) -> Effects:
        return list(commands) if self._hlc else []

    # The set-up.

    @on(*OfferState, event=ModuleReady, to=OfferState.Whole)
    def module_ready(self, _: ModuleReady, now: float) -> Effects:
        """Send what the HLC stack needs before its first session."""
        config = self._config
        effects = self._payments(external_only=False)
        if not config.dc:
            values = iso.SetupPhysicalValues(ac_nominal_voltage=config.ac_nominal_voltage)
            effects += self._to_hlc(call(Iso15118Charger.set_charging_parameters, values))
        sae = iso.SaeJ2847BidiMode.None_
        if config.sae_j2847_2_bpt_enabled:
            v2h = config.sae_j2847_2_bpt_mode is SaeMode.V2H
            sae = iso.SaeJ2847BidiMode.V2H if v2h else iso.SaeJ2847BidiMode.V2G
        ids = iso.EVSEID(evse_id=config.evse_id, evse_id_din=config.evse_id_din)
        effects += self._to_hlc(
            call(Iso15118Charger.receipt_is_required, config.ev_receipt_required),
            call(Iso15118Charger.setup, ids, sae, config.session_logging),
        )
        effects += self._modes()
        if config.bpt_generator_mode is not GeneratorChoice.None_:
            effects += self._to_hlc(call(Iso15118Charger.bpt_setup, self._bpt_setup()))
        return effects + self._to_hlc(call(Iso15118Charger.reset_error))

    def _bpt_setup(self) -> iso.BptSetup:
        config = self._config
        channel = iso.BptChannel.Unified
        if config.bpt_channel is not BptChannelChoice.None_:
            channel = iso.BptChannel(config.bpt_channel.value)
        island = None
        if config.bpt_grid_code_island_method is not IslandChoice.None_:
            island = iso.GridCodeIslandingDetectionMethod(config.bpt_grid_code_island_method.value)
        return iso.BptSetup(
            bpt_channel=channel,
            generator_mode=iso.GeneratorMode(config.bpt_generator_mode.value),
            grid_code_detection=island,
        )

    # Payment.

    @on(event=SetUpSession)
    def set_up_session(self, event: SetUpSession, now: float) -> Effects:
        """Send the payment options of the session that begins."""
        effects = self._payments(external_only=event.external_only)
        self._by_contract = self._by_contract and event.external_only
        return effects

    @on(event=Authorized)
    def authorized(self, event: Authorized, now: float) -> None:
        """Keep how the session is paid for: one that is taken up again pays by nothing else."""
        self._by_contract = event.contract

    def _payments(self, *, external_only: bool) -> Effects:
        """Send the payment options; without contracts there are no contract certificates either."""
        options: list[PaymentOption] = []
        effects: Effects = []
        if external_only and self._by_contract:
            # The EV has its certificate.
            again = call(Iso15118Charger.session_setup, [PaymentOption.Contract], False, self._central)
            return self._to_hlc(again)
        contract = self._contract and not external_only
        if self._eim or external_only or not contract:
            options.append(PaymentOption.ExternalPayment)
        if contract:
            options.append(PaymentOption.Contract)
        if not self._eim and not self._contract and not self._no_payment_logged:
            self._no_payment_logged = True
            effects.append(LogLine("no payment is enabled: external payment is offered anyway", "warning"))
        setup = call(Iso15118Charger.session_setup, options, contract and self._install, contract and self._central)
        return effects + self._to_hlc(setup)

    @on(event=PlugAndChargeConfigured)
    def plug_and_charge(self, event: PlugAndChargeConfigured, now: float) -> Effects:
        """Take the configuration of plug and charge, for the next session."""
        changes = event.changes
        if changes.pnc_enabled is not None:
            self._contract = changes.pnc_enabled
        if changes.central_contract_validation_allowed is not None:
            self._central = changes.central_contract_validation_allowed
        if changes.contract_certificate_installation_enabled is not None:
            self._install = changes.contract_certificate_installation_enabled
        return []

    # Energy transfer modes.

    @on(event=OfferDirectCurrent)
    def direct_current(self, event: OfferDirectCurrent, now: float) -> Effects:
        """Offer direct current for the state of charge, or again what the hardware can do."""
        self._as_dc = event.offered
        return self._to_hlc(*self._modes_for_hlc(self.modes)) if self.modes else []

    def _modes_for_hlc(self, modes: list[EnergyTransferMode]) -> list[Call]:
        if not self._as_dc:
            return [call(Iso15118Charger.update_energy_transfer_modes, modes).latest_only()]
        return [
            call(Iso15118Charger.update_dc_maximum_limits, transfer_modes.READING_MAXIMUM).latest_only(),
            call(Iso15118Charger.update_dc_minimum_limits, transfer_modes.READING_MINIMUM).latest_only(),
            call(Iso15118Charger.update_dc_present_values, transfer_modes.READING_PRESENT).latest_only(),
            call(Iso15118Charger.update_energy_transfer_modes, transfer_modes.FOR_STATE_OF_CHARGE).latest_only(),
        ]

    @on(*OfferState, event=BoardReported, to=OfferState.Whole)
    def board_reported(self, event: BoardReported, now: float) -> Effects:
        """Offer the AC modes that the hardware can do."""
        self._hardware = None if self._config.dc else event.hardware
        return self._modes()

    @on(*OfferState, event=SupplyCapabilitiesChanged, to=OfferState.Whole)
    def supply_reported(self, event: SupplyCapabilitiesChanged, now: float) -> Effects:
        """Send the capabilities of the power supply, and offer the DC modes that it can do."""
        supply = event.supply
        self._supply_bidirectional = supply.bidirectional
        values = iso.SetupPhysicalValues(
            dc_current_regulation_tolerance=supply.current_regulation_tolerance_A,
            dc_peak_current_ripple=supply.peak_current_ripple_A,
            dc_energy_to_be_delivered=ENERGY_TO_DELIVER_WH,
        )
        effects = self._to_hlc(
            call(Iso15118Charger.set_charging_parameters, values),
            call(Iso15118Charger.set_powersupply_capabilities, supply),
        )
        return effects + self._modes()

    @on(*OfferState, event=DerAvailable, to=OfferState.Whole)
    def der_available(self, event: DerAvailable, now: float) -> Effects:
        """Offer the modes with, or without, DER."""
        self._der = event.available
        return self._modes()

    @on(*OfferState, event=StartUpDone, to=OfferState.Whole)
    def begin(self, _: StartUpDone, now: float) -> Effects:
        """Send the offer once all modules are ready."""
        return self._modes()

    @on(OfferState.Narrowed, event=SessionChanged, to=OfferState.Whole)
    def session_over(self, event: SessionChanged, now: float) -> Effects:
        """What was narrowed for one session is offered again."""
        return self._modes() if not event.session_id else []

    @on(OfferState.Whole, OfferState.Narrowed, event=ModesAllowed, to=OfferState.Narrowed)
    def modes_allowed(self, event: ModesAllowed, now: float) -> Effects:
        """Narrow the offer of this session; a list without any possible mode is ignored."""
        both = [mode for mode in self.modes if mode in event.modes]
        if not both:
            return []
        return self.enter(OfferState.Narrowed, *self._to_hlc(*self._modes_for_hlc(both)))

    def _possible(self) -> list[EnergyTransferMode]:
        """Return the modes that the hardware can do; none while it is unknown."""
        config = self._config
        if not config.dc:
            if self._hardware is None:
                return []
            return transfer_modes.offered_ac_modes(self._hardware, bpt=config.supported_iso_ac_bpt, der=self._der)
        if self._supply_bidirectional is None:
            return []
        megawatt = config.connector_type == ConnectorTypeEnum.cMCS.value
        return transfer_modes.dc_modes(bidirectional=self._supply_bidirectional, megawatt=megawatt)

    def _modes(self) -> Effects:
        """Offer the modes, and on AC the power limits that go with them, when they have changed."""
        modes = self._possible()
        if not modes or (modes == self.modes and self.state is not OfferState.Narrowed):
            return []
        self.modes = modes
        effects = [
            publish(EvseManager.supported_energy_transfer_modes, modes),
            *self._to_hlc(*self._modes_for_hlc(modes)),
        ]
        if not self._config.dc:
            effects += self._ac_limits()
        return self.enter(OfferState.Whole, *effects)

    def _ac_limits(self) -> Effects:
        assert self._hardware is not None
        voltage_V, hardware = self._config.ac_nominal_voltage, self._hardware
        parameters = transfer_modes.ac_parameters(hardware, voltage_V, self._config.ac_max_reactive_power)
        return self._to_hlc(
            call(
                Iso15118Charger.update_ac_maximum_limits, transfer_modes.ac_maximum(hardware, voltage_V)
            ).latest_only(),
            call(
                Iso15118Charger.update_ac_minimum_limits, transfer_modes.ac_minimum(hardware, voltage_V)
            ).latest_only(),
            call(Iso15118Charger.update_ac_parameters, parameters).latest_only(),
        )
