"""AuthCtrlr, AuthCacheCtrlr, LocalAuthListCtrlr and ReservationCtrlr: who may charge."""

from __future__ import annotations

from chargebyte_fw.modules.ocpp.variables.declaration import RO, Component

AUTH = Component("AuthCtrlr")

AUTH_ENABLED = AUTH.boolean(
    "Enabled", True, absent=True, meaning="Authorization is needed; without, every token is accepted."
)
ADDITIONAL_INFO_ITEMS_PER_MESSAGE = AUTH.integer(
    "AdditionalInfoItemsPerMessage", mutability=RO, meaning="Greatest number of additional identifiers in a message."
)
AUTHORIZE_REMOTE_START = AUTH.boolean(
    "AuthorizeRemoteStart", True, required=True, meaning="A remote start is authorized like a local token."
)
LOCAL_AUTHORIZE_OFFLINE = AUTH.boolean(
    "LocalAuthorizeOffline", True, required=True, meaning="Use list and cache while offline."
)
LOCAL_PRE_AUTHORIZE = AUTH.boolean(
    "LocalPreAuthorize", True, required=True, meaning="Use list and cache while online, before the CSMS is asked."
)
MASTER_PASS_GROUP_ID = AUTH.string(
    "MasterPassGroupId", maximum=36, meaning="Tokens of this group stop any transaction and start none."
)
OFFLINE_TX_FOR_UNKNOWN_ID_ENABLED = AUTH.boolean(
    "OfflineTxForUnknownIdEnabled", True, meaning="Accept unknown tokens while offline."
)
DISABLE_REMOTE_AUTHORIZATION = AUTH.boolean(
    "DisableRemoteAuthorization", meaning="Never ask the CSMS, use list and cache alone."
)
SUPPORTED_ID_TOKEN_TYPES = AUTH.members(
    "SupportedIdTokenTypes",
    ("Central", "eMAID", "ISO14443", "ISO15693", "KeyCode", "Local", "MacAddress", "NoAuthorization"),
    mutability=RO,
    since="2.1",
    values=(
        "Central",
        "DirectPayment",
        "eMAID",
        "EVCCID",
        "ISO14443",
        "ISO15693",
        "KeyCode",
        "Local",
        "MacAddress",
        "NoAuthorization",
        "VIN",
    ),
    meaning="Types of tokens that the station can present.",
)

AUTH_CACHE = Component("AuthCacheCtrlr")

AUTH_CACHE_AVAILABLE = AUTH_CACHE.boolean("Available", True, mutability=RO, meaning="There is a cache.")
AUTH_CACHE_ENABLED = AUTH_CACHE.boolean("Enabled", True, meaning="The cache is filled and used.")
AUTH_CACHE_LIFE_TIME = AUTH_CACHE.integer(
    "LifeTime", unit="s", minimum=0, meaning="Age at which an entry without expiry ends; none or 0: never."
)
AUTH_CACHE_POLICY = AUTH_CACHE.option(
    "Policy",
    "LRU",
    values=("LRU", "LFU", "FIFO", "CUSTOM"),
    mutability=RO,
    meaning="Which entry makes room for a new one.",
)
AUTH_CACHE_STORAGE = AUTH_CACHE.integer(
    "Storage", mutability=RO, unit="B", maximum=1048576, kept=False, meaning="Bytes in use; the limit is the capacity."
)
AUTH_CACHE_DISABLE_POST_AUTHORIZE = AUTH_CACHE.boolean(
    "DisablePostAuthorize", meaning="Do not ask again for a token that the cache has as not accepted."
)

LOCAL_AUTH_LIST = Component("LocalAuthListCtrlr")

LOCAL_AUTH_LIST_AVAILABLE = LOCAL_AUTH_LIST.boolean("Available", True, mutability=RO, meaning="There is a local list.")
LOCAL_AUTH_LIST_BYTES_PER_MESSAGE = LOCAL_AUTH_LIST.integer(
    "BytesPerMessage",
    65536,
    mutability=RO,
    unit="B",
    required=True,
    meaning="Size of a SendLocalList that is accepted.",
)
LOCAL_AUTH_LIST_ENABLED = LOCAL_AUTH_LIST.boolean("Enabled", True, meaning="The list is used.")
LOCAL_AUTH_LIST_ENTRIES = LOCAL_AUTH_LIST.integer(
    "Entries",
    0,
    mutability=RO,
    maximum=10000,
    required=True,
    kept=False,
    meaning="Entries now; the limit is the capacity.",
)
LOCAL_AUTH_LIST_ITEMS_PER_MESSAGE = LOCAL_AUTH_LIST.integer(
    "ItemsPerMessage", 250, mutability=RO, required=True, meaning="Entries of a SendLocalList that are accepted."
)
LOCAL_AUTH_LIST_STORAGE = LOCAL_AUTH_LIST.integer(
    "Storage", mutability=RO, unit="B", kept=False, meaning="Bytes in use."
)
LOCAL_AUTH_LIST_DISABLE_POST_AUTHORIZE = LOCAL_AUTH_LIST.boolean(
    "DisablePostAuthorize", meaning="Do not ask again for a token that the list has as not accepted."
)
LOCAL_AUTH_LIST_SUPPORTS_EXPIRY = LOCAL_AUTH_LIST.boolean(
    "SupportsExpiryDateTime", True, mutability=RO, meaning="The expiry of an entry is kept."
)

RESERVATION = Component("ReservationCtrlr")

RESERVATION_AVAILABLE = RESERVATION.boolean("Available", True, mutability=RO, meaning="Reservations are possible.")
RESERVATION_ENABLED = RESERVATION.boolean("Enabled", True, meaning="Reservations are accepted.")
RESERVATION_NON_EVSE_SPECIFIC = RESERVATION.boolean(
    "NonEvseSpecific", True, mutability=RO, meaning="A reservation need not name an EVSE."
)

COMPONENTS = (AUTH, AUTH_CACHE, LOCAL_AUTH_LIST, RESERVATION)
