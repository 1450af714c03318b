"""XML signatures of V2G messages: `sign` makes one, `verify` checks one (ISO 15118-2 clause 7.9.2.4).

A signature is over elements, not over the message: the digest of each is calculated over its EXI fragment, and the
signature over SignedInfo, which has the digests. SignedInfo is a fragment of the signature schema alone ([V2G20-1449],
ISO 15118-2 annex J); other stacks take the set of the message, so `verify` accepts both.

ISO 15118-2 knows one algorithm, ECDSA on secp256r1 with SHA-256. In ISO 15118-20 the key decides: secp521r1 with
SHA-512, or Ed448 with `SHAKE256` ([V2G20-2473] to [V2G20-2476]); cars in the field also come with the smaller curves,
which `strict` refuses.

Whose key it is, and whether its certificate may sign, is not asked here.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from chargebyte_fw.modules.v2g.exi import EncodeError, codec
from chargebyte_fw.modules.v2g.messages import xmldsig
from chargebyte_fw.modules.v2g.messages.model import Type

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

CANONICAL_EXI = "http://www.w3.org/TR/canonical-exi/"
MOST_REFERENCES = 4
"""At most so many elements are signed together: those of CertificateInstallationRes."""
_SIGNED_INFO = "SignedInfo"
_OF_CARS = {
    "iso2": ("AuthorizationReq", "MeteringReceiptReq"),
    "iso20_common": ("PnC_AReqAuthorizationMode", "SignedMeteringData"),
}
"""Elements whose signatures a charger checks."""

Elements = Mapping[str, Type] | Iterable[tuple[str, Type]]
"""Elements by their names; pairs where one name stands for several (the SalesTariff of each schedule)."""


class PrivateKey(Protocol):
    """A key of `cryptography`, or one that signs as such a one does."""

    def public_key(self) -> Any:
        """Return the public key, one of `cryptography`."""


class Algorithm(msgspec.Struct, frozen=True):
    """What belongs together in a signature."""

    curve: str
    """Of the key, as `cryptography` names it."""
    signature: str
    """Algorithm of SignatureMethod."""
    digest: str
    """Algorithm of DigestMethod."""
    hash: Callable[[bytes], bytes]
    octets: int
    """Length of a signature."""


_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
_P256 = Algorithm(
    "secp256r1",
    f"{_MORE}ecdsa-sha256",
    "http://www.w3.org/2001/04/xmlenc#sha256",
    lambda octets: hashlib.sha256(octets).digest(),
    64,
)
_P384 = Algorithm(
    "secp384r1",
    f"{_MORE}ecdsa-sha384",
    f"{_MORE}sha384",
    lambda octets: hashlib.sha384(octets).digest(),
    96,
)
_P521 = Algorithm(
    "secp521r1",
    f"{_MORE}ecdsa-sha512",
    "http://www.w3.org/2001/04/xmlenc#sha512",
    lambda octets: hashlib.sha512(octets).digest(),
    132,
)
_ED448 = Algorithm(
    "ed448",
    "urn:iso:std:iso:15118:-20:Security:xmldsig#Ed448",
    "urn:iso:std:iso:15118:-20:Security:xmlenc#SHAKE256",
    lambda octets: hashlib.shake_256(octets).digest(64),
    114,
)


def allowed_algorithms(set_name: str, strict: bool = False) -> tuple[Algorithm, ...]:
    """Return the algorithms of a protocol by its schema set, the standard's first; `strict`: those alone."""
    if not set_name.startswith("iso20"):
        return (_P256,)
    return (_P521, _ED448) if strict else (_P521, _ED448, _P256, _P384)


def generate(set_name: str) -> Iterator[str]:
    """Compile what checks the signatures of cars in a protocol, by its schema set; yields after each step."""
    for name in _OF_CARS.get(set_name, ()):
        yield from codec(set_name).generate_fragment(name)
    if set_name in _OF_CARS:
        yield from codec("xmldsig").generate_fragment(_SIGNED_INFO)


def sign(set_name: str, key: PrivateKey, elements: Elements) -> xmldsig.SignatureType:
    """Return the signature of elements of a message.

    `elements` are by their element names (`{"AuthorizationReq": body}`), each with an `Id` of its own. Raises
    ValueError for a key that the protocol does not know, and EncodeError for an element that cannot be written.
    """
    algorithm = _algorithm_of(set_name, key.public_key(), strict=False)
    if algorithm is None:
        raise ValueError(f"{_name_of(key.public_key())} is no key for a signature of {set_name}")
    chosen = codec(set_name)
    info = xmldsig.SignedInfoType(
        CanonicalizationMethod=xmldsig.CanonicalizationMethodType(Algorithm=CANONICAL_EXI),
        SignatureMethod=xmldsig.SignatureMethodType(Algorithm=algorithm.signature),
        Reference=[
            xmldsig.ReferenceType(
                URI=f"#{_id_of(name, element)}",
                Transforms=xmldsig.TransformsType(Transform=[xmldsig.TransformType(Algorithm=CANONICAL_EXI)]),
                DigestMethod=xmldsig.DigestMethodType(Algorithm=algorithm.digest),
                DigestValue=algorithm.hash(chosen.encode_fragment(element, name)),
            )
            for name, element in _pairs(elements)
        ],
    )
    signature = _signed(key, codec("xmldsig").encode_fragment(info, _SIGNED_INFO), algorithm)
    return xmldsig.SignatureType(SignedInfo=info, SignatureValue=xmldsig.SignatureValueType(value=signature))


