"""TariffCostCtrlr, PaymentCtrlr and WebPaymentsCtrlr: prices and how they are paid."""

from __future__ import annotations

from chargebyte_fw.modules.ocpp.variables.declaration import RO, WO, Component

TARIFF_COST = Component("TariffCostCtrlr")

TARIFF_AVAILABLE = TARIFF_COST.boolean(
    "Available", True, instance="Tariff", mutability=RO, meaning="Tariffs of OCPP 2.1 and price texts are supported."
)
COST_AVAILABLE = TARIFF_COST.boolean(
    "Available", True, instance="Cost", mutability=RO, meaning="The station can calculate costs."
)
CURRENCY = TARIFF_COST.string("Currency", "EUR", maximum=3, required=True, meaning="Currency by ISO 4217.")
TARIFF_ENABLED = TARIFF_COST.boolean("Enabled", instance="Tariff", meaning="Tariffs and price texts are in use.")
COST_ENABLED = TARIFF_COST.boolean("Enabled", False, instance="Cost", meaning="Costs are calculated or shown.")
RUNNING_COST_ENABLED = TARIFF_COST.boolean(
    "Enabled", instance="RunningCost", since="2.1", meaning="Running costs are in TransactionEvent."
)
TARIFF_FALLBACK_MESSAGE = TARIFF_COST.string(
    "TariffFallbackMessage", "", maximum=255, required=True, meaning="Price text where the CSMS sends none."
)
TOTAL_COST_FALLBACK_MESSAGE = TARIFF_COST.string(
    "TotalCostFallbackMessage", "", maximum=255, required=True, meaning="Text where the final cost is not known."
)
OFFLINE_TARIFF_FALLBACK_MESSAGE = TARIFF_COST.string(
    "OfflineTariffFallbackMessage", maximum=255, meaning="Price text while offline."
)
OFFLINE_CHARGING_PRICE_KWH = TARIFF_COST.decimal(
    "OfflineChargingPrice", instance="kWhPrice", minimum=0, meaning="Price of energy while offline."
)
OFFLINE_CHARGING_PRICE_HOUR = TARIFF_COST.decimal(
    "OfflineChargingPrice", instance="hourPrice", minimum=0, meaning="Price of time while offline."
)
NUMBER_OF_DECIMALS_FOR_COST_VALUES = TARIFF_COST.integer(
    "NumberOfDecimalsForCostValues", absent=3, minimum=0, maximum=10, meaning="Decimals of costs."
)
TARIFF_INTERVAL = TARIFF_COST.integer(
    "Interval",
    instance="Tariff",
    unit="s",
    minimum=0,
    absent=60,
    since="2.1",
    meaning="Time between looks at conditions; 0: as often as possible.",
)
COST_INTERVAL = TARIFF_COST.integer(
    "Interval", instance="Cost", unit="s", minimum=0, absent=60, since="2.1", meaning="Time between running costs."
)
MAX_TARIFF_ELEMENTS = TARIFF_COST.integer(
    "MaxElements",
    10,
    instance="Tariff",
    mutability=RO,
    minimum=1,
    since="2.1",
    meaning="Prices of a field of a tariff.",
)
TARIFF_CONDITIONS_SUPPORTED = TARIFF_COST.boolean(
    "ConditionsSupported", True, instance="Tariff", mutability=RO, since="2.1", meaning="Conditions of prices are kept."
)
HANDLE_FAILED_TARIFF = TARIFF_COST.option(
    "HandleFailedTariff",
    "CentralCost",
    instance="Tariff",
    values=("Deauthorize", "UseDefaultTariff", "CentralCost"),
    since="2.1",
    meaning="What happens with a driver's tariff that cannot be used.",
)
TARIFF_PROBLEM = TARIFF_COST.boolean(
    "Problem",
    False,
    mutability=RO,
    since="2.1",
    shipped=False,
    kept=False,
    meaning="A tariff could not be used, or a cost not be calculated.",
)

