"""InternalCtrlr: what EVerest configures beside the standard."""

from __future__ import annotations

from chargebyte_fw.modules.ocpp.variables.declaration import RO, Component

CIPHERS_12 = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "AES128-GCM-SHA256",
    "AES256-GCM-SHA384",
)
CIPHERS_13 = ("TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256")
PURPOSES_16 = ("ChargePointMaxProfile", "TxDefaultProfile", "TxProfile")
LOG_FORMATS = ("log", "html", "console", "console_detailed", "session_logging", "callback", "security")
CRITERIA = ("Enabled", "Active", "Available", "Problem")

INTERNAL = Component("InternalCtrlr")

INTERNAL_ENABLED = INTERNAL.boolean("Enabled", True, meaning="The component is in use.")
NETWORK_CONNECTION_PROFILES = INTERNAL.string(
    "NetworkConnectionProfiles",
    '[{"configurationSlot": 1, "connectionData": {"ocppCsmsUrl": "ws://localhost:9000", "securityProfile": 1, '
    '"messageTimeout": 30, "ocppInterface": "Wired0", "ocppTransport": "JSON", "ocppVersion": "OCPP20"}}]',
    meaning="Connections as a JSON text: taken over once to NetworkConfiguration.",
)
CHARGE_BOX_SERIAL_NUMBER = INTERNAL.string(
    "ChargeBoxSerialNumber",
    "cp001",
    mutability=RO,
    required=True,
    maximum=25,
    meaning="Common name of signing requests.",
)
CHARGE_POINT_MODEL = INTERNAL.string(
    "ChargePointModel", "chargebyte_fw", mutability=RO, required=True, maximum=20, meaning="Model in BootNotification."
)
CHARGE_POINT_SERIAL_NUMBER = INTERNAL.string(
    "ChargePointSerialNumber", mutability=RO, maximum=25, meaning="Serial number in BootNotification."
)
CHARGE_POINT_VENDOR = INTERNAL.string(
    "ChargePointVendor", "chargebyte", mutability=RO, required=True, maximum=50, meaning="Vendor in BootNotification."
)
FIRMWARE_VERSION = INTERNAL.string(
    "FirmwareVersion", "1.0", mutability=RO, required=True, maximum=50, meaning="Firmware version in BootNotification."
)
ICCID = INTERNAL.string("ICCID", mutability=RO, maximum=20, meaning="Number of the SIM card in BootNotification.")
IMSI = INTERNAL.string("IMSI", mutability=RO, maximum=20, meaning="Number of the subscriber in BootNotification.")
METER_SERIAL_NUMBER = INTERNAL.string(
    "MeterSerialNumber", mutability=RO, maximum=25, meaning="Serial number of the meter."
)
METER_TYPE = INTERNAL.string("MeterType", mutability=RO, maximum=25, meaning="Type of the meter.")
SUPPORTED_CIPHERS_12 = INTERNAL.members(
    "SupportedCiphers12", CIPHERS_12, mutability=RO, required=True, separator=":", meaning="Cipher suites of TLS 1.2."
)
SUPPORTED_CIPHERS_13 = INTERNAL.members(
    "SupportedCiphers13", CIPHERS_13, mutability=RO, required=True, separator=":", meaning="Cipher suites of TLS 1.3."
)
USE_TPM = INTERNAL.boolean("UseTPM", False, mutability=RO, meaning="The key of the client certificate is in a TPM.")
USE_TPM_SECC_LEAF_CERTIFICATE = INTERNAL.boolean(
    "UseTPMSeccLeafCertificate", False, mutability=RO, meaning="The key of the V2G certificate is in a TPM."
)
AUTHORIZE_CONNECTOR_ZERO_ON_CONNECTOR_ONE = INTERNAL.boolean(
    "AuthorizeConnectorZeroOnConnectorOne",
    True,
    mutability=RO,
    meaning="OCPP 1.6: a single connector is also number 0.",
)
LOG_MESSAGES = INTERNAL.boolean("LogMessages", True, mutability=RO, meaning="Write a log of the messages.")
LOG_MESSAGES_RAW = INTERNAL.boolean(
    "LogMessagesRaw", False, mutability=RO, meaning="Write the frames as they are, too."
)
LOG_MESSAGES_FORMAT = INTERNAL.members(
    "LogMessagesFormat",
    ("log", "html", "security"),
    mutability=RO,
    required=True,
    values=LOG_FORMATS,
    meaning="Where messages are logged; `callback` publishes them.",
)
LOG_ROTATION = INTERNAL.boolean("LogRotation", False, mutability=RO, meaning="Begin a new file at a size.")
LOG_ROTATION_DATE_SUFFIX = INTERNAL.boolean(
    "LogRotationDateSuffix", False, mutability=RO, meaning="The date is in the name of a file that is complete."
)
LOG_ROTATION_MAXIMUM_FILE_SIZE = INTERNAL.integer(
    "LogRotationMaximumFileSize", 0, mutability=RO, unit="B", minimum=0, meaning="Size of a file; 0: any."
)
LOG_ROTATION_MAXIMUM_FILE_COUNT = INTERNAL.integer(
    "LogRotationMaximumFileCount", 0, mutability=RO, minimum=0, meaning="Files that are kept; 0: all."
)
SUPPORTED_CHARGING_PROFILE_PURPOSE_TYPES = INTERNAL.members(
    "SupportedChargingProfilePurposeTypes",
    PURPOSES_16,
    mutability=RO,
    values=PURPOSES_16,
    meaning="OCPP 1.6: purposes of profiles that are accepted.",
)
MAX_COMPOSITE_SCHEDULE_DURATION = INTERNAL.integer(
    "MaxCompositeScheduleDuration",
    31536000,
    mutability=RO,
    unit="s",
    minimum=0,
    meaning="OCPP 1.6: longer ones are cut.",
)
USE_SSL_DEFAULT_VERIFY_PATHS = INTERNAL.boolean(
    "UseSslDefaultVerifyPaths", True, mutability=RO, meaning="Trust the root certificates of the system, too."
)
VERIFY_CSMS_COMMON_NAME = INTERNAL.boolean(
    "VerifyCsmsCommonName", True, mutability=RO, meaning="The certificate of the CSMS must have its host name."
)
VERIFY_CSMS_ALLOW_WILDCARDS = INTERNAL.boolean(
    "VerifyCsmsAllowWildcards", False, meaning="Wildcards in that name are accepted."
)
REPORT_SUSPENDED_EVSE_REASON_CHANGE = INTERNAL.boolean(
    "ReportSuspendedEVSEReasonChange",
    False,
    meaning="OCPP 1.6: send SuspendedEVSE again when only the reason is another.",
)
IFACE = INTERNAL.string("IFace", mutability=RO, meaning="Network interface of the connection.")
ENABLE_TLS_KEYLOG = INTERNAL.boolean(
    "EnableTLSKeylog", False, mutability=RO, meaning="Write TLS keys to a file, for tests."
)
TLS_KEYLOG_FILE = INTERNAL.string("TLSKeylogFile", "/tmp/ocpp_tls_keylog.txt", mutability=RO, meaning="That file.")
OCSP_REQUEST_INTERVAL = INTERNAL.integer(
    "OcspRequestInterval", 604800, unit="s", minimum=86400, meaning="Time between requests for certificate status."
)
WEBSOCKET_PING_PAYLOAD = INTERNAL.string(
    "WebsocketPingPayload", "hello there", mutability=RO, maximum=125, meaning="Content of a ping."
)
WEBSOCKET_PONG_TIMEOUT = INTERNAL.integer(
    "WebsocketPongTimeout", 5, mutability=RO, unit="s", minimum=1, meaning="Time for the answer to a ping."
)
MONITORS_PROCESSING_INTERVAL = INTERNAL.integer(
    "MonitorsProcessingInterval", 1, mutability=RO, unit="s", minimum=1, meaning="Least time between periodic events."
)
MAX_CUSTOMER_INFORMATION_DATA_LENGTH = INTERNAL.integer(
    "MaxCustomerInformationDataLength",
    51200,
    mutability=RO,
    minimum=512,
    meaning="Characters after which a report is cut.",
)
V2G_CERTIFICATE_CHECK_DELAY = INTERNAL.integer(
    "V2GCertificateExpireCheckInitialDelaySeconds",
    60,
    mutability=RO,
    unit="s",
    minimum=0,
    meaning="First check of expiry.",
)
V2G_CERTIFICATE_CHECK_INTERVAL = INTERNAL.integer(
    "V2GCertificateExpireCheckIntervalSeconds", 43200, mutability=RO, unit="s", minimum=1, meaning="Further checks."
)
CLIENT_CERTIFICATE_CHECK_DELAY = INTERNAL.integer(
    "ClientCertificateExpireCheckInitialDelaySeconds",
    60,
    mutability=RO,
    unit="s",
    minimum=0,
    meaning="First check of the client certificate's expiry.",
)
CLIENT_CERTIFICATE_CHECK_INTERVAL = INTERNAL.integer(
    "ClientCertificateExpireCheckIntervalSeconds", 43200, mutability=RO, unit="s", minimum=1, meaning="Further checks."
)
UPDATE_CERTIFICATE_SYMLINKS = INTERNAL.boolean(
    "UpdateCertificateSymlinks", False, mutability=RO, meaning="Keep links to the certificates in use."
)
MESSAGE_QUEUE_SIZE_THRESHOLD = INTERNAL.integer(
    "MessageQueueSizeThreshold",
    mutability=RO,
    minimum=1,
    absent=1000,
    meaning="Messages in the queue before some are dropped.",
)
MAX_MESSAGE_SIZE = INTERNAL.integer(
    "MaxMessageSize", 65000, mutability=RO, unit="B", minimum=1, meaning="Size of a message that is sent."
)
SUPPORTED_CRITERIA = INTERNAL.members(
    "SupportedCriteria", CRITERIA, mutability=RO, values=CRITERIA, meaning="Criteria of GetReport that are supported."
)
ROUND_CLOCK_ALIGNED_TIMESTAMPS = INTERNAL.boolean(
    "RoundClockAlignedTimestamps", False, mutability=RO, meaning="Aligned meter values have the time of the raster."
)
RESUME_TRANSACTIONS_ON_BOOT = INTERNAL.boolean(
    "ResumeTransactionsOnBoot", False, mutability=RO, meaning="Go on with transactions after a power loss."
)
NETWORK_CONFIG_TIMEOUT = INTERNAL.integer(
    "NetworkConfigTimeout", 60, unit="s", minimum=1, meaning="Time for the set-up of a network interface."
)
ALLOW_CSMS_ROOT_UNSECURE = INTERNAL.boolean(
    "AllowCSMSRootCertInstallWithUnsecureConnection",
    True,
    mutability=RO,
    meaning="A CSMS root certificate may be installed over a connection without TLS.",
)
ALLOW_MF_ROOT_UNSECURE = INTERNAL.boolean(
    "AllowMFRootCertInstallWithUnsecureConnection",
    True,
    mutability=RO,
    meaning="A manufacturer's root certificate may be installed over a connection without TLS.",
)
ALLOW_SECURITY_LEVEL_ZERO_CONNECTIONS = INTERNAL.boolean(
    "AllowSecurityLevelZeroConnections", False, mutability=RO, meaning="Security profile 0 may be used."
)
DEFER_FIRMWARE_DOWNLOAD = INTERNAL.boolean(
    "DeferFirmwareDownloadDuringTransaction",
    False,
    mutability=RO,
    meaning="A download waits for the end of transactions.",
)
SUPPORTED_OCPP_VERSIONS = INTERNAL.sequence(
    "SupportedOcppVersions",
    ("ocpp2.1", "ocpp2.0.1"),
    mutability=RO,
    required=True,
    values=("ocpp2.0.1", "ocpp2.1"),
    meaning="Sub-protocols that are offered, the preferred one first.",
)

COMPONENTS = (INTERNAL,)
