"""XML signatures: what is signed verifies, what was changed in any way does not, and nothing raises."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa, utils
from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.modules.v2g import signatures
from chargebyte_fw.modules.v2g.exi import EncodeError, ExiError, codec
from chargebyte_fw.modules.v2g.messages import iso2, iso20_contracts, xmldsig
from chargebyte_fw.modules.v2g.messages.model import Type
from chargebyte_fw.modules.v2g.signatures import sign, verify

CURVES: dict[str, ec.EllipticCurve] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}


@cache
def key(name: str) -> Any:
    if name == "ed448":
        return ed448.Ed448PrivateKey.generate()
    return ec.generate_private_key(CURVES[name])


@cache
def another(name: str) -> Any:
    return ed448.Ed448PrivateKey.generate() if name == "ed448" else ec.generate_private_key(key(name).curve)


def challenge() -> dict[str, Type]:
    return {"AuthorizationReq": iso2.AuthorizationReq(Id="id1", GenChallenge=bytes(range(16)))}


def installation() -> dict[str, Type]:
    """The four elements of CertificateInstallationRes."""
    chain = iso2.CertificateChainType(Id="id1", Certificate=b"\x30\x03\x02\x01\x04")
    return {
        "ContractSignatureCertChain": chain,
        "ContractSignatureEncryptedPrivateKey": iso2.ContractSignatureEncryptedPrivateKeyType(
            Id="id2", value=bytes(48)
        ),
        "DHpublickey": iso2.DiffieHellmanPublickeyType(Id="id3", value=bytes(65)),
        "eMAID": iso2.EMAIDType(Id="id9", value="DEKL2C00012345U"),
    }


def authorization() -> dict[str, Type]:
    chain = iso20_contracts.ContractCertificateChainType(
        Certificate=bytes(800), SubCertificates=iso20_contracts.SubCertificatesType(Certificate=[bytes(700)])
    )
    mode = iso20_contracts.PnC_AReqAuthorizationModeType(
        Id="aReq", GenChallenge=bytes(16), ContractCertificateChain=chain
    )
    return {"PnC_AReqAuthorizationMode": mode}


CASES = [
    ("iso2", "P-256", challenge),
    ("iso2", "P-256", installation),
    ("iso20_common", "P-521", authorization),
    ("iso20_common", "ed448", authorization),
    ("iso20_common", "P-256", authorization),
    ("iso20_common", "P-384", authorization),
]
IDS = [f"{name}-{curve}-{make.__name__}" for name, curve, make in CASES]


@cache
def signed(name: str, curve: str, make: Callable[[], dict[str, Type]]) -> xmldsig.SignatureType:
    return sign(name, key(curve), make())


def check(case: tuple[str, str, Any], signature: Any, elements: dict[str, Type] | None = None, **options: Any) -> str:
    name, curve, make = case
    return verify(name, signature, key(curve).public_key(), make() if elements is None else elements, **options)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_what_is_signed_verifies_after_it_was_on_the_wire(case: tuple[str, str, Any]) -> None:
    name, written = case[0], codec("xmldsig").encode_fragment(signed(*case))
    _, signature = codec("xmldsig").decode_fragment(written)
    assert check(case, signature) == ""
    assert signature.SignedInfo.Reference[0].Transforms is not None, "Josev refuses a reference without"
    assert name == "iso2" or check(case, signature, strict=True) == (
        "" if case[1] in ("P-521", "ed448") else f"{key(case[1]).curve.name} is no key for a signature of iso20_common"
    )


@pytest.mark.parametrize(
    ("curve", "octets", "method", "digest"),
    [
        ("P-256", 64, "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", 32),
        ("P-521", 132, "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512", 64),
        ("ed448", 114, "urn:iso:std:iso:15118:-20:Security:xmldsig#Ed448", 64),
    ],
)
def test_algorithms_and_lengths(curve: str, octets: int, method: str, digest: int) -> None:
    made = signed("iso20_common", curve, authorization)
    assert made.SignedInfo.SignatureMethod.Algorithm == method
    assert len(made.SignatureValue.value) == octets
    assert len(made.SignedInfo.Reference[0].DigestValue) == digest


def test_the_emaid_of_an_installation_may_have_either_digest_and_no_third() -> None:
    """EXIficient, Josev and the late OpenV2G write it by the grammar for a name of several types, libcbv2g does not."""
    elements = installation()
    first, second = codec("iso2").fragment_forms(elements["eMAID"], "eMAID")
    assert first.hex() == "80ec0202b4b21cc004511152d30c90cc0c0c0c4c8ccd0d557d3d00"
    assert second.hex() == "80ec02b4b21c84511152d30c90cc0c0c0c4c8ccd0d555e80"
    assert hashlib.sha256(first).hexdigest() == "bc5032022ce028ab2b914d10239768db79b0bab65b54949f59594ddaa3050871"
    made = deepcopy(signed("iso2", "P-256", installation))
    assert made.SignedInfo.Reference[3].DigestValue == hashlib.sha256(first).digest(), "ours is the standard's"
    made.SignedInfo.Reference[3].DigestValue = hashlib.sha256(second).digest()
    resign(made, "P-256")
    assert check(CASES[1], made) == ""
    made.SignedInfo.Reference[3].DigestValue = hashlib.sha256(second + b"\0").digest()
    resign(made, "P-256")
    assert check(CASES[1], made) == "the digest of eMAID is another one"


def test_a_sales_tariff_as_others_sign_it() -> None:
    entries = [
        iso2.SalesTariffEntryType(TimeInterval=iso2.RelativeTimeIntervalType(start=0), EPriceLevel=1),
        iso2.SalesTariffEntryType(TimeInterval=iso2.RelativeTimeIntervalType(start=1800, duration=5400), EPriceLevel=2),
    ]
    tariff = iso2.SalesTariffType(Id="st3", SalesTariffID=5, NumEPriceLevels=2, SalesTariffEntry=entries)
    fragment = codec("iso2").encode_fragment(tariff)
    assert fragment.hex() == "80ae015cdd0cc04202000080120440704c150008be80"
    digest = hashlib.sha256(fragment).hexdigest()
    assert digest == "8162030e21512a3b99a2eb1c172cf1c298db80964d4d2d137128869096f05a12"
    made = sign("iso2", key("P-256"), {"SalesTariff": tariff})
    assert made.SignedInfo.Reference[0].DigestValue.hex() == digest


def test_a_provisioning_chain_as_others_sign_it() -> None:
    chain = iso20_contracts.SignedCertificateChainType(
        Id="oem",
        Certificate=bytes.fromhex("3003020104"),
        SubCertificates=iso20_contracts.SubCertificatesType(Certificate=[bytes.fromhex("3003020105")]),
    )
    made = sign("iso20_common", key("P-521"), {"OEMProvisioningCertificateChain": chain})
    assert made.SignedInfo.Reference[0].DigestValue.hex() == (
        "91adbb964e49cd2d0414235d4e9ea6f8d4872f429f4433687faf0cdfcaf9777d"
        "ea262c6bee76714035b7633e7c3a82ada054960a2b385775f8aca118e1fedb2c"
    )


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_signed_info_of_the_set_of_the_message_is_accepted(case: tuple[str, str, Any]) -> None:
    made = deepcopy(signed(*case))
    resign(made, case[1], case[0])
    assert check(case, made) == ""


# -- what is not accepted


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_any_flipped_bit_of_the_signature_is_noticed(case: tuple[str, str, Any]) -> None:
    made = deepcopy(signed(*case))
    value = made.SignatureValue.value
    for bit in [*range(0, 8 * len(value), 97), 8 * len(value) - 1]:
        number = int.from_bytes(value, "big") ^ 1 << bit
        made.SignatureValue.value = number.to_bytes(len(value), "big")
        assert check(case, made) == "the signature was not made with the key of the certificate"


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_any_flipped_bit_of_a_digest_is_noticed(case: tuple[str, str, Any]) -> None:
    for place, reference in enumerate(signed(*case).SignedInfo.Reference):
        for bit in range(0, 8 * len(reference.DigestValue), 41):
            made = deepcopy(signed(*case))
            number = int.from_bytes(reference.DigestValue, "big") ^ 1 << bit
            made.SignedInfo.Reference[place].DigestValue = number.to_bytes(len(reference.DigestValue), "big")
            assert check(case, made).startswith("the digest of ")


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_changed_element_is_noticed(case: tuple[str, str, Any]) -> None:
    elements: Any = case[2]()
    changed = list(elements)[-1]
    if changed == "eMAID":
        elements[changed].value = "DEKL2C00012345V"
    else:
        elements[changed].GenChallenge = bytes([1] * 16)
    assert check(case, signed(*case), elements) == f"the digest of {changed} is another one"


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_another_key_is_noticed(case: tuple[str, str, Any]) -> None:
    name, curve, make = case
    assert verify(name, signed(*case), another(curve).public_key(), make()).startswith("the signature was not made")


def change(made: xmldsig.SignatureType, what: str) -> None:
    references = made.SignedInfo.Reference
    match what:
        case "swapped digests":
            references[0].DigestValue, references[1].DigestValue = references[1].DigestValue, references[0].DigestValue
        case "swapped references":
            references[0].URI, references[1].URI = references[1].URI, references[0].URI
        case "one twice":
            references[1] = deepcopy(references[0])
        case "one less":
            references.pop()
        case "one more":
            references.append(deepcopy(references[0]))
        case "an unknown one":
            references[0].URI = "#id77"
        case "no URI":
            references[0].URI = None
        case "a URI without #":
            references[0].URI = "id1"
        case "an empty digest":
            references[0].DigestValue = b""
        case "no reference":
            references.clear()


@pytest.mark.parametrize(
    ("what", "found"),
    [
        ("swapped digests", "the digest of ContractSignatureCertChain is another one"),
        ("swapped references", "the digest of ContractSignatureEncryptedPrivateKey is another one"),
        ("one twice", "the reference '#id1' leads to no element, or not to one alone"),
        ("one less", "eMAID is not signed"),
        ("one more", "5 references, where 4 are the most"),
        ("an unknown one", "the reference '#id77' leads to no element, or not to one alone"),
        ("no URI", "the reference 'None' leads to no element, or not to one alone"),
        ("a URI without #", "the reference 'id1' leads to no element, or not to one alone"),
        ("an empty digest", "the digest of ContractSignatureCertChain is another one"),
        ("no reference", "is not signed"),
    ],
)
def test_references_that_are_wrong_although_the_key_signed_them(what: str, found: str) -> None:
    made = deepcopy(signed("iso2", "P-256", installation))
    change(made, what)
    if made.SignedInfo.Reference:
        resign(made, "P-256")
    assert found in check(CASES[1], made)


@pytest.mark.parametrize(
    ("field", "algorithm", "found"),
    [
        ("CanonicalizationMethod", "http://www.w3.org/2006/12/xml-c14n11", "the canonicalization is"),
        ("SignatureMethod", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1", "the signature method is"),
        ("SignatureMethod", "http://www.w3.org/2000/09/xmldsig#hmac-sha1", "the signature method is"),
        ("SignatureMethod", "", "the signature method is ''"),
        ("SignatureMethod", "x" * 60_000, "..."),
    ],
)
def test_algorithms_that_are_wrong(field: str, algorithm: str, found: str) -> None:
    made = deepcopy(signed("iso2", "P-256", challenge))
    getattr(made.SignedInfo, field).Algorithm = algorithm
    resign(made, "P-256")
    assert found in check(CASES[0], made) and len(check(CASES[0], made)) < 250


def test_a_weak_digest_or_another_transform_is_refused() -> None:
    made = deepcopy(signed("iso2", "P-256", challenge))
    made.SignedInfo.Reference[0].DigestMethod.Algorithm = "http://www.w3.org/2000/09/xmldsig#sha1"
    assert check(CASES[0], made) == "the digest method is 'http://www.w3.org/2000/09/xmldsig#sha1'"
    for transforms in (
        [xmldsig.TransformType(Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116")],
        [xmldsig.TransformType(Algorithm=signatures.CANONICAL_EXI, XPath=["//*"])],
        [xmldsig.TransformType(Algorithm=signatures.CANONICAL_EXI)] * 2,
    ):
        made = deepcopy(signed("iso2", "P-256", challenge))
        made.SignedInfo.Reference[0].Transforms = xmldsig.TransformsType(Transform=transforms)
        resign(made, "P-256")
        assert check(CASES[0], made) == "the transform is not that of canonical EXI alone"
    made.SignedInfo.Reference[0].Transforms = None
    resign(made, "P-256")
    assert check(CASES[0], made) == "", "EXI is all that there is on the wire"


def test_the_digest_of_a_signature_belongs_to_its_key() -> None:
    """SHA-256 with a key on P-521 is neither the standard's nor that of a car with a smaller key."""
    made = deepcopy(signed("iso20_common", "P-256", authorization))
    resign(made, "P-521")
    assert "which does not belong to a key on secp521r1" in check(CASES[2], made)


