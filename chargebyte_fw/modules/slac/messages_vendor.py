"""Vendor MMEs between a host and its own modem: Qualcomm (QCA700x) and Lumissil (MSE102x)."""

from __future__ import annotations

from chargebyte_fw.modules.slac.declare import Mme, counted, header, mme, number, octets, rest, text

QUALCOMM = bytes.fromhex("00b052")
LUMISSIL = bytes.fromhex("0016e8")
OP_ATTR_COOKIE = 0x12345
OP_ATTR_SIZE = 118
LINK_UP = 1


@mme(0xA000, oui=QUALCOMM)
class VsSwVerReq(Mme):
    """Which firmware do you run?"""


@mme(0xA001, oui=QUALCOMM)
class VsSwVerCnf(Mme):
    """Firmware version; most tools probe for modems with this."""

    status: int = number()
    device_id: int = number()
    version_length: int = number()
    firmware: bytes = counted("version_length")


@mme(0xA01C, oui=QUALCOMM)
class VsRsDevReq(Mme):
    """Reset yourself."""


@mme(0xA01D, oui=QUALCOMM)
class VsRsDevCnf(Mme):
    """The reset begins; 0 is success."""

    status: int = number()


@mme(0xA038, oui=QUALCOMM)
class VsNwInfoReq(Mme):
    """Which networks are you in?"""


@mme(0xA068, oui=QUALCOMM)
class VsOpAttributesReq(Mme):
    """Which chip and firmware are you?"""

    cookie: int = number(4, OP_ATTR_COOKIE)
    report_type: int = number()


@mme(0xA069, oui=QUALCOMM)
class VsOpAttributesCnf(Mme):
    """Chip and firmware."""

    status: int = number(2)
    cookie: int = number(4, OP_ATTR_COOKIE)
    report_type: int = number()
    size: int = number(2, OP_ATTR_SIZE)
    hardware: str = text(16)
    software: str = text(16)
    version_major: int = number(4)
    version_minor: int = number(4)
    version_pib: int = number(4)
    version_build: int = number(4)
    reserved: int = number(4)
    build_date: str = text(8)
    release_type: str = text(12)
    sdram_type: int = number()
    reserved_2: int = number()
    line_frequency: int = number()
    sdram_size: int = number(4)
    authorization_mode: int = number()


@mme(0xA0B8, oui=QUALCOMM)
class VsLinkStatusReq(Mme):
    """Is the powerline link up?"""


@mme(0xA0B9, oui=QUALCOMM)
class VsLinkStatusCnf(Mme):
    """State of the powerline link: 1 is up."""

    reserved: int = number()
    link_status: int = number()


@mme(0xA14E, oui=QUALCOMM)
class VsAttenuationCharacteristicsInd(Mme):
    """What some modems broadcast by themselves while a car sounds; CM_ATTEN_PROFILE has the same content."""

    content: bytes = rest(1400)


@header
class Lumissil(Mme):
    """Header of every Lumissil MME."""

    __slots__ = ()

    header_version: int = number(2)
    header_reserved: bytes = octets(4)
    request_id: int = number()
    header_reserved_2: bytes = octets(12)


@mme(0xAC6C, oui=LUMISSIL)
class NscmGetVersionReq(Lumissil):
    """Which firmware do you run?"""


@mme(0xAC6D, oui=LUMISSIL)
class NscmGetVersionCnf(Lumissil):
    """Firmware version."""

    version_major: int = number(2)
    version_minor: int = number(2)
    version_patch: int = number(2)
    version_build: int = number(2)
    reserved: bytes = octets(2)


@mme(0xAC70, oui=LUMISSIL)
class NscmResetDeviceReq(Lumissil):
    """Reset yourself (mode 0 is a normal reset); there is no answer."""

    mode: int = number()


@mme(0xAC9C, oui=LUMISSIL)
class NscmGetDLinkStatusReq(Lumissil):
    """Is the powerline link up?"""


@mme(0xAC9D, oui=LUMISSIL)
class NscmGetDLinkStatusCnf(Lumissil):
    """State of the powerline link: 1 is up."""

    link_status: int = number()
