"""OCPPCommCtrlr, NetworkConfiguration and SecurityCtrlr: the connection to the CSMS."""

from __future__ import annotations

from chargebyte_fw.modules.ocpp.variables.declaration import RO, WO, Component

COMM = Component("OCPPCommCtrlr")

COMM_ENABLED = COMM.boolean("Enabled", True, meaning="The connection to the CSMS is used.")
ACTIVE_NETWORK_PROFILE = COMM.integer(
    "ActiveNetworkProfile",
    1,
    mutability=RO,
    meaning="Slot of the connection over which the CSMS last accepted the boot.",
)
FILE_TRANSFER_PROTOCOLS = COMM.members(
    "FileTransferProtocols",
    ("FTP", "FTPS", "HTTP", "HTTPS", "SFTP"),
    mutability=RO,
    values=("FTP", "FTPS", "HTTP", "HTTPS", "SFTP"),
    required=True,
    meaning="Protocols for firmware and logs.",
)
HEARTBEAT_INTERVAL = COMM.integer(
    "HeartbeatInterval",
    1800,
    unit="s",
    minimum=0,
    meaning="Time between Heartbeats; BootNotification's interval sets it.",
)
MESSAGE_TIMEOUT = COMM.integer(
    "MessageTimeout",
    60,
    instance="Default",
    mutability=RO,
    unit="s",
    minimum=1,
    required=True,
    meaning="Time for the answer to a message.",
)
MESSAGE_ATTEMPT_INTERVAL = COMM.integer(
    "MessageAttemptInterval",
    10,
    instance="TransactionEvent",
    unit="s",
    minimum=0,
    required=True,
    meaning="Pause before a transaction message is sent again, times the attempts already made.",
)
MESSAGE_ATTEMPTS = COMM.integer(
    "MessageAttempts",
    5,
    instance="TransactionEvent",
    minimum=0,
    required=True,
    meaning="How often a transaction message is sent before it is given up.",
)
NETWORK_CONFIGURATION_PRIORITY = COMM.sequence(
    "NetworkConfigurationPriority",
    ("1",),
    values=("1", "2"),
    required=True,
    meaning="Slots of NetworkConfiguration in the order in which they are tried.",
)
NETWORK_PROFILE_CONNECTION_ATTEMPTS = COMM.integer(
    "NetworkProfileConnectionAttempts",
    3,
    minimum=-1,
    required=True,
    meaning="Attempts with a slot before the next one is tried; -1 is without end.",
)
OFFLINE_THRESHOLD = COMM.integer(
    "OfflineThreshold",
    60,
    unit="s",
    minimum=0,
    required=True,
    meaning="After a longer time offline the status of every connector is sent.",
)
PUBLIC_KEY_WITH_SIGNED_METER_VALUE = COMM.option(
    "PublicKeyWithSignedMeterValue",
    values=("Never", "OncePerTransaction", "EveryMeterValue"),
    absent="EveryMeterValue",
    meaning="When the public key of the meter goes with a signed value.",
)
QUEUE_ALL_MESSAGES = COMM.boolean("QueueAllMessages", meaning="Keep every message while offline.")
MESSAGE_TYPES_DISCARD_FOR_QUEUEING = COMM.sequence(
    "MessageTypesDiscardForQueueing", mutability=RO, meaning="Messages that are not kept while offline in any case."
)
RESET_RETRIES = COMM.integer(
    "ResetRetries", 3, minimum=0, required=True, meaning="Attempts to reset again after one failed."
)
RETRY_BACK_OFF_RANDOM_RANGE = COMM.integer(
    "RetryBackOffRandomRange",
    2,
    unit="s",
    minimum=0,
    required=True,
    meaning="Greatest random part of the pause before a new attempt to connect.",
)
RETRY_BACK_OFF_REPEAT_TIMES = COMM.integer(
    "RetryBackOffRepeatTimes", 2, minimum=0, required=True, meaning="How often the pause is doubled."
)
RETRY_BACK_OFF_WAIT_MINIMUM = COMM.integer(
    "RetryBackOffWaitMinimum", 1, unit="s", minimum=0, required=True, meaning="First pause."
)
UNLOCK_ON_EV_SIDE_DISCONNECT = COMM.boolean(
    "UnlockOnEVSideDisconnect", True, required=True, meaning="Unlock the plug at the station when the EV is unplugged."
)
WEB_SOCKET_PING_INTERVAL = COMM.integer(
    "WebSocketPingInterval", 10, unit="s", minimum=0, required=True, meaning="Time between pings; 0: no pings."
)
FIELD_LENGTH_EXI_RESPONSE = COMM.integer(
    "FieldLength",
    instance="Get15118EVCertificateResponse.exiResponse",
    mutability=RO,
    absent=17000,
    meaning="Length of exiResponse that is accepted.",
)
FIELD_LENGTH_EVENT_DATA = COMM.integer(
    "FieldLength",
    instance="Get15118EVCertificateRequest.exiRequest",
    mutability=RO,
    absent=11000,
    shipped=False,
    meaning="Length of exiRequest that may be sent.",
)

