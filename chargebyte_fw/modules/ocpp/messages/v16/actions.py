"""The actions of OCPP 1.6 and of its security whitepaper: profile and sender."""

from __future__ import annotations

from collections.abc import Mapping

from chargebyte_fw.modules.ocpp.messages.catalogue import Action, Sender

ACTIONS: Mapping[str, Action] = {
    "Authorize": Action("core", Sender.STATION),
    "BootNotification": Action("core", Sender.STATION),
    "ChangeAvailability": Action("core", Sender.CSMS),
    "ChangeConfiguration": Action("core", Sender.CSMS),
    "ClearCache": Action("core", Sender.CSMS),
    "DataTransfer": Action("core", Sender.BOTH),
    "GetConfiguration": Action("core", Sender.CSMS),
    "Heartbeat": Action("core", Sender.STATION),
    "MeterValues": Action("core", Sender.STATION),
    "RemoteStartTransaction": Action("core", Sender.CSMS),
    "RemoteStopTransaction": Action("core", Sender.CSMS),
    "Reset": Action("core", Sender.CSMS),
    "StartTransaction": Action("core", Sender.STATION),
    "StatusNotification": Action("core", Sender.STATION),
    "StopTransaction": Action("core", Sender.STATION),
    "UnlockConnector": Action("core", Sender.CSMS),
    "DiagnosticsStatusNotification": Action("firmware", Sender.STATION),
    "FirmwareStatusNotification": Action("firmware", Sender.STATION),
    "GetDiagnostics": Action("firmware", Sender.CSMS),
    "UpdateFirmware": Action("firmware", Sender.CSMS),
    "GetLocalListVersion": Action("local_list", Sender.CSMS),
    "SendLocalList": Action("local_list", Sender.CSMS),
    "CancelReservation": Action("reservation", Sender.CSMS),
    "ReserveNow": Action("reservation", Sender.CSMS),
    "ClearChargingProfile": Action("smart_charging", Sender.CSMS),
    "GetCompositeSchedule": Action("smart_charging", Sender.CSMS),
    "SetChargingProfile": Action("smart_charging", Sender.CSMS),
    "TriggerMessage": Action("remote_trigger", Sender.CSMS),
    "CertificateSigned": Action("security", Sender.CSMS),
    "DeleteCertificate": Action("security", Sender.CSMS),
    "ExtendedTriggerMessage": Action("security", Sender.CSMS),
    "GetInstalledCertificateIds": Action("security", Sender.CSMS),
    "GetLog": Action("security", Sender.CSMS),
    "InstallCertificate": Action("security", Sender.CSMS),
    "LogStatusNotification": Action("security", Sender.STATION),
    "SecurityEventNotification": Action("security", Sender.STATION),
    "SignCertificate": Action("security", Sender.STATION),
    "SignedFirmwareStatusNotification": Action("security", Sender.STATION),
    "SignedUpdateFirmware": Action("security", Sender.CSMS),
}
