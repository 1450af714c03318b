"""Configuration of PyEvJosev, and what it makes of the car."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from chargebyte_fw.contracts.types.iso15118 import EnergyTransferMode, PaymentOption, SelectedPaymentOption
from chargebyte_fw.kernel.module import ModuleConfig
from chargebyte_fw.modules.v2g import evcc

SERVICES = {
    "AC": "AC_three_phase_core",
    "AC_BPT": "AC_BPT",
    "AC_DER_IEC": "AC_DER_IEC",
    "DC": "DC_extended",
    "DC_BPT": "DC_BPT",
    "MCS": "MCS",
    "MCS_BPT": "MCS_BPT",
}
"""Energy services of ISO 15118-20 by EVerest's name, and the energy transfer mode of the car that takes it."""
AC_CURRENT_A, AC_POWER_W = 32.0, 22_080.0
"""The on-board charger: three phases of 230 V."""


class JosevConfig(ModuleConfig):
    """The car's V2G stack."""

    device: Annotated[
        str, Meta(min_length=1, description="Network interface; `auto`: the first one with a link-local address.")
    ] = "eth0"
    supported_DIN70121: Annotated[bool, Meta(description="Offer DIN SPEC 70121.")] = False
    supported_ISO15118_2: Annotated[bool, Meta(description="Offer ISO 15118-2.")] = False
    supported_ISO15118_20_AC: Annotated[bool, Meta(description="Offer ISO 15118-20 for AC.")] = False
    supported_ISO15118_20_DC: Annotated[bool, Meta(description="Offer ISO 15118-20 for DC.")] = False
    tls_active: Annotated[bool, Meta(description="Ask for TLS.")] = False
    enforce_tls: Annotated[bool, Meta(description="Have no session without TLS.")] = False
    is_cert_install_needed: Annotated[bool, Meta(description="Ask for a contract in each session.")] = False
    enable_tls_1_3: Annotated[bool, Meta(description="Use TLS 1.3; ISO 15118-20 does so in any case.")] = False
    is_internet_service_needed: Annotated[bool, Meta(description="Ask for internet access (no effect).")] = False
    request_all_service_details: Annotated[
        bool, Meta(description="Ask for the details of every service (no effect).")
    ] = False
    select_all_vas_services: Annotated[bool, Meta(description="Select every additional service (no effect).")] = False
    supported_d20_energy_services: Annotated[
        str, Meta(description="Energy services of ISO 15118-20 that the car takes, best first, separated by commas.")
    ] = "DC,DC_BPT"

    def protocols(self) -> tuple[str, ...]:
        """Return what the car offers, best first."""
        wanted = {
            "ISO15118D20": self.supported_ISO15118_20_AC or self.supported_ISO15118_20_DC,
            "ISO15118D2": self.supported_ISO15118_2,
            "DIN70121": self.supported_DIN70121,
        }
        return tuple(name for name, offered in wanted.items() if offered)

    def services(self) -> list[str]:
        """Return the energy services of ISO 15118-20."""
        return [name.strip() for name in self.supported_d20_energy_services.split(",") if name.strip()]

    def wishes(self, asked: EnergyTransferMode) -> tuple[str, ...]:
        """Return the energy services of a session that was asked for, best first; none: it is not of ISO 15118-20."""
        alternating = asked.value.startswith("AC")
        if not (self.supported_ISO15118_20_AC if alternating else self.supported_ISO15118_20_DC):
            return ()
        return tuple(name for name in self.services() if name in SERVICES and name.startswith("AC") is alternating)

    def mode(self, asked: EnergyTransferMode) -> str:
        """Return the energy transfer mode for a session that was asked for.

        Where the car offers ISO 15118-20 it is that of the first service for the same kind of current.
        """
        wishes = self.wishes(asked)
        return SERVICES[wishes[0]] if wishes else asked.value

    def settings(self, keys: evcc.KeyStore) -> evcc.CarSettings:
        """Return the settings of the car before a session is asked for."""
        tls = "require" if self.enforce_tls else "offer" if self.tls_active else "none"
        install = "always" if self.is_cert_install_needed else "never"
        return evcc.CarSettings(protocols=self.protocols(), tls=tls, keys=keys, install_contract=install)


def payment_of(option: SelectedPaymentOption) -> str:
    """Return the payment of the car (`evcc.CarSettings.payment`)."""
    match option.payment_option:
        case PaymentOption.Contract:
            return "contract"
        case PaymentOption.ExternalPayment:
            return "external"
    return "auto"
