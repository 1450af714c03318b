"""Event codes follow from the declarations (W3C EXI 1.0 clause 8.5); this is what must come out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.modules.v2g.exi import EncodeError, codec
from chargebyte_fw.modules.v2g.exi.grammar import code_bits
from chargebyte_fw.modules.v2g.messages import iso2, xmldsig
from tests.v2g.exi.event_counts import MODULES, lines

KNOWN = (Path(__file__).parent / "event_counts.txt").read_text("utf-8").splitlines()


@pytest.mark.parametrize("name", MODULES)
def test_every_state_of_every_type_has_its_productions(name: str) -> None:
    assert list(lines(name)) == [line for line in KNOWN if line.startswith(f"{name} ")]


@pytest.mark.parametrize(
    ("productions", "bits"), [(1, 1), (2, 2), (3, 2), (4, 3), (7, 3), (8, 4), (15, 4), (16, 5), (31, 5), (36, 6)]
)
def test_an_event_code_leaves_room_for_the_escape(productions: int, bits: int) -> None:
    assert code_bits(productions) == bits


@pytest.mark.parametrize(
    ("name", "bits", "codes"), [("sap", 2, {0, 1}), ("din", 7, {77}), ("iso2", 7, {76}), ("xmldsig", 5, set())]
)
def test_the_first_event_tells_the_set(name: str, bits: int, codes: set[int]) -> None:
    assert codec(name).root_bits == (bits, frozenset(codes))


@pytest.mark.parametrize(
    ("name", "element", "code", "bits"),
    [
        ("iso2", "AuthorizationReq", 4, 8),
        ("iso2", "CertificateInstallationReq", 15, 8),
        ("iso2", "CertificateUpdateReq", 17, 8),
        ("iso2", "ContractSignatureCertChain", 33, 8),
        ("iso2", "ContractSignatureEncryptedPrivateKey", 34, 8),
        ("iso2", "DHpublickey", 45, 8),
        ("iso2", "MeteringReceiptReq", 121, 8),
        ("iso2", "SalesTariff", 174, 8),
        ("iso2", "eMAID", 236, 8),
        ("xmldsig", "SignedInfo", 32, 6),
    ],
)
def test_what_gets_signed_has_its_code_in_the_fragment_grammar(name: str, element: str, code: int, bits: int) -> None:
    assert codec(name).fragment_code(element) == (code, bits)


def test_a_fragment_is_opened_by_its_element_and_closed_behind_it() -> None:
    """Header, SE(AuthorizationReq) 4 of 8 bits, no Id (2 bits: code 2 ends the element), ED 244 of 8 bits."""
    stream = int.from_bytes(codec("iso2").encode_fragment(iso2.AuthorizationReq()), "big")
    assert stream >> 6 == 0x80_04 << 10 | 0b10 << 8 | 244


def test_a_fragment_of_emaid_is_named_and_carries_its_id() -> None:
    emaid = iso2.EMAIDType(Id="id4", value="DE8AA1A2B3C4D59")
    written = codec("iso2").encode_fragment(emaid, "eMAID")
    assert codec("iso2").decode_fragment(written) == ("eMAID", emaid)
    with pytest.raises(EncodeError, match="iso2 has no element EMAID"):
        codec("iso2").encode_fragment(emaid)


def test_signed_info_as_signatures_use_it() -> None:
    """ISO 15118-2 Annex J: SignedInfo is coded by the grammar of the signature schema alone."""
    info = xmldsig.SignedInfoType(
        CanonicalizationMethod=xmldsig.CanonicalizationMethodType(Algorithm="http://www.w3.org/TR/canonical-exi/"),
        SignatureMethod=xmldsig.SignatureMethodType(Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"),
        Reference=[
            xmldsig.ReferenceType(
                URI="#ID1",
                Transforms=xmldsig.TransformsType(
                    Transform=[xmldsig.TransformType(Algorithm="http://www.w3.org/TR/canonical-exi/")]
                ),
                DigestMethod=xmldsig.DigestMethodType(Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"),
                DigestValue=bytes(range(32)),
            )
        ],
    )
    written = codec("xmldsig").encode_fragment(info)
    assert written.startswith(bytes([0x80, 32 << 2 | 0b01]))  # SE(SignedInfo), then no Id
    assert codec("xmldsig").decode_fragment(written) == ("SignedInfo", info)


@pytest.mark.parametrize("name", ["iso20", "", "../sap"])
def test_an_unknown_schema_set_is_a_mistake_of_the_caller(name: str) -> None:
    with pytest.raises(KeyError, match="no schema set"):
        codec(name)


def test_a_member_of_a_substitution_group_is_identified_by_its_class() -> None:
    message: Any = iso2.V2G_Message(
        Header=iso2.MessageHeaderType(SessionID=bytes(8)),
        Body=iso2.PowerDeliveryRes(
            ResponseCode=iso2.responseCodeType.OK,
            EVSEStatus=iso2.AC_EVSEStatusType(
                NotificationMaxDelay=0, EVSENotification=iso2.EVSENotificationType.None_, RCD=True
            ),
        ),
    )
    read: Any = codec("iso2").decode(codec("iso2").encode(message))
    assert isinstance(read.Body.EVSEStatus, iso2.AC_EVSEStatusType) and read.Body.EVSEStatus.RCD
