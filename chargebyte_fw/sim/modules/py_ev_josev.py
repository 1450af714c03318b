"""PyEvJosev: the car's V2G stack under EVerest's name and interface; it is this product's own car."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from msgspec import Meta
from msgspec.structs import replace

from chargebyte_fw.contracts.interfaces.iso15118_ev import Iso15118Ev
from chargebyte_fw.contracts.types.iso15118 import (
    DcEvBPTParameters,
    DcEvParameters,
    EnergyTransferMode,
    SelectedPaymentOption,
)
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.module import ConfigIssue, End, Module, provides
from chargebyte_fw.kernel.rate_limited_log import RateLimitedLog
from chargebyte_fw.modules.v2g import evcc
from chargebyte_fw.sim.car_v2g import V2gAdapter
from chargebyte_fw.sim.modules.ev_josev_config import AC_CURRENT_A, AC_POWER_W, SERVICES, JosevConfig, payment_of
from chargebyte_fw.sim.modules.ev_keys import keys_in
from chargebyte_fw.sim.modules.ev_net import CarNet, car_host

CERTIFICATES = "/etc/everest/certs"


class _Car(Iso15118Ev):
    """The car's V2G stack."""

    module: PyEvJosev

    async def start_charging(
        self,
        EnergyTransferMode: EnergyTransferMode,
        SelectedPaymentOption: SelectedPaymentOption,
        DepartureTime: float,
        EAmount: float,
    ) -> bool:
        """Look for the charger and begin a session."""
        return self.module.begin(EnergyTransferMode, SelectedPaymentOption, DepartureTime, EAmount)

    async def stop_charging(self) -> None:
        """End the session."""
        self.module.stack.stop()

    async def pause_charging(self) -> None:
        """Pause the session."""
        self.module.stack.stop(pause=True)

    async def set_fault(self) -> None:
        """Report a fault of the car's battery to the charger."""
        self.module.facts.error_code = "FAILED_EVRESSMalfunction"

    async def set_dc_params(self, EvParameters: DcEvParameters) -> None:
        """Take limits and targets in DC."""
        self.module.dc = EvParameters

    async def set_bpt_dc_params(self, EvBPTParameters: DcEvBPTParameters) -> None:
        """Take limits and targets of what the car gives."""
        self.module.bpt = EvBPTParameters

    async def enable_sae_j2847_v2g_v2h(self) -> None:
        """Note in the log that the car does not give energy by SAE J2847/2."""
        self.module.log.warning("this car gives no energy by SAE J2847/2: it charges")

    async def update_soc(self, SoC: Annotated[float, Meta(ge=0)]) -> None:
        """Take the state of charge, in percent."""
        self.module.facts.soc_percent = min(100.0, SoC)


