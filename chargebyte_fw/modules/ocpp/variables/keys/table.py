"""Every configuration key, with the variable that has its value; the order is that of the configuration file."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.modules.ocpp.variables.declaration import RO, RW, Mutability, Variable
from chargebyte_fw.modules.ocpp.variables.keys import checks
from chargebyte_fw.modules.ocpp.variables.keys.key import Key, Part
from chargebyte_fw.modules.ocpp.variables.standard import authorization as auth
from chargebyte_fw.modules.ocpp.variables.standard import communication as comm
from chargebyte_fw.modules.ocpp.variables.standard import (
    cost,
    internal,
    iso15118,
    legacy,
    metering,
    station,
    transactions,
)
from chargebyte_fw.modules.ocpp.variables.standard import smart_charging as smart

SECTIONS = (
    "Internal",
    "Core",
    "FirmwareManagement",
    "Security",
    "LocalAuthListManagement",
    "SmartCharging",
    "PnC",
    "CostAndPrice",
    "Reservation",
    "RemoteTrigger",
    "Custom",
)
"""Sections of the configuration file."""

MEASURANDS = (
    "Energy.Active.Import.Register,Energy.Active.Export.Register,Power.Active.Import,Voltage,Current.Import,Frequency,"
    "Current.Offered,Power.Offered,SoC,Temperature"
)
LIMIT, VALUES = Part.LIMIT, Part.VALUES


def _keys() -> list[Key]:
    keys: list[Key] = []
    section = ""

    def key(name: str, access: Mutability, variable: Variable[Any], **rest: Any) -> None:
        keys.append(Key(name=name, section=section, variable=variable, access=access, **rest))

    aligned, aligned_end = metering.ALIGNED_DATA_MEASURANDS, metering.ALIGNED_DATA_TX_ENDED_MEASURANDS
    sampled, sampled_end = metering.SAMPLED_DATA_TX_UPDATED_MEASURANDS, metering.SAMPLED_DATA_TX_ENDED_MEASURANDS
    slot: dict[str, Variable[Any]] = {
        one.id.name: one.at(slot=1)
        for one in (
            comm.NETWORK_URL,
            comm.NETWORK_IDENTITY,
            comm.NETWORK_BASIC_AUTH_PASSWORD,
            comm.NETWORK_SECURITY_PROFILE,
            comm.NETWORK_HOST_NAME,
        )
    }

    section = "Internal"
    key("ChargePointId", RO, slot["Identity"], required=True)
    key("CentralSystemURI", RO, slot["OcppCsmsUrl"], required=True)
    key("ChargeBoxSerialNumber", RO, internal.CHARGE_BOX_SERIAL_NUMBER, required=True)
    key("ChargePointModel", RO, internal.CHARGE_POINT_MODEL, required=True)
    key("ChargePointSerialNumber", RO, internal.CHARGE_POINT_SERIAL_NUMBER)
    key("ChargePointVendor", RO, internal.CHARGE_POINT_VENDOR, required=True, maximum=20)
    key("FirmwareVersion", RO, internal.FIRMWARE_VERSION, required=True)
    key("ICCID", RO, internal.ICCID)
    key("HostName", RO, slot["HostName"])
    key("IFace", RO, internal.IFACE)
    key("IMSI", RO, internal.IMSI)
    key("MeterSerialNumber", RO, internal.METER_SERIAL_NUMBER)
    key("MeterType", RO, internal.METER_TYPE)
    key("SupportedCiphers12", RO, internal.SUPPORTED_CIPHERS_12, default=",".join(internal.CIPHERS_12))
    key("SupportedCiphers13", RO, internal.SUPPORTED_CIPHERS_13, default=",".join(internal.CIPHERS_13))
    key("UseTPM", RO, internal.USE_TPM, default="false")
    key("UseTPMSeccLeafCertificate", RO, internal.USE_TPM_SECC_LEAF_CERTIFICATE, default="false")
    key("RetryBackoffRandomRange", RW, comm.RETRY_BACK_OFF_RANDOM_RANGE, default="10")
    key("RetryBackoffRepeatTimes", RW, comm.RETRY_BACK_OFF_REPEAT_TIMES, default="3")
    key("RetryBackoffWaitMinimum", RW, comm.RETRY_BACK_OFF_WAIT_MINIMUM, default="3")
    key("AuthorizeConnectorZeroOnConnectorOne", RO, internal.AUTHORIZE_CONNECTOR_ZERO_ON_CONNECTOR_ONE, default="true")
    key("LogMessages", RO, internal.LOG_MESSAGES, default="true")
    key("LogMessagesRaw", RO, internal.LOG_MESSAGES_RAW, default="false")
    key("LogMessagesFormat", RO, internal.LOG_MESSAGES_FORMAT, default="log,html,session_logging,security")
    key("LogRotation", RO, internal.LOG_ROTATION, default="false")
    key("LogRotationDateSuffix", RO, internal.LOG_ROTATION_DATE_SUFFIX, default="false")
    key("LogRotationMaximumFileSize", RO, internal.LOG_ROTATION_MAXIMUM_FILE_SIZE, default="0")
    key("LogRotationMaximumFileCount", RO, internal.LOG_ROTATION_MAXIMUM_FILE_COUNT, default="0")
    purposes = internal.SUPPORTED_CHARGING_PROFILE_PURPOSE_TYPES
    key("SupportedChargingProfilePurposeTypes", RO, purposes, default=",".join(internal.PURPOSES_16))
    key("IgnoredProfilePurposesOffline", RW, smart.IGNORED_PROFILE_PURPOSES_OFFLINE)
    key("MaxCompositeScheduleDuration", RO, internal.MAX_COMPOSITE_SCHEDULE_DURATION, default="31536000")
    key("CompositeScheduleDefaultLimitAmps", RW, smart.DEFAULT_LIMIT_A, default="48")
    key("CompositeScheduleDefaultLimitWatts", RW, smart.DEFAULT_LIMIT_W, default="33120")
    key("CompositeScheduleDefaultNumberPhases", RW, smart.DEFAULT_NUMBER_PHASES, default="3")
    key("SupplyVoltage", RW, smart.SUPPLY_VOLTAGE, default="230")
    key("WebsocketPingPayload", RO, internal.WEBSOCKET_PING_PAYLOAD, default="hello there")
    key("WebsocketPongTimeout", RO, internal.WEBSOCKET_PONG_TIMEOUT, default="5")
    key("UseSslDefaultVerifyPaths", RO, internal.USE_SSL_DEFAULT_VERIFY_PATHS, default="true")
    key("VerifyCsmsCommonName", RO, internal.VERIFY_CSMS_COMMON_NAME, default="true")
    key("VerifyCsmsAllowWildcards", RW, internal.VERIFY_CSMS_ALLOW_WILDCARDS, default="false")
    key("OcspRequestInterval", RW, internal.OCSP_REQUEST_INTERVAL, default="604800")
    key("SeccLeafSubjectCommonName", RW, iso15118.SECC_ID, check=checks.text_length(7, 64))
    key("SeccLeafSubjectCountry", RW, iso15118.COUNTRY_NAME, check=checks.text_length(2, 2))
    key("SeccLeafSubjectOrganization", RW, iso15118.V2G_ORGANIZATION_NAME)
    key("ConnectorEvseIds", RW, legacy.CONNECTOR_EVSE_IDS, check=checks.evse_ids)
    key("AllowChargingProfileWithoutStartSchedule", RW, legacy.ALLOW_PROFILE_WITHOUT_START_SCHEDULE)
    key("RejectRemoteStartTransactionWithoutConnectorId", RW, legacy.REJECT_REMOTE_START_WITHOUT_CONNECTOR_ID)
    key("RemoteStartTransactionWithoutConnectorIdFindFirst", RW, legacy.REMOTE_START_FIND_FIRST)
    reset_timeout = legacy.WAIT_FOR_STOP_TRANSACTIONS_ON_RESET_TIMEOUT
    key("WaitForStopTransactionsOnResetTimeout", RW, reset_timeout, default="60")
    key("SwitchSecurityProfileConnectionTimeout", RW, legacy.SWITCH_SECURITY_PROFILE_TIMEOUT)
    key("QueueAllMessages", RO, comm.QUEUE_ALL_MESSAGES)
    key("ReportClearedErrors", RO, legacy.REPORT_CLEARED_ERRORS)
    key("ReportSuspendedEVSEReasonChange", RW, internal.REPORT_SUSPENDED_EVSE_REASON_CHANGE, default="false")
    key("MessageTypesDiscardForQueueing", RO, comm.MESSAGE_TYPES_DISCARD_FOR_QUEUEING)
    key("MessageQueueSizeThreshold", RO, internal.MESSAGE_QUEUE_SIZE_THRESHOLD)
    others = (aligned_end, sampled, sampled_end, metering.SAMPLED_DATA_TX_STARTED_MEASURANDS)
    key("SupportedMeasurands", RO, aligned, part=VALUES, default=MEASURANDS, also=others)
    key("MaxMessageSize", RO, internal.MAX_MESSAGE_SIZE, default="65000", minimum=32000)
    key("TLSKeylogFile", RO, internal.TLS_KEYLOG_FILE, default="/tmp/ocpp_tls_keylog.txt")
    key("EnableTLSKeylog", RO, internal.ENABLE_TLS_KEYLOG, default="false")
    key("StopTransactionIfUnlockNotSupported", RW, legacy.STOP_TRANSACTION_IF_UNLOCK_NOT_SUPPORTED, default="false")
    key("MeterPublicKeys", RO, legacy.METER_PUBLIC_KEYS, hidden=True)

    section = "Core"
    key("AllowOfflineTxForUnknownId", RW, auth.OFFLINE_TX_FOR_UNKNOWN_ID_ENABLED)
    key("AuthorizationCacheEnabled", RW, auth.AUTH_CACHE_ENABLED)
    key("AuthorizeRemoteTxRequests", RW, auth.AUTHORIZE_REMOTE_START, required=True)
    key("BlinkRepeat", RW, legacy.BLINK_REPEAT)
    key("ClockAlignedDataInterval", RW, metering.ALIGNED_DATA_INTERVAL, required=True)
    key("ConnectionTimeOut", RW, transactions.EV_CONNECTION_TIME_OUT, required=True)
    key("ConnectorPhaseRotation", RW, legacy.CONNECTOR_PHASE_ROTATION, required=True, check=checks.phase_rotation)
    key("ConnectorPhaseRotationMaxLength", RO, legacy.CONNECTOR_PHASE_ROTATION_MAX_LENGTH)
    key("GetConfigurationMaxKeys", RO, legacy.GET_CONFIGURATION_MAX_KEYS, required=True)
    key("HeartbeatInterval", RW, comm.HEARTBEAT_INTERVAL, required=True)
    key("LightIntensity", RW, legacy.LIGHT_INTENSITY)
    key("LocalAuthorizeOffline", RW, auth.LOCAL_AUTHORIZE_OFFLINE, required=True)
    key("LocalPreAuthorize", RW, auth.LOCAL_PRE_AUTHORIZE, required=True)
    key("MaxEnergyOnInvalidId", RW, transactions.MAX_ENERGY_ON_INVALID_ID)
    key("MeterValuesAlignedData", RW, aligned, required=True, check=checks.measurands(aligned))
    key("MeterValuesAlignedDataMaxLength", RO, aligned, part=LIMIT)
    key("MeterValuesSampledData", RW, sampled, required=True, check=checks.measurands(sampled))
    key("MeterValuesSampledDataMaxLength", RO, sampled, part=LIMIT)
    key("MeterValueSampleInterval", RW, metering.SAMPLED_DATA_TX_UPDATED_INTERVAL, required=True)
    key("MinimumStatusDuration", RW, legacy.MINIMUM_STATUS_DURATION)
    key("NumberOfConnectors", RO, legacy.NUMBER_OF_CONNECTORS, required=True)
    key("ResetRetries", RW, comm.RESET_RETRIES, required=True)
    key("StopTransactionOnEVSideDisconnect", RO, legacy.STOP_TRANSACTION_ON_EV_SIDE_DISCONNECT)
    key("StopTransactionOnInvalidId", RW, transactions.STOP_TX_ON_INVALID_ID, required=True)
    key("StopTxnAlignedData", RW, aligned_end, required=True, check=checks.measurands(aligned_end))
    key("StopTxnAlignedDataMaxLength", RO, aligned_end, part=LIMIT)
    key("StopTxnSampledData", RW, sampled_end, required=True, check=checks.measurands(sampled_end))
    key("StopTxnSampledDataMaxLength", RO, sampled_end, part=LIMIT)
    key("SupportedFeatureProfiles", RO, legacy.SUPPORTED_FEATURE_PROFILES, required=True)
    key("SupportedFeatureProfilesMaxLength", RO, legacy.SUPPORTED_FEATURE_PROFILES_MAX_LENGTH)
    key("TransactionMessageAttempts", RW, comm.MESSAGE_ATTEMPTS, required=True)
    key("TransactionMessageRetryInterval", RW, comm.MESSAGE_ATTEMPT_INTERVAL, required=True)
    key("UnlockConnectorOnEVSideDisconnect", RW, legacy.UNLOCK_CONNECTOR_ON_EV_SIDE_DISCONNECT, required=True)
    key("WebSocketPingInterval", RW, comm.WEB_SOCKET_PING_INTERVAL)

    section = "FirmwareManagement"
    key("SupportedFileTransferProtocols", RO, comm.FILE_TRANSFER_PROTOCOLS)

    section = "Security"
    key("AdditionalRootCertificateCheck", RO, comm.ADDITIONAL_ROOT_CERTIFICATE_CHECK)
    password = slot["BasicAuthPassword"]
    key("AuthorizationKey", RW, password, hidden=True, check=checks.text_length(8, 64))
    key("CertificateSignedMaxChainSize", RO, comm.MAX_CERTIFICATE_CHAIN_SIZE)
    key("CertificateStoreMaxLength", RO, comm.CERTIFICATE_ENTRIES, part=LIMIT)
    key("CpoName", RW, comm.ORGANIZATION_NAME)
    profile = slot["SecurityProfile"]
    key("SecurityProfile", RW, profile, default="0", required=True, check=checks.not_lowered(profile))
    key("DisableSecurityEventNotifications", RW, legacy.DISABLE_SECURITY_EVENT_NOTIFICATIONS, default="false")

    section = "LocalAuthListManagement"
    key("LocalAuthListEnabled", RW, auth.LOCAL_AUTH_LIST_ENABLED, required=True)
    key("LocalAuthListMaxLength", RO, auth.LOCAL_AUTH_LIST_ENTRIES, part=LIMIT, required=True)
    key("SendLocalListMaxLength", RO, auth.LOCAL_AUTH_LIST_ITEMS_PER_MESSAGE, required=True)

    section = "SmartCharging"
    key("ChargeProfileMaxStackLevel", RO, smart.PROFILE_STACK_LEVEL, required=True)
    key("ChargingScheduleAllowedChargingRateUnit", RO, smart.RATE_UNIT, default="Current,Power", required=True)
    key("ChargingScheduleMaxPeriods", RO, smart.PERIODS_PER_SCHEDULE, default="1440", required=True)
    key("ConnectorSwitch3to1PhaseSupported", RO, smart.PHASES_3_TO_1)
    profiles = smart.CHARGING_PROFILE_ENTRIES
    key("MaxChargingProfilesInstalled", RO, profiles, part=LIMIT, default="500", required=True)

    section = "PnC"
    management = legacy.ISO15118_CERTIFICATE_MANAGEMENT_ENABLED
    key("ISO15118CertificateManagementEnabled", RW, management, default="false")
    key("ISO15118PnCEnabled", RW, iso15118.PNC_ENABLED, required=True)
    key("CentralContractValidationAllowed", RW, iso15118.CENTRAL_CONTRACT_VALIDATION_ALLOWED)
    key("CertSigningWaitMinimum", RW, comm.CERT_SIGNING_WAIT_MINIMUM)
    key("CertSigningRepeatTimes", RW, comm.CERT_SIGNING_REPEAT_TIMES)
    key("ContractValidationOffline", RW, iso15118.CONTRACT_VALIDATION_OFFLINE, required=True)

    section = "CostAndPrice"
    key("CustomDisplayCostAndPrice", RO, legacy.CUSTOM_DISPLAY_COST_AND_PRICE, required=True)
    key("NumberOfDecimalsForCostValues", RO, cost.NUMBER_OF_DECIMALS_FOR_COST_VALUES)
    key("DefaultPrice", RW, legacy.DEFAULT_PRICE, check=checks.default_price)
    key("DefaultPriceText", RW, legacy.DEFAULT_PRICE_TEXT, hidden=True)
    key("TimeOffset", RW, station.TIME_OFFSET, check=checks.time_offset)
    key("NextTimeOffsetTransitionDateTime", RW, station.NEXT_TIME_OFFSET_TRANSITION, check=checks.date)
    key("TimeOffsetNextTransition", RW, station.TIME_OFFSET_NEXT, check=checks.time_offset)
    key("CustomIdleFeeAfterStop", RW, legacy.CUSTOM_IDLE_FEE_AFTER_STOP)
    key("SupportedLanguages", RO, legacy.SUPPORTED_LANGUAGES)
    key("CustomMultiLanguageMessages", RO, legacy.CUSTOM_MULTI_LANGUAGE_MESSAGES)
    key("Language", RW, legacy.LANGUAGE, check=checks.language)
    key("WaitForSetUserPriceTimeout", RW, legacy.WAIT_FOR_SET_USER_PRICE_TIMEOUT)

    section = "Reservation"
    key("ReserveConnectorZeroSupported", RO, legacy.RESERVE_CONNECTOR_ZERO_SUPPORTED)
    return keys


KEYS: tuple[Key, ...] = tuple(_keys())
SLOT_KEYS = ("ChargePointId", "CentralSystemURI", "HostName", "AuthorizationKey", "SecurityProfile")
"""Keys of the network slot that OCPP 1.6 uses."""
