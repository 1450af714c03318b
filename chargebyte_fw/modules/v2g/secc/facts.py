"""What the charger knows and the sessions answer with; the commands of the contract write it, nothing else does."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class ChargerFacts:
    """Facts of the EVSE in SI units. Values that live for one session only are set back by `new_session`."""

    evse_id: str = "DE*CBY*ETE1*234"
    evse_id_din: str = ""
    payment_options: list[str] = field(default_factory=lambda: ["ExternalPayment"])
    energy_transfer_modes: list[str] = field(default_factory=lambda: ["DC_extended"])

    dc_max_voltage_V: float = 0.0
    dc_max_current_A: float = 0.0
    dc_max_power_W: float | None = None
    dc_min_voltage_V: float = 0.0
    dc_min_current_A: float = 0.0
    dc_supply_max_power_W: float = 0.0
    current_regulation_tolerance_A: float | None = None
    peak_current_ripple_A: float = 2.0
    energy_to_be_delivered_Wh: float | None = None
    ac_nominal_voltage_V: float = 230.0
    ac_max_current_A: float = 16.0
    supported_app_protocols: list[str] = field(default_factory=lambda: ["DIN70121", "ISO15118D2"])

    present_voltage_V: float = 0.0
    present_current_A: float = 0.0
    isolation: str = "Invalid"
    meter_id: str = ""
    meter_Wh: float | None = None
    meter_is_new: bool = False

    authorized: bool | None = None
    """None: nobody has decided yet."""
    cable_check: bool | None = None
    contactor_closed: bool = False
    stop_requested: bool = False
    error: str = ""
    """An `iso15118.EvseError` that is active, empty without one."""
    receipt_required: bool = False
    no_energy_pause: str = ""

    def new_session(self, payment_options: list[str] | None = None) -> None:
        """Forget what belonged to the last car; `payment_options` are the ones offered to the next one."""
        if payment_options is not None:
            self.payment_options = payment_options
        self.authorized = None
        self.cable_check = None
        self.isolation = "Invalid"
        self.stop_requested = False
        self.receipt_required = False
        self.no_energy_pause = ""
        self.contactor_closed = False

    @property
    def is_dc(self) -> bool:
        """Whether only DC energy transfer modes are offered."""
        return all(mode.startswith("DC") for mode in self.energy_transfer_modes)
