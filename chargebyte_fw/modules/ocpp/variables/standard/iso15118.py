"""ISO15118Ctrlr, ConnectedEV, V2XChargingCtrlr, ACDERCtrlr and DCDERCtrlr: what the station knows of the EV."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.modules.ocpp.variables.declaration import RO, Component, Variable
from chargebyte_fw.modules.ocpp.variables.standard.metering import MEASURANDS

ISO15118 = Component("ISO15118Ctrlr")

ISO15118_AVAILABLE = ISO15118.boolean("Available", True, mutability=RO, meaning="ISO 15118 is supported.")
ISO15118_ENABLED = ISO15118.boolean("Enabled", True, absent=True, meaning="ISO 15118 is in use.")
CENTRAL_CONTRACT_VALIDATION_ALLOWED = ISO15118.boolean(
    "CentralContractValidationAllowed", meaning="The CSMS may validate a contract whose root is not installed."
)
CONTRACT_VALIDATION_OFFLINE = ISO15118.boolean(
    "ContractValidationOffline", True, required=True, meaning="Contracts are validated while offline."
)
SECC_ID = ISO15118.string("SeccId", maximum=64, meaning="Common name of the V2G signing request.")
MAX_SCHEDULE_ENTRIES = ISO15118.integer("MaxScheduleEntries", mutability=RO, absent=1024, meaning="Periods for the EV.")
REQUESTED_ENERGY_TRANSFER_MODE = ISO15118.option(
    "RequestedEnergyTransferMode",
    mutability=RO,
    values=("DC", "AC_single_phase", "AC_two_phase", "AC_three_phase"),
    kept=False,
    meaning="Mode that the EV has asked for.",
)
REQUEST_METERING_RECEIPT = ISO15118.boolean("RequestMeteringReceipt", meaning="The EV is asked for metering receipts.")
COUNTRY_NAME = ISO15118.string("CountryName", maximum=2, meaning="Country of the V2G signing request.")
V2G_ORGANIZATION_NAME = ISO15118.string("OrganizationName", maximum=64, meaning="Organization of that request.")
PNC_ENABLED = ISO15118.boolean("PnCEnabled", True, meaning="Plug and Charge is offered.")
V2G_CERTIFICATE_INSTALLATION_ENABLED = ISO15118.boolean(
    "V2GCertificateInstallationEnabled", meaning="V2G certificates are requested from the CSMS."
)
CONTRACT_CERTIFICATE_INSTALLATION_ENABLED = ISO15118.boolean(
    "ContractCertificateInstallationEnabled", True, absent=True, meaning="Contract certificates are passed to the EV."
)
CERTIFICATE_STATUS_SOURCE = ISO15118.members(
    "CertificateStatusSource",
    ("OCSP",),
    mutability=RO,
    values=("CRL", "OCSP"),
    since="2.1",
    meaning="How revoked certificates are found.",
)
NOTIFICATION_DELAY = ISO15118.integer(
    "NotificationDelay", unit="s", minimum=0, since="2.1", meaning="Time in which the EV is to renegotiate."
)
MAX_PRICE_ELEMENTS = ISO15118.integer(
    "MaxPriceElements", mutability=RO, since="2.1", meaning="Price elements of a schedule that are accepted."
)

EVSE_ISO15118 = Component("ISO15118Ctrlr", per="evse")
"""The same component of one EVSE: what its SECC can do."""

EVSE_ISO15118_ENABLED = EVSE_ISO15118.boolean(
    "Enabled", True, mutability=RO, kept=False, meaning="ISO 15118 is in use at the EVSE."
)
SERVICE_RENEGOTIATION_SUPPORT = EVSE_ISO15118.boolean(
    "ServiceRenegotiationSupport", mutability=RO, kept=False, meaning="Services can be negotiated again."
)
PROTOCOL_SUPPORTED = EVSE_ISO15118.string(
    "ProtocolSupported", mutability=RO, kept=False, shipped=False, meaning="Protocol: namespace, major, minor version."
)
"""Instances `1` to `20`."""

CONNECTED_EV = Component("ConnectedEV", per="evse")

CONNECTED_EV_AVAILABLE = CONNECTED_EV.boolean(
    "Available", False, mutability=RO, kept=False, meaning="An EV is plugged in."
)
VEHICLE_ID = CONNECTED_EV.string("VehicleId", mutability=RO, kept=False, meaning="EVCCID of the EV.")
PROTOCOL_AGREED = CONNECTED_EV.string(
    "ProtocolAgreed", mutability=RO, kept=False, meaning="Protocol that is spoken with the EV."
)
PROTOCOL_SUPPORTED_BY_EV = CONNECTED_EV.string(
    "ProtocolSupportedByEV", mutability=RO, kept=False, shipped=False, meaning="Protocol that the EV offers."
)
"""Instances `1` to `20`."""
VEHICLE_CERTIFICATE_LEAF = CONNECTED_EV.string(
    "VehicleCertificate", instance="Leaf", mutability=RO, kept=False, meaning="Certificate of the EV."
)
VEHICLE_CERTIFICATE_SUB_CA1 = CONNECTED_EV.string(
    "VehicleCertificate", instance="SubCA1", mutability=RO, kept=False, meaning="First intermediate certificate."
)
VEHICLE_CERTIFICATE_SUB_CA2 = CONNECTED_EV.string(
    "VehicleCertificate", instance="SubCA2", mutability=RO, kept=False, meaning="Second intermediate certificate."
)
VEHICLE_CERTIFICATE_ROOT = CONNECTED_EV.string(
    "VehicleCertificate", instance="Root", mutability=RO, kept=False, meaning="Root certificate of the EV."
)

ENERGY_TRANSFER_MODES = (
    "AC_single_phase",
    "AC_two_phase",
    "AC_three_phase",
    "DC",
    "AC_BPT",
    "AC_BPT_DER",
    "AC_DER",
    "DC_BPT",
    "DC_ACDP",
    "DC_ACDP_BPT",
    "WPT",
)
OPERATION_MODES = (
    "Idle",
    "ChargingOnly",
    "CentralSetpoint",
    "ExternalSetpoint",
    "ExternalLimits",
    "CentralFrequency",
    "LocalFrequency",
    "LocalLoadBalancing",
)

V2X = Component("V2XChargingCtrlr", per="evse")

V2X_AVAILABLE = V2X.boolean(
    "Available", False, mutability=RO, kept=False, since="2.1", meaning="The EVSE can discharge."
)
V2X_ENABLED = V2X.boolean("Enabled", False, since="2.1", meaning="Discharging is allowed.")
SUPPORTED_ENERGY_TRANSFER_MODES = V2X.members(
    "SupportedEnergyTransferModes",
    mutability=RO,
    values=ENERGY_TRANSFER_MODES,
    kept=False,
    since="2.1",
    meaning="Energy transfer services of the EVSE.",
)
SUPPORTED_OPERATION_MODES = V2X.members(
    "SupportedOperationModes",
    ("ChargingOnly", "CentralSetpoint", "CentralFrequency"),
    mutability=RO,
    values=OPERATION_MODES,
    since="2.1",
    meaning="Operation modes of the EVSE.",
)
V2X_TX_STARTED_MEASURANDS, V2X_TX_UPDATED_MEASURANDS, V2X_TX_ENDED_MEASURANDS = (
    V2X.members(name, values=MEASURANDS, shipped=False, since="2.1", meaning="More measurands in an operation mode.")
    for name in ("TxStartedMeasurands", "TxUpdatedMeasurands", "TxEndedMeasurands")
)
"""An instance for each operation mode: in addition to those of SampledDataCtrlr (Q01.FR.33 to 35)."""
LOCAL_FREQUENCY_UPDATE_THRESHOLD = V2X.integer(
    "LocalFrequencyUpdateThreshold", minimum=0, since="2.1", meaning="Change in mHz after which the set-point is new."
)
LOCAL_LOAD_BALANCING_UPPER_THRESHOLD = V2X.decimal(
    "LocalLoadBalancing", instance="UpperThreshold", unit="W", since="2.1", meaning="Power above which it begins."
)
LOCAL_LOAD_BALANCING_LOWER_THRESHOLD = V2X.decimal(
    "LocalLoadBalancing", instance="LowerThreshold", unit="W", since="2.1", meaning="Power below which it begins."
)
LOCAL_LOAD_BALANCING_UPPER_OFFSET = V2X.decimal(
    "LocalLoadBalancing", instance="UpperOffset", unit="W", since="2.1", meaning="Added to the upper threshold."
)
LOCAL_LOAD_BALANCING_LOWER_OFFSET = V2X.decimal(
    "LocalLoadBalancing", instance="LowerOffset", unit="W", since="2.1", meaning="Added to the lower threshold."
)

DER_MODES = (
    "EnterService",
    "FreqDroop",
    "FreqWatt",
    "FixedPFAbsorb",
    "FixedPFInject",
    "FixedVar",
    "Gradients",
    "HFMustTrip",
    "HFMayTrip",
    "HVMustTrip",
    "HVMomCess",
    "HVMayTrip",
    "LimitMaxDischarge",
    "LFMustTrip",
    "LVMustTrip",
    "LVMomCess",
    "LVMayTrip",
    "PowerMonitoringMustTrip",
    "VoltVar",
    "VoltWatt",
    "WattPF",
    "WattVar",
)

_DER_RATINGS = {
    "MaxW": ("W", "Active power at a power factor of 1."),
    "MaxVA": ("VA", "Apparent power."),
    "MaxVar": ("var", "Reactive power that is injected."),
    "MaxVarNeg": ("var", "Reactive power that is absorbed."),
    "MaxChargeRateW": ("W", "Active power of charging."),
    "MaxChargeRateVA": ("VA", "Apparent power of charging."),
    "OverExcitedPF": ("", "Power factor, over-excited."),
    "OverExcitedW": ("W", "Active power at that power factor."),
    "UnderExcitedPF": ("", "Power factor, under-excited."),
    "UnderExcitedW": ("W", "Active power at that power factor."),
    "ReactiveSusceptance": ("S", "Susceptance that stays connected after a trip."),
}
_DER_INVERTER = {
    "InverterManufacturer": "Manufacturer of the inverter.",
    "InverterModel": "Model of the inverter.",
    "InverterSwVersion": "Software version of the inverter.",
    "InverterHwVersion": "Hardware version of the inverter.",
}


class DerVariables:
    """The variables of ACDERCtrlr or DCDERCtrlr: they exist once the EVSE has published its capability."""

    def __init__(self, name: str) -> None:
        component = Component(name, per="evse")
        rest: dict[str, Any] = {"mutability": RO, "kept": False, "since": "2.1", "shipped": False}
        self.component = component
        self.available: Variable[bool] = component.boolean(
            "Available", False, meaning="The inverter is controllable.", **rest
        )
        self.enabled: Variable[bool] = component.boolean(
            "Enabled", True, since="2.1", shipped=False, meaning="Controls of the CSMS are in use."
        )
        self.modes_supported: Variable[tuple[str, ...]] = component.members(
            "ModesSupported", values=DER_MODES, meaning="Control functions of the inverter.", **rest
        )
        self.ratings: dict[str, Variable[float]] = {
            rating: component.decimal(rating, unit=unit, meaning=meaning, **rest)
            for rating, (unit, meaning) in _DER_RATINGS.items()
        }
        self.inverter: dict[str, Variable[str]] = {
            part: component.string(part, meaning=meaning, **rest) for part, meaning in _DER_INVERTER.items()
        }


AC_DER = DerVariables("ACDERCtrlr")
DC_DER = DerVariables("DCDERCtrlr")

COMPONENTS = (ISO15118, EVSE_ISO15118, CONNECTED_EV, V2X, AC_DER.component, DC_DER.component)