@pytest.mark.parametrize("octets", [b"", bytes(63), bytes(64), bytes(65), bytes(200), bytes(60_000), b"\xff" * 64])
def test_a_value_that_is_no_signature(octets: bytes) -> None:
    made = deepcopy(signed("iso2", "P-256", challenge))
    made.SignatureValue.value = octets
    assert check(CASES[0], made).startswith(f"the signature has {len(octets)} octets" if len(octets) != 64 else "the ")


def test_a_signature_in_der_is_refused() -> None:
    made = deepcopy(signed("iso2", "P-256", challenge))
    half = made.SignatureValue.value
    made.SignatureValue.value = utils.encode_dss_signature(
        int.from_bytes(half[:32], "big"), int.from_bytes(half[32:], "big")
    )
    assert "octets, where 64 are those of secp256r1" in check(CASES[0], made)


def test_keys_that_sign_nothing_here() -> None:
    other = rsa.generate_private_key(65537, 1024)
    with pytest.raises(ValueError, match="is no key for a signature of iso2"):
        sign("iso2", other, challenge())
    with pytest.raises(ValueError, match="secp521r1 is no key for a signature of iso2"):
        sign("iso2", key("P-521"), challenge())
    made = signed("iso2", "P-256", challenge)
    assert "RSAPublicKey is no key" in verify("iso2", made, other.public_key(), challenge())
    assert "ed448 is no key" in verify("iso2", made, key("ed448").public_key(), challenge())
    assert verify("iso2", None, key("P-256").public_key(), challenge()) == "there is no signature"


