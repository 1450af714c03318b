"""XML signature types as V2G messages carry them (W3C XML Signature Syntax and Processing)."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from typing import Annotated

from chargebyte_fw.modules.v2g.messages.model import (
    Attribute,
    Coding,
    Occurs,
    Schema,
    Text,
    Type,
    choice,
    element,
    seq,
    wildcard,
    xs_anyURI,
    xs_base64Binary,
    xs_ID,
    xs_integer,
    xs_string,
)

NAMESPACE = "http://www.w3.org/2000/09/xmldsig#"


CryptoBinary = Annotated[bytes, Coding("bin")]
DigestValueType = Annotated[bytes, Coding("bin")]
HMACOutputLengthType = Annotated[int, Coding("int")]


class _Signature(Type):
    namespace = NAMESPACE
    attributes_qualified = False


class X509IssuerSerialType(_Signature, kw_only=True):
    X509IssuerName: xs_string
    X509SerialNumber: xs_integer


class DSAKeyValueType(_Signature, kw_only=True):
    P: CryptoBinary | None = None
    Q: CryptoBinary | None = None
    G: CryptoBinary | None = None
    Y: CryptoBinary
    J: CryptoBinary | None = None
    Seed: CryptoBinary | None = None
    PgenCounter: CryptoBinary | None = None

    model = seq(
        seq("P", "Q", low=0),
        element("G", low=0),
        "Y",
        element("J", low=0),
        seq("Seed", "PgenCounter", low=0),
    )


class RSAKeyValueType(_Signature, kw_only=True):
    Modulus: CryptoBinary
    Exponent: CryptoBinary


class KeyValueType(_Signature, kw_only=True):
    DSAKeyValue: DSAKeyValueType | None = None
    RSAKeyValue: RSAKeyValueType | None = None

    model = choice("DSAKeyValue", "RSAKeyValue", wildcard())
    mixed = True


class PGPDataType(_Signature, kw_only=True):
    PGPKeyID: xs_base64Binary | None = None
    PGPKeyPacket: xs_base64Binary | None = None

    model = choice(
        seq("PGPKeyID", element("PGPKeyPacket", low=0), wildcard(0, None)),
        seq("PGPKeyPacket", wildcard(0, None)),
    )


class TransformType(_Signature, kw_only=True):
    Algorithm: Annotated[xs_anyURI, Attribute()]
    XPath: list[xs_string] = []

    model = choice(wildcard(), "XPath", low=0, high=None)
    mixed = True


class TransformsType(_Signature, kw_only=True):
    Transform: Annotated[list[TransformType], Occurs(1, None)]


class RetrievalMethodType(_Signature, kw_only=True):
    Type: Annotated[xs_anyURI, Attribute()] | None = None
    URI: Annotated[xs_anyURI, Attribute()] | None = None
    Transforms: TransformsType | None = None


class SPKIDataType(_Signature, kw_only=True):
    SPKISexp: list[xs_base64Binary] = []

    model = seq("SPKISexp", wildcard(0, 1), low=1, high=None)


class X509DataType(_Signature, kw_only=True):
    content: list[tuple[str, X509IssuerSerialType | bytes | str]] = []

    model = choice(
        element("X509IssuerSerial", X509IssuerSerialType),
        element("X509SKI", xs_base64Binary),
        element("X509SubjectName", xs_string),
        element("X509Certificate", xs_base64Binary),
        element("X509CRL", xs_base64Binary),
        wildcard(),
        low=1,
        high=None,
    )


class KeyInfoType(_Signature, kw_only=True):
    Id: Annotated[xs_ID, Attribute()] | None = None
    content: list[tuple[str, KeyValueType | RetrievalMethodType | X509DataType | PGPDataType | SPKIDataType | str]] = []

    model = choice(
        element("KeyName", xs_string),
        element("KeyValue", KeyValueType),
        element("RetrievalMethod", RetrievalMethodType),
        element("X509Data", X509DataType),
        element("PGPData", PGPDataType),
        element("SPKIData", SPKIDataType),
        element("MgmtData", xs_string),
        wildcard(),
        low=1,
        high=None,
    )
    mixed = True


class ObjectType(_Signature, kw_only=True):
    Encoding: Annotated[xs_anyURI, Attribute()] | None = None
    Id: Annotated[xs_ID, Attribute()] | None = None
    MimeType: Annotated[xs_string, Attribute()] | None = None

    model = wildcard(0, None)
    mixed = True


class SignatureValueType(_Signature, kw_only=True):
    Id: Annotated[xs_ID, Attribute()] | None = None
    value: Annotated[xs_base64Binary, Text()]


class CanonicalizationMethodType(_Signature, kw_only=True):
    Algorithm: Annotated[xs_anyURI, Attribute()]

    model = wildcard(0, None)
    mixed = True


class DigestMethodType(_Signature, kw_only=True):
    Algorithm: Annotated[xs_anyURI, Attribute()]

    model = wildcard(0, None)
    mixed = True


class ReferenceType(_Signature, kw_only=True):
    Id: Annotated[xs_ID, Attribute()] | None = None
    Type: Annotated[xs_anyURI, Attribute()] | None = None
    URI: Annotated[xs_anyURI, Attribute()] | None = None
    Transforms: TransformsType | None = None
    DigestMethod: DigestMethodType
    DigestValue: DigestValueType


class SignatureMethodType(_Signature, kw_only=True):
    Algorithm: Annotated[xs_anyURI, Attribute()]
    HMACOutputLength: HMACOutputLengthType | None = None

    model = seq(element("HMACOutputLength", low=0), wildcard(0, None))
    mixed = True


class SignedInfoType(_Signature, kw_only=True):
    Id: Annotated[xs_ID, Attribute()] | None = None
    CanonicalizationMethod: CanonicalizationMethodType
    SignatureMethod: SignatureMethodType
    Reference: Annotated[list[ReferenceType], Occurs(1, None)]


class SignatureType(_Signature, kw_only=True):
    Id: Annotated[xs_ID, Attribute()] | None = None
    SignedInfo: SignedInfoType
    SignatureValue: SignatureValueType
    KeyInfo: KeyInfoType | None = None
    Object: Annotated[list[ObjectType], Occurs(0, None)] = []


class ManifestType(_Signature, kw_only=True):
    Id: Annotated[xs_ID, Attribute()] | None = None
    Reference: Annotated[list[ReferenceType], Occurs(1, None)]


class SignaturePropertyType(_Signature, kw_only=True):
    Id: Annotated[xs_ID, Attribute()] | None = None
    Target: Annotated[xs_anyURI, Attribute()]

    model = wildcard(1, None)
    mixed = True


class SignaturePropertiesType(_Signature, kw_only=True):
    Id: Annotated[xs_ID, Attribute()] | None = None
    SignatureProperty: Annotated[list[SignaturePropertyType], Occurs(1, None)]


ELEMENTS = {
    "CanonicalizationMethod": CanonicalizationMethodType,
    "DSAKeyValue": DSAKeyValueType,
    "DigestMethod": DigestMethodType,
    "DigestValue": DigestValueType,
    "KeyInfo": KeyInfoType,
    "KeyName": xs_string,
    "KeyValue": KeyValueType,
    "Manifest": ManifestType,
    "MgmtData": xs_string,
    "Object": ObjectType,
    "PGPData": PGPDataType,
    "RSAKeyValue": RSAKeyValueType,
    "Reference": ReferenceType,
    "RetrievalMethod": RetrievalMethodType,
    "SPKIData": SPKIDataType,
    "Signature": SignatureType,
    "SignatureMethod": SignatureMethodType,
    "SignatureProperties": SignaturePropertiesType,
    "SignatureProperty": SignaturePropertyType,
    "SignatureValue": SignatureValueType,
    "SignedInfo": SignedInfoType,
    "Transform": TransformType,
    "Transforms": TransformsType,
    "X509Data": X509DataType,
}
"""Global elements; every set that carries signatures has them."""

SCHEMA = Schema("xmldsig", {NAMESPACE: ELEMENTS})
"""The set of its own by which SignedInfo is coded for signing."""
