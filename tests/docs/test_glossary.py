"""Every abbreviation of the field in a docstring or comment of the product is in docs/glossary.md."""

from __future__ import annotations

import ast
import re

from tests.test_prose import ROOT, files, prose

ABBREVIATION = re.compile(r"(?<![\w/.§-])(?=\w*[A-Z]\w*[A-Z])[A-Z][A-Za-z0-9]{1,7}(?![\w(=.])")
"""Two capitals or more in a word of up to eight letters and digits."""
FIELD_LIKE = re.compile(r"[A-Z0-9]+s?|[A-Z][a-z]?[A-Z]+")


def words(text: str) -> set[str]:
    return set(text.split())


GENERAL = words(
    "ACL API ASCII CBOR CONNACK CR CRLF CSV DNS ECDSA FF FIN FS FTP FTPS GPIO GS HTML HTTP IANA ID JSON KiB LF "
    "LS MB MQTT NaN NEL NTP PATH PBKDF1 PCB PEM PEP PID PKCS PS PSS PUT PyYAML QoS RAUC READ RES REST RETR RFC "
    "RFID RS RSA SFTP SHA SI SIGINT SIGTERM SQL SSH SUM SVG TCP TLS UDP UI URL USB UTC UTF UUID VLAN VT W3C WRITE "
    "XML YAML APPE STOR EDQUOT ENOSPC DEFAULT DIR FILE WHERE INFO DEBUG WARNING ERROR NONE OK SIZE UK CAR MD5 "
    "NFC ROM RAM CPU SQLite HMAC QR "
)
"""Computing in general, and words in capitals that abbreviate nothing."""
DOCUMENTS = {"IEC", "ISO", "DIN", "SAE", "V2G2", "V2G3", "V2GDC", "IEEE"}
FIELDS = words(
    "CHARACTERS DIRECTION ERASE FORMAT KEY SCHEMA SIGNATURE TYPE VALUE VA UP007 ASYNC109 ASYNC110 HVSWITCH MA END "
    "QCA7005 FAILURES"
)
"""Fields of messages, chips and rules, written as their document writes them."""


def glossary() -> set[str]:
    """The words of the first column."""
    terms: set[str] = set()
    for line in (ROOT / "docs/glossary.md").read_text("utf-8").splitlines():
        if line.startswith("| ") and not line.startswith("| ---"):
            terms.update(re.findall(r"[\w-]+", line.split("|")[1]))
    return terms


def members(path: str) -> set[str]:
    """Names of states and values that the file declares: members of an Enum."""
    found: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
        if isinstance(node, ast.ClassDef) and any("Enum" in ast.unparse(base) for base in node.bases):
            assigned = [one for one in node.body if isinstance(one, ast.Assign)]
            found.update(target.id for one in assigned for target in one.targets if isinstance(target, ast.Name))
    return found


def abbreviations(path: str) -> set[str]:
    text = (ROOT / path).read_text("utf-8")
    found: set[str] = set()
    for _, content in prose(text, ast.parse(text)):
        plain = re.sub(r"`[^`]*`|\[[^\]]*\]", " ", content)
        found.update(word for word in ABBREVIATION.findall(plain) if FIELD_LIKE.fullmatch(word))
    return found


def test_every_abbreviation_is_explained() -> None:
    known = glossary() | GENERAL | DOCUMENTS | FIELDS
    for path in files():
        known |= members(path)
    missing: dict[str, str] = {}
    for path in files():
        if path.startswith("chargebyte_fw/"):
            for word in abbreviations(path) - known:
                if word.removesuffix("s") not in known:
                    missing.setdefault(word, path)
    assert missing == {}, "docs/glossary.md has a line for each term"


def test_each_term_has_its_meaning_and_its_source() -> None:
    rows = [line for line in (ROOT / "docs/glossary.md").read_text("utf-8").splitlines() if line.startswith("| ")]
    assert len(rows) > 80
    assert all(row.count("|") == 4 and len(row) <= 200 for row in rows), "one line a term"


def test_the_terms_that_every_newcomer_meets_are_there() -> None:
    terms = words("HLC SLAC EVCC SECC BCB EIM PnC SDP V2GTP EXI CP PP PWM NMK NID MME EVSE CSMS OCPP MCU DC AC SAP")
    assert terms <= glossary()


def test_an_abbreviation_is_noticed() -> None:
    found = ABBREVIATION.findall("HLC, PnC and two EVCCs, but no Word, no CamelCase_name and no Name(")
    assert [word for word in found if FIELD_LIKE.fullmatch(word)] == ["HLC", "PnC", "EVCCs"]