LANGUAGES = ("de", "nl", "en", "en-US")
"""Instances of the fallback messages that are shipped; a configuration may have others."""

for _language in LANGUAGES:
    for _message in ("TariffFallbackMessage", "OfflineTariffFallbackMessage", "TotalCostFallbackMessage"):
        TARIFF_COST.string(
            _message, instance=_language, maximum=255, meaning=f"The same text in the language {_language}."
        )

PAYMENT = Component("PaymentCtrlr")

PAYMENT_ENABLED = PAYMENT.boolean("Enabled", False, mutability=RO, since="2.1", meaning="There is a payment terminal.")
AUTHORIZE_DIRECT_PAYMENT = PAYMENT.boolean(
    "AuthorizeDirectPayment", since="2.1", shipped=False, meaning="The CSMS is asked before a direct payment."
)
AUTHORIZATION_AMOUNT = PAYMENT.decimal(
    "AuthorizationAmount", minimum=0, since="2.1", shipped=False, meaning="Amount that is authorized in advance."
)
INCREMENTAL_AUTHORIZATION_AMOUNT = PAYMENT.decimal(
    "IncrementalAuthorizationAmount", minimum=0, since="2.1", shipped=False, meaning="Step of an increase; 0: none."
)
INCREMENTAL_AUTHORIZATION_THRESHOLD = PAYMENT.decimal(
    "IncrementalAuthorizationThreshold", minimum=0, since="2.1", shipped=False, meaning="Rest at which it is increased."
)
SETTLEMENT_BY_CSMS = PAYMENT.boolean("SettlementByCSMS", since="2.1", shipped=False, meaning="The CSMS settles.")
RECEIPT_BY_CSMS = PAYMENT.boolean("ReceiptByCSMS", since="2.1", shipped=False, meaning="The CSMS gives the receipt.")
RECEIPT_SERVER_URL = PAYMENT.string("ReceiptServerUrl", since="2.1", shipped=False, meaning="Where receipts are found.")

WEB_PAYMENTS = Component("WebPaymentsCtrlr")

WEB_PAYMENTS_ENABLED = WEB_PAYMENTS.boolean("Enabled", False, since="2.1", meaning="Payment by QR code is offered.")
WEB_PAYMENTS_URL_TEMPLATE = WEB_PAYMENTS.string(
    "URLTemplate", maximum=2000, since="2.1", meaning="URL of the payment page with its parameters."
)
WEB_PAYMENTS_URL_PARAMETERS = WEB_PAYMENTS.members(
    "URLParameters", values=("maxtime", "maxenergy", "maxcost"), since="2.1", meaning="Limits that the URL can have."
)
WEB_PAYMENTS_TOTP_VERSION = WEB_PAYMENTS.option(
    "TOTPVersion", "v1", values=("v1",), since="2.1", meaning="Version of the one-time password."
)
WEB_PAYMENTS_STATION_ID = WEB_PAYMENTS.string(
    "ChargingStationId", since="2.1", meaning="Id of the station in the URL; none: its identity."
)
WEB_PAYMENTS_VALIDITY_TIME = WEB_PAYMENTS.integer(
    "ValidityTime", 30, unit="s", minimum=1, since="2.1", meaning="Validity of a one-time password."
)
WEB_PAYMENTS_SHARED_SECRET = WEB_PAYMENTS.string(
    "SharedSecret", mutability=WO, since="2.1", meaning="Secret of the one-time password."
)
WEB_PAYMENTS_LENGTH = WEB_PAYMENTS.integer(
    "Length", 8, minimum=6, maximum=32, since="2.1", meaning="Length of a one-time password."
)
WEB_PAYMENTS_QR_CODE_QUALITY = WEB_PAYMENTS.option(
    "QRCodeQuality",
    values=("Low", "Medium", "Quartile", "High"),
    since="2.1",
    meaning="Error correction of the QR code.",
)

COMPONENTS = (TARIFF_COST, PAYMENT, WEB_PAYMENTS)
