"""What HLC is told before and around a session: payments, modes, parameters; and what it tells of the EV."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chargebyte_fw.contracts.types import iso15118 as iso
from chargebyte_fw.contracts.types.evse_manager import (
    ConnectorTypeEnum,
    PlugAndChargeConfiguration,
    UpdateAllowedEnergyTransferModesResult,
)
from chargebyte_fw.contracts.types.iso15118 import EnergyTransferMode, PaymentOption
from chargebyte_fw.contracts.types.power_supply_DC import Capabilities
from chargebyte_fw.modules.evse.config import BptChannelChoice, GeneratorChoice, IslandChoice, SaeMode
from chargebyte_fw.modules.evse.machine import transfer_modes

if TYPE_CHECKING:
    from chargebyte_fw.modules.evse.evse_manager import EvseManager

ENERGY_TOLD_WH = 10_000.0
"""Energy that we offer to deliver, for EVs that ask."""


class HlcAdapter:
    """The configured offer."""

    def __init__(self, module: EvseManager, *, used: bool) -> None:
        self._module = module
        self.used = used
        config = module.config
        self.der = False
        self.eim = config.payment_enable_eim
        self.contract = config.payment_enable_contract
        self.central = config.central_contract_validation_allowed
        self.install = config.contract_certificate_installation_enabled
        self._modes: list[EnergyTransferMode] = []
        self._allowed: list[EnergyTransferMode] | None = None
        self.sae_active = False
        self._warned = False

    @property
    def bidirectional(self) -> bool:
        """Whether the EV's session can give energy back."""
        config, service = self._module.config, self._module.machines.snapshot.service
        if config.hack_allow_bpt_with_iso2 or (config.sae_j2847_2_bpt_enabled and self.sae_active):
            return True
        return service is not None and service.bidirectional

    def set_up(self) -> None:
        """Tell HLC everything that it must know once."""
        config = self._module.config
        hlc = self._module.tell_hlc
        self.session_setup(external_only=False)
        if config.dc:
            self.present_values(0.0, 0.0)
        else:
            hlc("set_charging_parameters", iso.SetupPhysicalValues(ac_nominal_voltage=config.ac_nominal_voltage))
        hlc("receipt_is_required", config.ev_receipt_required)
        sae = iso.SaeJ2847BidiMode.None_
        if config.sae_j2847_2_bpt_enabled:
            v2h = config.sae_j2847_2_bpt_mode is SaeMode.V2H
            sae = iso.SaeJ2847BidiMode.V2H if v2h else iso.SaeJ2847BidiMode.V2G
        ids = iso.EVSEID(evse_id=config.evse_id, evse_id_din=config.evse_id_din)
        hlc("setup", ids, sae, config.session_logging)
        self.offer_modes()
        if config.bpt_generator_mode is not GeneratorChoice.None_:
            self._bpt_setup()
        hlc("reset_error")

    def _bpt_setup(self) -> None:
        config = self._module.config
        channel = iso.BptChannel.Unified
        if config.bpt_channel is not BptChannelChoice.None_:
            channel = iso.BptChannel(config.bpt_channel.value)
        island = None
        if config.bpt_grid_code_island_method is not IslandChoice.None_:
            island = iso.GridCodeIslandingDetectionMethod(config.bpt_grid_code_island_method.value)
        setup = iso.BptSetup(
            bpt_channel=channel,
            generator_mode=iso.GeneratorMode(config.bpt_generator_mode.value),
            grid_code_detection=island,
        )
        self._module.tell_hlc("bpt_setup", setup)

    def session_setup(self, *, external_only: bool) -> None:
        """Tell HLC the payments on offer; contract off means no certificates either."""
        options = []
        contract = self.contract and not external_only
        if self.eim or external_only or not contract:
            options.append(PaymentOption.ExternalPayment)
        if contract:
            options.append(PaymentOption.Contract)
        if not self.eim and not self.contract and not self._warned:
            self._warned = True
            self._module.log.warning("no payment is enabled: external payment is offered anyway")
        self._module.tell_hlc("session_setup", options, contract and self.install, contract and self.central)

    def configure(self, changes: PlugAndChargeConfiguration) -> None:
        """Take changes for the next session."""
        if changes.pnc_enabled is not None:
            self.contract = changes.pnc_enabled
        if changes.central_contract_validation_allowed is not None:
            self.central = changes.central_contract_validation_allowed
        if changes.contract_certificate_installation_enabled is not None:
            self.install = changes.contract_certificate_installation_enabled

    def modes(self) -> list[EnergyTransferMode]:
        """Compute the modes that the hardware can do."""
        module = self._module
        if module.config.dc:
            megawatt = module.connector_type is ConnectorTypeEnum.cMCS
            return transfer_modes.dc_modes(bidirectional=module.energy_adapter.supply.bidirectional, megawatt=megawatt)
        hardware = module.energy_adapter.leaf.hardware
        return transfer_modes.offered_ac_modes(hardware, bpt=module.config.supported_iso_ac_bpt, der=self.der)

    def offer_modes(self) -> None:
        """Tell the modes, and the AC power limits that go with them, when they have changed."""
        module = self._module
        if not module.energy_adapter.hardware_known:
            return
        modes = self.modes()
        if modes == self._modes and not self._allowed:
            return
        self._modes, self._allowed = modes, None
        module.evse.supported_energy_transfer_modes.publish(modes)
        module.tell_hlc("update_energy_transfer_modes", modes)
        if not module.config.dc:
            voltage_V = module.config.ac_nominal_voltage
            hardware = module.energy_adapter.leaf.hardware
            module.tell_hlc("update_ac_maximum_limits", transfer_modes.ac_maximum(hardware, voltage_V))
            module.tell_hlc("update_ac_minimum_limits", transfer_modes.ac_minimum(hardware, voltage_V))
            reactive = module.config.ac_max_reactive_power
            module.tell_hlc("update_ac_parameters", transfer_modes.ac_parameters(hardware, voltage_V, reactive))

    def allow_modes(self, allowed: list[EnergyTransferMode]) -> UpdateAllowedEnergyTransferModesResult:
        """Offer only what is allowed until the session ends."""
        if not self.used:
            return UpdateAllowedEnergyTransferModesResult.NoHlc
        both = [mode for mode in self._modes if mode in allowed]
        if not both:
            return UpdateAllowedEnergyTransferModesResult.IncompatibleEnergyTransfer
        self._allowed = both
        self._module.tell_hlc("update_energy_transfer_modes", both)
        return UpdateAllowedEnergyTransferModesResult.Accepted

    def session_over(self) -> None:
        """What was narrowed for one session is offered again."""
        self.sae_active = False
        if self._allowed is not None:
            self.offer_modes()

    def supply_told(self, supply: Capabilities) -> None:
        """Tell HLC the supply's ripple, tolerance and modes."""
        self._module.tell_hlc(
            "set_charging_parameters",
            iso.SetupPhysicalValues(
                dc_current_regulation_tolerance=supply.current_regulation_tolerance_A,
                dc_peak_current_ripple=supply.peak_current_ripple_A,
                dc_energy_to_be_delivered=ENERGY_TOLD_WH,
            ),
        )
        self._module.tell_hlc("set_powersupply_capabilities", supply)
        self.offer_modes()

    def present_values(self, voltage_V: float, current_A: float) -> None:
        """Tell HLC what is at the output."""
        offset_A = self._module.config.hack_present_current_offset
        current_A = abs(current_A) + offset_A if current_A else abs(current_A)
        self._module.tell_hlc(
            "update_dc_present_values",
            iso.DcEvsePresentVoltageCurrent(
                evse_present_voltage=max(voltage_V, 0.0), evse_present_current=max(current_A, 0.0)
            ),
        )


def is_bidirectional(selected: iso.SelectedServiceParameters) -> bool:
    """Whether the service gives energy back."""
    return "BPT" in selected.energy_transfer.value or "DER" in selected.energy_transfer.value


def is_ac(selected: iso.SelectedServiceParameters) -> bool:
    """Whether the service is an AC one."""
    return selected.energy_transfer.value.startswith("AC")


def ev_limits_facts(limits: iso.AcEvPowerLimits) -> dict[str, Any]:
    """Write an AC EV's power limits as facts of the EV."""
    names = {
        "ac_max_charge_power": limits.max_charge_power,
        "ac_min_charge_power": limits.min_charge_power,
        "ac_max_discharge_power": limits.max_discharge_power,
        "ac_min_discharge_power": limits.min_discharge_power,
    }
    return {name: value.total for name, value in names.items() if value is not None}