def verify(
    set_name: str,
    signature: xmldsig.SignatureType | None,
    public_key: PublicKeyTypes,
    elements: Elements,
    *,
    strict: bool = False,
) -> str:
    """Return what is wrong with the signature of elements (by their element names), or nothing.

    Every element must be referenced, and nothing else. Does not raise, whatever the message holds.
    """
    if signature is None:
        return "there is no signature"
    algorithm = _algorithm_of(set_name, public_key, strict)
    if algorithm is None:
        return f"{_name_of(public_key)} is no key for a signature of {set_name}"
    info = signature.SignedInfo
    return (
        _wrong_algorithms(info, algorithm)
        or _wrong_references(set_name, info.Reference, algorithm, _pairs(elements))
        or _wrong_value(set_name, info, signature.SignatureValue.value, public_key, algorithm)
    )


# -- what the signature refers to


def _wrong_algorithms(info: xmldsig.SignedInfoType, algorithm: Algorithm) -> str:
    if len(info.Reference) > MOST_REFERENCES:
        return f"{len(info.Reference)} references, where {MOST_REFERENCES} are the most"
    if info.CanonicalizationMethod.Algorithm != CANONICAL_EXI:
        return f"the canonicalization is {_short(info.CanonicalizationMethod.Algorithm)}"
    if info.SignatureMethod.Algorithm != algorithm.signature:
        method = _short(info.SignatureMethod.Algorithm)
        return f"the signature method is {method}, which does not belong to a key on {algorithm.curve}"
    for reference in info.Reference:
        if reference.DigestMethod.Algorithm != algorithm.digest:
            return f"the digest method is {_short(reference.DigestMethod.Algorithm)}"
        transforms = [] if reference.Transforms is None else reference.Transforms.Transform
        # Without one it cannot be anything else: EXI is all that is on the wire.
        if len(transforms) > 1 or any(one.Algorithm != CANONICAL_EXI or one.XPath for one in transforms):
            return "the transform is not that of canonical EXI alone"
    return ""


def _wrong_references(
    set_name: str,
    references: list[xmldsig.ReferenceType],
    algorithm: Algorithm,
    elements: list[tuple[str, Type]],
) -> str:
    waiting = list(elements)
    for reference in references:
        found = [pair for pair in waiting if f"#{getattr(pair[1], 'Id', None)}" == reference.URI]
        if len(found) != 1:
            return f"the reference {_short(str(reference.URI))} leads to no element, or not to one alone"
        name, element = found[0]
        waiting.remove(found[0])
        try:
            forms = codec(set_name).fragment_forms(element, name)
        except EncodeError as error:
            return f"{name} cannot be written: {error}"
        if not any(hmac.compare_digest(algorithm.hash(form), reference.DigestValue) for form in forms):
            return f"the digest of {name} is another one"
    return f"{', '.join(name for name, _ in waiting)} is not signed" if waiting else ""


def _wrong_value(
    set_name: str, info: xmldsig.SignedInfoType, value: bytes, public_key: PublicKeyTypes, algorithm: Algorithm
) -> str:
    if len(value) != algorithm.octets:
        return f"the signature has {len(value)} octets, where {algorithm.octets} are those of {algorithm.curve}"
    try:
        if any(_is_signature(public_key, value, form, algorithm) for form in _signed_info_forms(set_name, info)):
            return ""
    except EncodeError as error:
        return f"SignedInfo cannot be written: {error}"
    return "the signature was not made with the key of the certificate"


def _signed_info_forms(set_name: str, info: xmldsig.SignedInfoType) -> Iterator[bytes]:
    for name in ("xmldsig", set_name):
        yield codec(name).encode_fragment(info, _SIGNED_INFO)


def _pairs(elements: Elements) -> list[tuple[str, Type]]:
    return list(elements.items() if isinstance(elements, Mapping) else elements)


def _id_of(name: str, element: Type) -> str:
    identity = getattr(element, "Id", None)
    if not identity:
        raise EncodeError("an element that is signed needs an Id", name)
    return str(identity)


def _short(text: str) -> str:
    return repr(text if len(text) <= 100 else f"{text[:97]}...")


# -- the keys. Only a signature brings the library in: most chargers serve cars without one.


def _algorithm_of(set_name: str, key: PublicKeyTypes, strict: bool) -> Algorithm | None:
    name = _name_of(key)
    return next((each for each in allowed_algorithms(set_name, strict) if each.curve == name), None)


def _name_of(key: Any) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, ed448

    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.curve.name
    return "ed448" if isinstance(key, ed448.Ed448PublicKey) else type(key).__name__


def _signed(key: Any, octets: bytes, algorithm: Algorithm) -> bytes:
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    if algorithm is _ED448:
        return bytes(key.sign(octets))
    r, s = utils.decode_dss_signature(key.sign(octets, ec.ECDSA(_hash_of(algorithm))))
    half = algorithm.octets // 2
    return r.to_bytes(half, "big") + s.to_bytes(half, "big")


def _is_signature(key: Any, value: bytes, octets: bytes, algorithm: Algorithm) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    half = algorithm.octets // 2
    try:
        if algorithm is _ED448:
            key.verify(value, octets)
        else:
            r, s = int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big")
            key.verify(utils.encode_dss_signature(r, s), octets, ec.ECDSA(_hash_of(algorithm)))
    except (InvalidSignature, ValueError):
        return False
    return True


def _hash_of(algorithm: Algorithm) -> Any:
    from cryptography.hazmat.primitives import hashes

    found: dict[Algorithm, Any] = {_P256: hashes.SHA256, _P384: hashes.SHA384, _P521: hashes.SHA512}
    return found[algorithm]()