class PyEvJosev(Module):
    """A car's V2G stack: DIN SPEC 70121, ISO 15118-2 and ISO 15118-20."""

    Config = JosevConfig
    enable_external_mqtt = True

    config: JosevConfig
    ev = provides(_Car, description="The car's V2G stack.")

    @classmethod
    def config_issues(cls, config: JosevConfig, ends: Mapping[str, Sequence[End]]) -> Iterable[ConfigIssue]:
        """A car without a protocol has no session; an unknown service is not taken."""
        if not config.protocols():
            what = "the car offers no protocol: it has no V2G session"
            yield ConfigIssue("supported_ISO15118_2", what, severity="warning", number="C125")
        for name in config.services():
            if name not in SERVICES:
                what = f"{name} is no energy service of this car (it has {', '.join(SERVICES)})"
                yield ConfigIssue("supported_d20_energy_services", what, severity="warning", number="C126")

    async def init(self) -> None:
        """Lay the network to a charger of this process, and prepare the car."""
        self.dc = DcEvParameters()
        self.bpt = DcEvBPTParameters()
        self.facts = evcc.CarFacts()
        self._limit_A: float | None = None
        self._has_charged = False
        self._refused = RateLimitedLog(self.log)
        host = car_host(self.runtime.wires, self.config.device)
        net = CarNet(host, self.config.device, self._no_way)
        self.stack = V2gAdapter(net, self._received, self._sent, lambda _: None, self.crash)
        self._settings: evcc.CarSettings | None = None

    async def stop(self) -> None:
        """Drop the session."""
        self.stack.drop()
        self._refused.close()

    def begin(
        self, asked: EnergyTransferMode, payment: SelectedPaymentOption, departure_s: float, energy_kWh: float
    ) -> bool:
        """Begin a session; returns whether the car can have one."""
        if not self.config.protocols():
            self.log.warning("the car offers no protocol: no session")
            return False
        mode = self.config.mode(asked)
        before = self._settings or self.config.settings(self._keys())
        self._settings = settings = replace(
            before,
            energy_transfer_mode=mode,
            energy_services=self.config.wishes(asked),
            payment=payment_of(payment),
            force_payment=bool(payment.enforce_payment_option),
            departure_time_s=int(departure_s),
            energy_request_Wh=energy_kWh * 1000 or None,
        )
        self._rate(settings)
        facts = evcc.CarFacts(soc_percent=self.facts.soc_percent)
        self.facts = facts
        self._limit_A = None
        self._has_charged = False
        self._fill()
        self.stack.begin(replace(settings), facts)
        return True

    def _keys(self) -> evcc.KeyStore:
        if not (self.config.tls_active or self.config.enforce_tls or self.config.is_cert_install_needed):
            return evcc.KeyStore()
        try:
            return keys_in(self.runtime.root.read(CERTIFICATES))
        except Unavailable as error:
            self.log.warning("the car has no certificates: %s", error)
            return evcc.KeyStore()

    def _rate(self, settings: evcc.CarSettings) -> None:
        dc, bpt, mode = self.dc, self.bpt, settings.energy_transfer_mode
        if mode.startswith("AC"):
            settings.max_current_A, settings.max_power_W = AC_CURRENT_A, AC_POWER_W
        else:
            settings.max_current_A = dc.max_current_limit or settings.max_current_A
            settings.max_power_W = dc.max_power_limit or settings.max_power_W
            settings.max_voltage_V = dc.max_voltage_limit or settings.max_voltage_V
            settings.energy_capacity_Wh = dc.energy_capacity or settings.energy_capacity_Wh
        if any("BPT" in name or "DER" in name for name in (mode, *settings.energy_services)):
            settings.max_discharge_current_A = bpt.discharge_max_current_limit or settings.max_current_A
            settings.max_discharge_power_W = bpt.discharge_max_power_limit or settings.max_power_W or 0.0
            settings.min_soc_percent = int(bpt.discharge_minimal_soc or settings.min_soc_percent)

    def _no_way(self, reason: str) -> None:
        self._refused.write("no way to a charger: %s", reason)

    # What the session asks for.

    def _fill(self) -> None:
        """Write what the car wants into the facts that go out with the next request."""
        facts, charger = self.facts, self.facts.charger
        voltage_V = self.dc.target_voltage or facts.target_voltage_V
        facts.battery_voltage_V = voltage_V
        facts.target_voltage_V = min(voltage_V, charger.max_voltage_V or voltage_V)
        limits = [facts.target_current_A if self.dc.target_current is None else self.dc.target_current]
        if charger.max_current_A is not None:
            limits.append(charger.max_current_A)
        if charger.max_power_W is not None and facts.target_voltage_V > 0:
            limits.append(charger.max_power_W / facts.target_voltage_V)
        facts.target_current_A = max(0.0, min(limits))
        facts.charging_complete = facts.soc_percent >= 100.0

    def _sent(self, name: str) -> None:
        self.log.debug("sends %s", name)
        self._fill()
        limit_A = self.facts.charger.ac_max_current_A
        if limit_A is not None and limit_A != self._limit_A:
            self._limit_A = limit_A
            self.ev.ac_evse_max_current.publish(min(400.0, max(0.0, limit_A)))

    def _received(self, effect: Any) -> None:
        match effect:
            case evcc.SetPilot(state):
                self.ev.ev_power_ready.publish(state == "C")
            case evcc.Power(on):
                if on:
                    self.ev.dc_power_on.publish(None)
            case evcc.Report(step, what):
                self._has_charged |= step is evcc.Step.CHARGING
                self.log.debug("%s%s", step.value, f" ({what})" if what else "")
            case evcc.NewContract(standard, contract, emaid):
                self._keep_contract(standard, contract, emaid)
            case evcc.SessionStopped(outcome, reason):
                self._stopped(outcome, reason)

    def _keep_contract(self, standard: str, contract: evcc.Identity, emaid: str) -> None:
        assert self._settings is not None
        keys = self._settings.keys
        credentials = replace(getattr(keys, standard), contract=contract)
        self._settings = replace(self._settings, keys=replace(keys, **{standard: credentials}))
        self.log.info("the car has a new contract: %s", emaid)

    def _stopped(self, outcome: str, reason: str) -> None:
        self.log.info("session %s%s", outcome, f": {reason}" if reason else "")
        notification = self.facts.charger.notification
        # As in EVerest, only the charge loop takes notice: a car whose session ends before it stays plugged in.
        if outcome != "failed" and notification in ("StopCharging", "Terminate") and self._has_charged:
            self.ev.stop_from_charger.publish(None)
        elif outcome != "failed" and notification == "Pause":
            self.ev.pause_from_charger.publish(None)
        self.ev.v2g_session_finished.publish(None)
