"""ChargingStation, EVSE, Connector; controllers of clock, device data, monitoring, display and customization."""

from __future__ import annotations

from chargebyte_fw.modules.ocpp.variables.declaration import RO, Component

STATES = ("Available", "Occupied", "Reserved", "Unavailable", "Faulted")

STATION = Component("ChargingStation")

STATION_AVAILABILITY_STATE = STATION.option(
    "AvailabilityState",
    "Available",
    mutability=RO,
    values=STATES,
    required=True,
    kept=False,
    meaning="State of the station.",
)
STATION_AVAILABLE = STATION.boolean("Available", True, mutability=RO, required=True, meaning="The station exists.")
STATION_SUPPLY_PHASES = STATION.integer(
    "SupplyPhases", 3, mutability=RO, required=True, minimum=0, maximum=3, meaning="Phases of the supply."
)
STATION_PHASE_ROTATION = STATION.string("PhaseRotation", "RST", meaning="Order of the phases at the supply.")
STATION_MODEL = STATION.string("Model", mutability=RO, meaning="Model of the station.")
STATION_VENDOR_NAME = STATION.string("VendorName", mutability=RO, meaning="Vendor of the station.")
STATION_PROBLEM = STATION.boolean("Problem", False, kept=False, meaning="An error is active.")
ALLOW_NEW_SESSIONS_PENDING_FIRMWARE = STATION.boolean(
    "AllowNewSessionsPendingFirmwareUpdate", meaning="Transactions may begin while firmware waits for its installation."
)

EVSE = Component("EVSE", per="evse")

EVSE_ALLOW_RESET = EVSE.boolean("AllowReset", False, mutability=RO, kept=False, meaning="The EVSE can be reset alone.")
EVSE_AVAILABILITY_STATE = EVSE.option(
    "AvailabilityState",
    "Unavailable",
    mutability=RO,
    values=STATES,
    required=True,
    kept=False,
    meaning="State of the EVSE.",
)
EVSE_AVAILABLE = EVSE.boolean("Available", True, mutability=RO, required=True, kept=False, meaning="The EVSE exists.")
EVSE_EVSE_ID = EVSE.string("EvseId", mutability=RO, kept=False, meaning="Name of the EVSE by IEC 63119-2.")
EVSE_POWER = EVSE.decimal(
    "Power",
    0.0,
    mutability=RO,
    unit="W",
    minimum=0,
    maximum=22000,
    required=True,
    kept=False,
    attributes=("Actual", "MaxSet"),
    meaning="Power now; the limit is the greatest that the EVSE can provide.",
)
EVSE_DISCHARGE_POWER = EVSE.decimal(
    "DischargePower",
    mutability=RO,
    unit="W",
    minimum=0,
    kept=False,
    since="2.1",
    shipped=False,
    attributes=("Actual", "MaxSet"),
    meaning="Power from the EV now; the limit is the greatest that the EVSE can take.",
)
EVSE_SUPPLY_PHASES = EVSE.integer(
    "SupplyPhases",
    0,
    mutability=RO,
    required=True,
    minimum=0,
    maximum=3,
    kept=False,
    meaning="Phases of the EVSE; 0: DC.",
)
EVSE_ISO15118_EVSE_ID = EVSE.string(
    "ISO15118EvseId", "DEFAULT_EVSE_ID", minimum=7, maximum=37, meaning="EVSEID of ISO 15118."
)
EVSE_DC_INPUT_PHASE_CONTROL = EVSE.boolean(
    "DCInputPhaseControl",
    False,
    mutability=RO,
    since="2.1",
    kept=False,
    meaning="Phases in a profile select the input phases of the rectifier.",
)
EVSE_PROBLEM = EVSE.boolean("Problem", False, mutability=RO, kept=False, meaning="An error of the EVSE is active.")
EVSE_CHARGING_STATE = EVSE.option(
    "ChargingState",
    mutability=RO,
    values=("Charging", "EVConnected", "SuspendedEV", "SuspendedEVSE", "Idle"),
    since="2.1",
    kept=False,
    shipped=False,
    meaning="chargingState of the transaction.",
)
EVSE_ACTIVE_TRANSACTION_ID = EVSE.string(
    "ActiveTransactionId",
    mutability=RO,
    since="2.1",
    kept=False,
    shipped=False,
    meaning="Id of the transaction; empty: none.",
)

CONNECTOR = Component("Connector", per="connector")

