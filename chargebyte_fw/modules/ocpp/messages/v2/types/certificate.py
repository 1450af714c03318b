"""Certificates by their hashes (OCPP 2.x part 2, blocks A, C, M and N)."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from enum import StrEnum
from typing import Annotated

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import In201, Text
from chargebyte_fw.modules.ocpp.messages.v2.base import V2Type


class HashAlgorithmEnumType(StrEnum):
    SHA256 = "SHA256"
    SHA384 = "SHA384"
    SHA512 = "SHA512"


class CertificateHashDataType(V2Type, kw_only=True):
    hash_algorithm: HashAlgorithmEnumType = field(name="hashAlgorithm")
    issuer_name_hash: Annotated[str, Text(128, folded=True)] = field(name="issuerNameHash")
    issuer_key_hash: Annotated[str, Text(128)] = field(name="issuerKeyHash")
    serial_number: Annotated[str, Text(40, folded=True)] = field(name="serialNumber")


class OCSPRequestDataType(V2Type, kw_only=True):
    hash_algorithm: HashAlgorithmEnumType = field(name="hashAlgorithm")
    issuer_name_hash: Annotated[str, Text(128, folded=True)] = field(name="issuerNameHash")
    issuer_key_hash: Annotated[str, Text(128)] = field(name="issuerKeyHash")
    serial_number: Annotated[str, Text(40, folded=True)] = field(name="serialNumber")
    responder_url: Annotated[str, Text(2000), In201(Text(512))] = field(name="responderURL")
