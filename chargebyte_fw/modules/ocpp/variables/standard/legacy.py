"""OCPP16LegacyCtrlr: configuration keys of OCPP 1.6 that no variable of 2.x stands for."""

from __future__ import annotations

from chargebyte_fw.modules.ocpp.variables.declaration import RO, Component

LEGACY = Component("OCPP16LegacyCtrlr")

BLINK_REPEAT = LEGACY.integer("BlinkRepeat", minimum=0, meaning="How often the light blinks for a signal.")
CONNECTOR_PHASE_ROTATION = LEGACY.string(
    "ConnectorPhaseRotation", "", meaning="Order of the phases of each connector: 0.RST,1.RTS."
)
CONNECTOR_PHASE_ROTATION_MAX_LENGTH = LEGACY.integer(
    "ConnectorPhaseRotationMaxLength", mutability=RO, minimum=0, meaning="Items of ConnectorPhaseRotation."
)
GET_CONFIGURATION_MAX_KEYS = LEGACY.integer(
    "GetConfigurationMaxKeys", 1024, mutability=RO, minimum=0, meaning="Keys of a GetConfiguration."
)
LIGHT_INTENSITY = LEGACY.integer(
    "LightIntensity", minimum=0, maximum=100, unit="Percent", meaning="Brightness of the light."
)
MINIMUM_STATUS_DURATION = LEGACY.integer(
    "MinimumStatusDuration", unit="s", minimum=0, meaning="Time that a status lasts before it is sent."
)
NUMBER_OF_CONNECTORS = LEGACY.integer(
    "NumberOfConnectors", 1, mutability=RO, minimum=0, kept=False, meaning="Connectors of the station."
)
STOP_TRANSACTION_ON_EV_SIDE_DISCONNECT = LEGACY.boolean(
    "StopTransactionOnEVSideDisconnect", True, mutability=RO, meaning="Unplugging at the EV ends the transaction."
)
FEATURE_PROFILES = (
    "Core",
    "FirmwareManagement",
    "LocalAuthListManagement",
    "Reservation",
    "SmartCharging",
    "RemoteTrigger",
    "Security",
    "PnC",
    "Internal",
    "CostAndPrice",
    "Custom",
)
SUPPORTED_FEATURE_PROFILES = LEGACY.members(
    "SupportedFeatureProfiles",
    ("Core", "FirmwareManagement", "RemoteTrigger", "Reservation", "LocalAuthListManagement", "SmartCharging"),
    mutability=RO,
    meaning="Profiles of OCPP 1.6 that are in use.",
)
SUPPORTED_FEATURE_PROFILES_MAX_LENGTH = LEGACY.integer(
    "SupportedFeatureProfilesMaxLength", mutability=RO, minimum=0, meaning="Items of SupportedFeatureProfiles."
)
UNLOCK_CONNECTOR_ON_EV_SIDE_DISCONNECT = LEGACY.boolean(
    "UnlockConnectorOnEVSideDisconnect", True, meaning="Unlock the plug when the EV is unplugged."
)
CUSTOM_DISPLAY_COST_AND_PRICE = LEGACY.boolean(
    "CustomDisplayCostAndPrice", False, mutability=RO, meaning="California Pricing is in use."
)
DEFAULT_PRICE = LEGACY.string("DefaultPrice", meaning="Default price as a JSON text.")
DEFAULT_PRICE_TEXT = LEGACY.string("DefaultPriceText", meaning="Default price texts of the languages as a JSON text.")
CUSTOM_IDLE_FEE_AFTER_STOP = LEGACY.boolean("CustomIdleFeeAfterStop", meaning="The idle fee goes on after the stop.")
SUPPORTED_LANGUAGES = LEGACY.members("SupportedLanguages", mutability=RO, meaning="Languages of price texts.")
CUSTOM_MULTI_LANGUAGE_MESSAGES = LEGACY.boolean(
    "CustomMultiLanguageMessages", mutability=RO, meaning="Texts in several languages are supported."
)
LANGUAGE = LEGACY.string("Language", meaning="Language of texts without one.")
WAIT_FOR_SET_USER_PRICE_TIMEOUT = LEGACY.integer(
    "WaitForSetUserPriceTimeout", unit="ms", minimum=0, maximum=30000, meaning="Time for the price after an Authorize."
)
CONNECTOR_EVSE_IDS = LEGACY.string("ConnectorEvseIds", maximum=1000, meaning="EVSEID of ISO 15118 of each connector.")
ALLOW_PROFILE_WITHOUT_START_SCHEDULE = LEGACY.boolean(
    "AllowChargingProfileWithoutStartSchedule", meaning="A profile without startSchedule begins now."
)
REJECT_REMOTE_START_WITHOUT_CONNECTOR_ID = LEGACY.boolean(
    "RejectRemoteStartTransactionWithoutConnectorId", meaning="Such a remote start is rejected."
)
REMOTE_START_FIND_FIRST = LEGACY.boolean(
    "RemoteStartTransactionWithoutConnectorIdFindFirst", meaning="Such a remote start uses the first free connector."
)
WAIT_FOR_STOP_TRANSACTIONS_ON_RESET_TIMEOUT = LEGACY.integer(
    "WaitForStopTransactionsOnResetTimeout", 60, unit="s", minimum=0, meaning="Time for StopTransaction before a reset."
)
SWITCH_SECURITY_PROFILE_TIMEOUT = LEGACY.integer(
    "SwitchSecurityProfileConnectionTimeout", unit="s", minimum=1, absent=20, meaning="Time for a new security profile."
)
REPORT_CLEARED_ERRORS = LEGACY.boolean(
    "ReportClearedErrors", mutability=RO, meaning="Send StatusNotification when an error ends."
)
EXAMPLE_CONFIGURATION_KEY = LEGACY.string(
    "ExampleConfigurationKey", meaning="A key of an integrator: ocpp16-custom-config-mappings.yaml shows it."
)
STOP_TRANSACTION_IF_UNLOCK_NOT_SUPPORTED = LEGACY.boolean(
    "StopTransactionIfUnlockNotSupported", False, meaning="UnlockConnector ends the transaction in any case."
)
METER_PUBLIC_KEYS = LEGACY.string("MeterPublicKeys", mutability=RO, meaning="Public keys of the meters as a JSON text.")
ISO15118_CERTIFICATE_MANAGEMENT_ENABLED = LEGACY.boolean(
    "ISO15118CertificateManagementEnabled", False, meaning="V2G certificates and their status are requested."
)
RESERVE_CONNECTOR_ZERO_SUPPORTED = LEGACY.boolean(
    "ReserveConnectorZeroSupported", False, mutability=RO, meaning="Any connector can be reserved."
)
DISABLE_SECURITY_EVENT_NOTIFICATIONS = LEGACY.boolean(
    "DisableSecurityEventNotifications", False, meaning="Security events are not sent."
)

COMPONENTS = (LEGACY,)
