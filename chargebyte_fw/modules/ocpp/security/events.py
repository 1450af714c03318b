"""Which security events are critical, in each generation (whitepaper of 1.6; OCPP 2.x Part 2 Appendix 1)."""

from __future__ import annotations

from chargebyte_fw.contracts.types.system import BootReason

CRITICAL_16 = frozenset(
    {
        "FirmwareUpdated",
        "SettingSystemTime",
        "StartupOfTheDevice",
        "ResetOrReboot",
        "SecurityLogWasCleared",
        "MemoryExhaustion",
        "TamperDetectionActivated",
        "InvalidFirmwareSignature",
        "InvalidFirmwareSigningCertificate",
        "InvalidCentralSystemCertificate",
        "InvalidChargePointCertificate",
        "InvalidTLSVersion",
        "InvalidTLSCipherSuite",
    }
)
CRITICAL_2 = CRITICAL_16 - {"InvalidCentralSystemCertificate", "InvalidChargePointCertificate"} | {
    "InvalidCsmsCertificate",
    "InvalidChargingStationCertificate",
    "MaintenanceLoginAccepted",
    "MaintenanceLoginFailed",
}
TYPE_LENGTH, TECH_INFO_LENGTH = 50, 255


def of_boot(reason: BootReason) -> str:
    """Return the first event after a start, by its reason."""
    if reason is BootReason.FirmwareUpdate:
        return "FirmwareUpdated"
    if reason in (BootReason.PowerUp, BootReason.Unknown):
        return "StartupOfTheDevice"
    return "ResetOrReboot"
