"""XML signature types as V2G messages carry them (W3C xmldsig-core)."""

from typing import Annotated, Any

from chargebyte_fw.modules.v2g.messages.model import (
    Attribute,
    Coding,
    Irregular,
    Occurs,
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

CryptoBinary = Annotated[bytes, Coding("bin")]
DigestValueType = Annotated[bytes, Coding("bin")]
HMACOutputLengthType = Annotated[int, Coding("int")]


class X509IssuerSerialType(Type, kw_only=True):
    """Wire type `X509IssuerSerialType`."""

    X509IssuerName: xs_string
    X509SerialNumber: xs_integer


class DSAKeyValueType(Irregular, kw_only=True):
    """Wire type `DSAKeyValueType`."""

    content: list[tuple[str, Any]] = []
    particles = seq(
        seq(element("P", CryptoBinary), element("Q", CryptoBinary), low=0, high=1),
        element("G", CryptoBinary, 0, 1),
        element("Y", CryptoBinary),
        element("J", CryptoBinary, 0, 1),
        seq(element("Seed", CryptoBinary), element("PgenCounter", CryptoBinary), low=0, high=1),
    )


class RSAKeyValueType(Type, kw_only=True):
    """Wire type `RSAKeyValueType`."""

    Modulus: CryptoBinary
    Exponent: CryptoBinary


class KeyValueType(Irregular, kw_only=True):
    """Wire type `KeyValueType`."""

    content: list[tuple[str, Any]] = []
    particles = choice(element("DSAKeyValue", DSAKeyValueType), element("RSAKeyValue", RSAKeyValueType), wildcard())
    mixed = True


class PGPDataType(Irregular, kw_only=True):
    """Wire type `PGPDataType`."""

    content: list[tuple[str, Any]] = []
    particles = choice(
        seq(element("PGPKeyID", xs_base64Binary), element("PGPKeyPacket", xs_base64Binary, 0, 1), wildcard(0, None)),
        seq(element("PGPKeyPacket", xs_base64Binary), wildcard(0, None)),
    )


class TransformType(Irregular, kw_only=True):
    """Wire type `TransformType`."""

    Algorithm: Annotated[xs_anyURI, Attribute()]
    content: list[tuple[str, Any]] = []
    particles = choice(wildcard(), element("XPath", xs_string), low=0, high=None)
    mixed = True


class TransformsType(Type, kw_only=True):
    """Wire type `TransformsType`."""

    Transform: Annotated[list[TransformType], Occurs(1, None)]


class RetrievalMethodType(Type, kw_only=True):
    """Wire type `RetrievalMethodType`."""

    Type: Annotated[xs_anyURI, Attribute()] | None = None
    URI: Annotated[xs_anyURI, Attribute()] | None = None
    Transforms: TransformsType | None = None


class SPKIDataType(Irregular, kw_only=True):
    """Wire type `SPKIDataType`."""

    content: list[tuple[str, Any]] = []
    particles = seq(element("SPKISexp", xs_base64Binary), wildcard(0, 1), low=1, high=None)


class X509DataType(Irregular, kw_only=True):
    """Wire type `X509DataType`."""

    content: list[tuple[str, Any]] = []
    particles = seq(
        choice(
            element("X509IssuerSerial", X509IssuerSerialType),
            element("X509SKI", xs_base64Binary),
            element("X509SubjectName", xs_string),
            element("X509Certificate", xs_base64Binary),
            element("X509CRL", xs_base64Binary),
            wildcard(),
        ),
        low=1,
        high=None,
    )


class KeyInfoType(Irregular, kw_only=True):
    """Wire type `KeyInfoType`."""

    Id: Annotated[xs_ID, Attribute()] | None = None
    content: list[tuple[str, Any]] = []
    particles = choice(
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


class ObjectType(Irregular, kw_only=True):
    """Wire type `ObjectType`."""

    Encoding: Annotated[xs_anyURI, Attribute()] | None = None
    Id: Annotated[xs_ID, Attribute()] | None = None
    MimeType: Annotated[xs_string, Attribute()] | None = None
    content: list[tuple[str, Any]] = []
    particles = seq(wildcard(), low=0, high=None)
    mixed = True


class SignatureValueType(Type, kw_only=True):
    """Wire type `SignatureValueType`."""

    Id: Annotated[xs_ID, Attribute()] | None = None
    value: Annotated[xs_base64Binary, Text()]


class CanonicalizationMethodType(Irregular, kw_only=True):
    """Wire type `CanonicalizationMethodType`."""

    Algorithm: Annotated[xs_anyURI, Attribute()]
    content: list[tuple[str, Any]] = []
    particles = seq(wildcard(0, None))
    mixed = True


class DigestMethodType(Irregular, kw_only=True):
    """Wire type `DigestMethodType`."""

    Algorithm: Annotated[xs_anyURI, Attribute()]
    content: list[tuple[str, Any]] = []
    particles = seq(wildcard(0, None))
    mixed = True


class ReferenceType(Type, kw_only=True):
    """Wire type `ReferenceType`."""

    Id: Annotated[xs_ID, Attribute()] | None = None
    Type: Annotated[xs_anyURI, Attribute()] | None = None
    URI: Annotated[xs_anyURI, Attribute()] | None = None
    Transforms: TransformsType | None = None
    DigestMethod: DigestMethodType
    DigestValue: DigestValueType


class SignatureMethodType(Irregular, kw_only=True):
    """Wire type `SignatureMethodType`."""

    Algorithm: Annotated[xs_anyURI, Attribute()]
    content: list[tuple[str, Any]] = []
    particles = seq(element("HMACOutputLength", HMACOutputLengthType, 0, 1), wildcard(0, None))
    mixed = True


class SignedInfoType(Type, kw_only=True):
    """Wire type `SignedInfoType`."""

    Id: Annotated[xs_ID, Attribute()] | None = None
    CanonicalizationMethod: CanonicalizationMethodType
    SignatureMethod: SignatureMethodType
    Reference: Annotated[list[ReferenceType], Occurs(1, None)]


class SignatureType(Type, kw_only=True):
    """Wire type `SignatureType`."""

    Id: Annotated[xs_ID, Attribute()] | None = None
    SignedInfo: SignedInfoType
    SignatureValue: SignatureValueType
    KeyInfo: KeyInfoType | None = None
    Object: Annotated[list[ObjectType], Occurs(0, None)] = []


class ManifestType(Type, kw_only=True):
    """Wire type `ManifestType`."""

    Id: Annotated[xs_ID, Attribute()] | None = None
    Reference: Annotated[list[ReferenceType], Occurs(1, None)]


class SignaturePropertyType(Irregular, kw_only=True):
    """Wire type `SignaturePropertyType`."""

    Id: Annotated[xs_ID, Attribute()] | None = None
    Target: Annotated[xs_anyURI, Attribute()]
    content: list[tuple[str, Any]] = []
    particles = choice(wildcard(), low=1, high=None)
    mixed = True


class SignaturePropertiesType(Type, kw_only=True):
    """Wire type `SignaturePropertiesType`."""

    Id: Annotated[xs_ID, Attribute()] | None = None
    SignatureProperty: Annotated[list[SignaturePropertyType], Occurs(1, None)]