NETWORK = Component("NetworkConfiguration", per="slot")
"""A connection to a CSMS; the instance of the component is the slot, `1`, `2` ..."""

NETWORK_URL = NETWORK.string(
    "OcppCsmsUrl", maximum=2000, required=True, meaning="URL of the CSMS without the identity; empty: not used."
)
NETWORK_SECURITY_PROFILE = NETWORK.integer(
    "SecurityProfile", 1, minimum=0, maximum=3, required=True, meaning="Security profile of the connection."
)
NETWORK_INTERFACE = NETWORK.option(
    "OcppInterface",
    "Wired0",
    values=("Wired0", "Wired1", "Wired2", "Wired3", "Wireless0", "Wireless1", "Wireless2", "Wireless3", "Any"),
    required=True,
    meaning="Network interface.",
)
NETWORK_TRANSPORT = NETWORK.option(
    "OcppTransport", "JSON", values=("JSON", "SOAP"), required=True, meaning="Only JSON is spoken."
)
NETWORK_MESSAGE_TIMEOUT = NETWORK.integer(
    "MessageTimeout", 60, unit="s", minimum=1, required=True, meaning="Time for the answer to a message."
)
NETWORK_IDENTITY = NETWORK.string(
    "Identity", maximum=48, meaning="Identity of the station on this connection; empty: that of SecurityCtrlr."
)
NETWORK_BASIC_AUTH_PASSWORD = NETWORK.string(
    "BasicAuthPassword", mutability=WO, minimum=8, maximum=64, meaning="Password; without: that of SecurityCtrlr."
)
NETWORK_APN_ENABLED = NETWORK.boolean(
    "ApnEnabled", False, mutability=RO, required=True, meaning="A mobile network is used."
)
NETWORK_VPN_ENABLED = NETWORK.boolean("VpnEnabled", False, mutability=RO, required=True, meaning="A VPN is used.")
NETWORK_APN = NETWORK.string("Apn", maximum=2000, meaning="Access point name of the mobile network.")
NETWORK_APN_USER_NAME = NETWORK.string("ApnUserName", maximum=50, meaning="User of the mobile network.")
NETWORK_APN_PASSWORD = NETWORK.string(
    "ApnPassword", mutability=WO, maximum=64, meaning="Password of the mobile network."
)
NETWORK_SIM_PIN = NETWORK.integer("SimPin", mutability=WO, minimum=0, meaning="PIN of the SIM card.")
NETWORK_PREFERRED_NETWORK = NETWORK.string(
    "PreferredNetwork", maximum=6, meaning="Preferred mobile network, MCC and MNC."
)
NETWORK_USE_ONLY_PREFERRED = NETWORK.boolean(
    "UseOnlyPreferredNetwork", False, meaning="Use no other mobile network than the preferred one."
)
NETWORK_APN_AUTHENTICATION = NETWORK.option(
    "ApnAuthentication", "AUTO", values=("CHAP", "NONE", "PAP", "AUTO"), meaning="Authentication in the mobile network."
)
NETWORK_VPN_SERVER = NETWORK.string("VpnServer", maximum=2000, meaning="Server of the VPN.")
NETWORK_VPN_USER = NETWORK.string("VpnUser", maximum=50, meaning="User of the VPN.")
NETWORK_VPN_PASSWORD = NETWORK.string("VpnPassword", mutability=WO, maximum=64, meaning="Password of the VPN.")
NETWORK_VPN_KEY = NETWORK.string("VpnKey", mutability=WO, maximum=255, meaning="Shared key of the VPN.")
NETWORK_VPN_TYPE = NETWORK.option("VpnType", values=("IKEv2", "IPSec", "L2TP", "PPTP"), meaning="Kind of VPN.")
NETWORK_VPN_GROUP = NETWORK.string("VpnGroup", maximum=50, meaning="Group in the VPN.")
NETWORK_OCPP_VERSION = NETWORK.option(
    "OcppVersion", values=("OCPP16", "OCPP20", "OCPP201", "OCPP21"), meaning="Version for which the slot is meant."
)
NETWORK_ROOT_HASH_ALGORITHM = NETWORK.string(
    "CsmsRootCertificateHashAlgorithm", maximum=50, meaning="Hash algorithm of the root certificate to be used."
)
NETWORK_ROOT_ISSUER_KEY_HASH = NETWORK.string(
    "CsmsRootCertificateIssuerKeyHash", maximum=128, meaning="Hash of the key of that root's issuer."
)
NETWORK_ROOT_ISSUER_NAME_HASH = NETWORK.string(
    "CsmsRootCertificateIssuerNameHash", maximum=128, meaning="Hash of the name of that root's issuer."
)
NETWORK_ROOT_SERIAL_NUMBER = NETWORK.string(
    "CsmsRootCertificateSerialNumber", maximum=40, meaning="Serial number of that root."
)
NETWORK_HOST_NAME = NETWORK.string("HostName", mutability=RO, meaning="Text of the HTTP header User-Host.")