CONNECTOR_AVAILABILITY_STATE = CONNECTOR.option(
    "AvailabilityState",
    "Available",
    mutability=RO,
    values=STATES,
    required=True,
    kept=False,
    meaning="State of the connector.",
)
CONNECTOR_AVAILABLE = CONNECTOR.boolean(
    "Available", True, mutability=RO, required=True, kept=False, meaning="The connector exists."
)
CONNECTOR_CHARGE_PROTOCOL = CONNECTOR.string(
    "ChargeProtocol", mutability=RO, kept=False, meaning="Protocol that is spoken with the EV."
)
CONNECTOR_TYPE = CONNECTOR.string(
    "ConnectorType", "sType2", mutability=RO, required=True, kept=False, meaning="Type of the connector."
)
CONNECTOR_SUPPLY_PHASES = CONNECTOR.integer(
    "SupplyPhases", 0, mutability=RO, required=True, minimum=0, maximum=3, kept=False, meaning="Phases; 0: DC."
)

CLOCK = Component("ClockCtrlr")

CLOCK_ENABLED = CLOCK.boolean("Enabled", True, meaning="The clock is set.")
CLOCK_DATE_TIME = CLOCK.date_time("DateTime", mutability=RO, required=True, kept=False, meaning="The time now.")
NEXT_TIME_OFFSET_TRANSITION = CLOCK.date_time(
    "NextTimeOffsetTransitionDateTime", meaning="When the next offset takes over."
)
NTP_SERVER_URI = CLOCK.string("NtpServerUri", meaning="Time server.")
NTP_SOURCE = CLOCK.option("NtpSource", values=("DHCP", "manual"), meaning="Where the time server is from.")
TIME_ADJUSTMENT_REPORTING_THRESHOLD = CLOCK.integer(
    "TimeAdjustmentReportingThreshold",
    unit="s",
    minimum=0,
    absent=20,
    meaning="A larger step of the clock is a security event.",
)
TIME_OFFSET = CLOCK.string("TimeOffset", maximum=10, meaning="Offset of displayed times, +hh:mm.")
TIME_OFFSET_NEXT = CLOCK.string(
    "TimeOffset", instance="NextTransition", maximum=10, meaning="Offset after the next transition."
)
TIME_SOURCE = CLOCK.sequence(
    "TimeSource",
    ("Heartbeat",),
    required=True,
    values=("Heartbeat", "NTP", "GPS", "RealTimeClock", "MobileNetwork", "RadioTimeTransmitter"),
    meaning="What sets the clock, the preferred source first.",
)
TIME_ZONE = CLOCK.string("TimeZone", meaning="Time zone by its IANA name.")

CUSTOMIZATION = Component("CustomizationCtrlr")

CUSTOMIZATION_ENABLED = CUSTOMIZATION.boolean("Enabled", meaning="customData of vendors is evaluated.")
CUSTOM_IMPLEMENTATION_ENABLED = CUSTOMIZATION.boolean(
    "CustomImplementationEnabled", meaning="Implementations of vendors are in use."
)
CUSTOM_COST_ENABLED = CUSTOMIZATION.boolean(
    "CustomImplementationEnabled", instance="org.openchargealliance.costmsg", meaning="California Pricing is in use."
)
CUSTOM_MULTI_LANGUAGE_ENABLED = CUSTOMIZATION.boolean(
    "CustomImplementationEnabled",
    instance="org.openchargealliance.multilanguage",
    meaning="Messages in several languages are in use.",
)

DEVICE_DATA = Component("DeviceDataCtrlr")

DEVICE_DATA_ENABLED = DEVICE_DATA.boolean("Enabled", True, meaning="The device model can be read and set.")
BYTES_GET_REPORT = DEVICE_DATA.integer(
    "BytesPerMessage",
    65000,
    instance="GetReport",
    mutability=RO,
    unit="B",
    required=True,
    meaning="Size of a GetReport.",
)
BYTES_GET_VARIABLES = DEVICE_DATA.integer(
    "BytesPerMessage",
    65000,
    instance="GetVariables",
    mutability=RO,
    unit="B",
    required=True,
    meaning="Size of a GetVariables.",
)
BYTES_SET_VARIABLES = DEVICE_DATA.integer(
    "BytesPerMessage",
    65000,
    instance="SetVariables",
    mutability=RO,
    unit="B",
    required=True,
    meaning="Size of a SetVariables.",
)
ITEMS_GET_REPORT = DEVICE_DATA.integer(
    "ItemsPerMessage", 100, instance="GetReport", mutability=RO, required=True, meaning="Items of a GetReport."
)
ITEMS_GET_VARIABLES = DEVICE_DATA.integer(
    "ItemsPerMessage", 100, instance="GetVariables", mutability=RO, required=True, meaning="Items of a GetVariables."
)
ITEMS_SET_VARIABLES = DEVICE_DATA.integer(
    "ItemsPerMessage", 100, instance="SetVariables", mutability=RO, required=True, meaning="Items of a SetVariables."
)
CONFIGURATION_VALUE_SIZE = DEVICE_DATA.integer(
    "ConfigurationValueSize", 1000, mutability=RO, maximum=1000, meaning="Length of a value that is set."
)
REPORTING_VALUE_SIZE = DEVICE_DATA.integer(
    "ReportingValueSize", 2500, mutability=RO, maximum=2500, meaning="Length of a value that is reported."
)
VALUE_SIZE = DEVICE_DATA.integer("ValueSize", mutability=RO, maximum=2500, meaning="Length of any value.")

