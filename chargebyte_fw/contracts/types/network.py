"""EVerest type file `network`."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from chargebyte_fw.contracts.field_enum import FieldEnum


class InterfaceClass(StrEnum):
    """EVerest enumeration `InterfaceClass`."""

    Wired0 = "Wired0"
    Wired1 = "Wired1"
    Wired2 = "Wired2"
    Wired3 = "Wired3"
    Wireless0 = "Wireless0"
    Wireless1 = "Wireless1"
    Wireless2 = "Wireless2"
    Wireless3 = "Wireless3"
    Any = "Any"


class ConfigureNetworkStatusEnum(StrEnum):
    """Processing = result follows on the status variable."""

    Ready = "Ready"
    Processing = "Processing"
    Failed = "Failed"
    Rejected = "Rejected"
    NotSupported = "NotSupported"


class ConfigureNetworkFinalStatusEnum(StrEnum):
    """EVerest enumeration `ConfigureNetworkFinalStatusEnum`."""

    Ready = "Ready"
    Failed = "Failed"


class APNApnAuthentication(FieldEnum):
    """Values of `APN.apn_authentication`."""

    CHAP = "CHAP"
    NONE = "NONE"
    PAP = "PAP"
    AUTO = "AUTO"


class APN(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `network.APN`."""

    apn: str
    apn_user_name: str | None = None
    apn_password: str | None = None
    sim_pin: str | None = None
    preferred_network: str | None = None
    use_only_preferred_network: bool | None = None
    apn_authentication: APNApnAuthentication | None = None


class VPNType(FieldEnum):
    """Values of `VPN.type`."""

    IKEv2 = "IKEv2"
    IPSec = "IPSec"
    L2TP = "L2TP"
    PPTP = "PPTP"
    Other = "Other"


class VPN(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `network.VPN`."""

    server: str
    type: VPNType
    user: str | None = None
    group: str | None = None
    password: str | None = None
    key: str | None = None


class ConfigureNetworkRequest(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `network.ConfigureNetworkRequest`."""

    request_id: int
    interface: InterfaceClass
    interface_name: str | None = None
    apn: APN | None = None
    vpn: VPN | None = None


class ConfigureNetworkResponse(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `network.ConfigureNetworkResponse`."""

    status: ConfigureNetworkStatusEnum
    interface_address: str | None = None
    """Bind name/IP when Ready."""


class ConfigureNetworkStatus(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `network.ConfigureNetworkStatus`."""

    request_id: int
    status: ConfigureNetworkFinalStatusEnum
    interface_address: str | None = None