SECURITY = Component("SecurityCtrlr")

SECURITY_ENABLED = SECURITY.boolean("Enabled", True, meaning="Security functions are in use.")
ADDITIONAL_ROOT_CERTIFICATE_CHECK = SECURITY.boolean(
    "AdditionalRootCertificateCheck", False, mutability=RO, meaning="A new CSMS root must be signed by the one before."
)
ALLOW_SECURITY_PROFILE_DOWNGRADE = SECURITY.boolean(
    "AllowSecurityProfileDowngrade",
    False,
    mutability=RO,
    since="2.1",
    meaning="The CSMS may choose a lower security profile, yet never one below 2 from above.",
)
BASIC_AUTH_PASSWORD = SECURITY.string(
    "BasicAuthPassword",
    "DEADBEEFDEADBEEF",
    mutability=WO,
    minimum=16,
    maximum=40,
    meaning="Password of HTTP Basic authentication: set one of your own.",
)
CERTIFICATE_ENTRIES = SECURITY.integer(
    "CertificateEntries",
    0,
    mutability=RO,
    maximum=100,
    required=True,
    kept=False,
    meaning="Certificates installed now.",
)
CERT_SIGNING_REPEAT_TIMES = SECURITY.integer(
    "CertSigningRepeatTimes", 2, minimum=0, meaning="How often a signing request is repeated."
)
CERT_SIGNING_WAIT_MINIMUM = SECURITY.integer(
    "CertSigningWaitMinimum", 30, unit="s", minimum=0, meaning="First pause before a signing request is repeated."
)
IDENTITY = SECURITY.string(
    "Identity", "cp001", mutability=RO, required=True, maximum=48, meaning="Identity of the station."
)
MAX_CERTIFICATE_CHAIN_SIZE = SECURITY.integer(
    "MaxCertificateChainSize",
    mutability=RO,
    absent=10000,
    maximum=10000,
    meaning="Size of a chain that is accepted, in bytes.",
)
ORGANIZATION_NAME = SECURITY.string(
    "OrganizationName", "chargebyte", required=True, meaning="Organization in the station's signing request."
)
SECURITY_PROFILE = SECURITY.integer(
    "SecurityProfile", 1, mutability=RO, minimum=0, maximum=3, required=True, meaning="Security profile in use."
)

COMPONENTS = (COMM, NETWORK, SECURITY)