MONITORING = Component("MonitoringCtrlr")

MONITORING_AVAILABLE = MONITORING.boolean("Available", True, mutability=RO, meaning="Monitors are supported.")
MONITORING_ENABLED = MONITORING.boolean("Enabled", False, meaning="Monitors are evaluated.")
ACTIVE_MONITORING_BASE = MONITORING.option(
    "ActiveMonitoringBase",
    "All",
    mutability=RO,
    values=("All", "FactoryDefault", "HardWiredOnly"),
    meaning="The base that was set last.",
)
ACTIVE_MONITORING_LEVEL = MONITORING.integer(
    "ActiveMonitoringLevel",
    9,
    mutability=RO,
    minimum=0,
    maximum=9,
    meaning="Events of greater severity numbers are not sent.",
)
OFFLINE_QUEUING_SEVERITY = MONITORING.integer(
    "OfflineQueuingSeverity",
    9,
    minimum=0,
    maximum=9,
    meaning="Events of greater severity numbers are not kept while offline.",
)
BYTES_CLEAR_MONITORING = MONITORING.integer(
    "BytesPerMessage", instance="ClearVariableMonitoring", mutability=RO, unit="B", meaning="Size of the message."
)
BYTES_SET_MONITORING = MONITORING.integer(
    "BytesPerMessage",
    65000,
    instance="SetVariableMonitoring",
    mutability=RO,
    unit="B",
    required=True,
    meaning="Size of the message.",
)
ITEMS_CLEAR_MONITORING = MONITORING.integer(
    "ItemsPerMessage", instance="ClearVariableMonitoring", mutability=RO, meaning="Ids in the message."
)
ITEMS_SET_MONITORING = MONITORING.integer(
    "ItemsPerMessage",
    250,
    instance="SetVariableMonitoring",
    mutability=RO,
    required=True,
    meaning="Monitors in the message.",
)
MAX_PERIODIC_EVENT_STREAMS = MONITORING.integer(
    "MaxPeriodicEventStreams", 16, mutability=RO, minimum=0, since="2.1", meaning="Streams that may be open at once."
)

DISPLAY = Component("DisplayMessageCtrlr")

DISPLAY_AVAILABLE = DISPLAY.boolean("Available", mutability=RO, kept=False, meaning="There is a display.")
DISPLAY_MESSAGES = DISPLAY.integer(
    "DisplayMessages",
    0,
    mutability=RO,
    maximum=42,
    required=True,
    kept=False,
    meaning="Messages now; the limit is the capacity.",
)
DISPLAY_ENABLED = DISPLAY.boolean("Enabled", True, absent=True, meaning="Messages are shown.")
PERSONAL_MESSAGE_SIZE = DISPLAY.integer("PersonalMessageSize", mutability=RO, meaning="Length of a personal message.")
DISPLAY_SUPPORTED_FORMATS = DISPLAY.members(
    "SupportedFormats",
    ("UTF8", "ASCII", "URI"),
    mutability=RO,
    values=("ASCII", "HTML", "URI", "UTF8", "QRCODE"),
    required=True,
    meaning="Formats of messages.",
)
DISPLAY_SUPPORTED_PRIORITIES = DISPLAY.members(
    "SupportedPriorities",
    ("NormalCycle",),
    mutability=RO,
    values=("AlwaysFront", "InFront", "NormalCycle"),
    required=True,
    meaning="Priorities of messages.",
)
DISPLAY_SUPPORTED_STATES = DISPLAY.members(
    "SupportedStates",
    ("Charging", "Faulted", "Idle", "Unavailable"),
    mutability=RO,
    values=("Charging", "Faulted", "Idle", "Unavailable", "Suspended", "Discharging"),
    meaning="States in which a message can be shown.",
)
QR_CODE_DISPLAY_CAPABLE = DISPLAY.boolean("QRCodeDisplayCapable", mutability=RO, meaning="QR codes can be shown.")
DISPLAY_LANGUAGE = DISPLAY.option(
    "Language", values=("en", "en_US", "de", "nl"), meaning="Language of messages without one."
)

INDICATOR = Component("ChargingStatusIndicator")

INDICATOR_ACTIVE = INDICATOR.boolean("Active", False, meaning="The indicator is lit.")
INDICATOR_COLOR = INDICATOR.string("Color", "FFFF00", meaning="Colour of the indicator, in hexadecimal RGB.")

COMPONENTS = (STATION, EVSE, CONNECTOR, CLOCK, CUSTOMIZATION, DEVICE_DATA, MONITORING, DISPLAY, INDICATOR)