def test_an_element_without_an_id_cannot_be_signed() -> None:
    with pytest.raises(EncodeError, match="needs an Id"):
        sign("iso2", key("P-256"), {"AuthorizationReq": iso2.AuthorizationReq(GenChallenge=bytes(16))})
    made = signed("iso2", "P-256", challenge)
    assert "leads to no element" in check(CASES[0], made, {"AuthorizationReq": iso2.AuthorizationReq()})


def test_two_elements_of_one_id_are_refused() -> None:
    elements: Any = installation()
    elements["DHpublickey"].Id = "id1"
    assert "or not to one alone" in check(CASES[1], signed("iso2", "P-256", installation), elements)


def resign(made: xmldsig.SignatureType, curve: str, name: str = "xmldsig") -> None:
    """Sign SignedInfo as it is now, written by the grammar of a set: what only the key's owner can do."""
    octets = codec(name).encode_fragment(made.SignedInfo, "SignedInfo")
    if curve == "ed448":
        made.SignatureValue.value = key(curve).sign(octets)
        return
    chosen: dict[str, tuple[Any, int]] = {
        "P-256": (hashes.SHA256, 32),
        "P-384": (hashes.SHA384, 48),
        "P-521": (hashes.SHA512, 66),
    }
    algorithm, half = chosen[curve]
    r, s = utils.decode_dss_signature(key(curve).sign(octets, ec.ECDSA(algorithm())))
    made.SignatureValue.value = r.to_bytes(half, "big") + s.to_bytes(half, "big")


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_no_signature_from_the_wire_raises(data: st.DataObject) -> None:
    """Octets of a message with a signature, changed anywhere: what can still be read is judged, and never accepted."""
    header = iso2.MessageHeaderType(SessionID=bytes(8), Signature=signed("iso2", "P-256", challenge))
    payload = bytearray(codec("iso2").encode(iso2.V2G_Message(Header=header, Body=challenge()["AuthorizationReq"])))  # type: ignore[arg-type]
    original = bytes(payload)
    for place in data.draw(st.lists(st.integers(16, len(payload) - 1), min_size=1, max_size=4)):
        payload[place] ^= data.draw(st.integers(1, 255))
    try:
        read = codec("iso2").decode(bytes(payload))
    except ExiError:
        return
    if read == codec("iso2").decode(original) or not isinstance(read.Body, iso2.AuthorizationReq):
        return
    found = check(CASES[0], read.Header.Signature, {"AuthorizationReq": read.Body})
    assert isinstance(found, str) and found


def test_a_signature_of_random_content_is_judged() -> None:
    """Whatever the types of a signature can hold, from an object that no codec made."""
    made = xmldsig.SignatureType(
        SignedInfo=xmldsig.SignedInfoType(
            CanonicalizationMethod=xmldsig.CanonicalizationMethodType(Algorithm=signatures.CANONICAL_EXI),
            SignatureMethod=xmldsig.SignatureMethodType(
                Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", HMACOutputLength=1
            ),
            Reference=[],
        ),
        SignatureValue=xmldsig.SignatureValueType(value=bytes(64)),
    )
    assert "SignedInfo cannot be written" in check(CASES[0], made, {})


def test_a_session_without_a_signature_does_not_load_the_library() -> None:
    program = "import sys, chargebyte_fw.modules.v2g.signatures\nassert 'cryptography' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
