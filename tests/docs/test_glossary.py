"""Every abbreviation of the field in a docstring or comment of the product is in docs/glossary.md."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tests.source import ROOT, source
from tests.test_prose import files

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


def abbreviations(prose: Iterable[tuple[int, str]]) -> set[str]:
    found: set[str] = set()
    for _, content in prose:
        plain = re.sub(r"`[^`]*`|\[[^\]]*\]", " ", content)
        found.update(word for word in ABBREVIATION.findall(plain) if FIELD_LIKE.fullmatch(word))
    return found


def test_every_abbreviation_is_explained() -> None:
    known = glossary() | GENERAL | DOCUMENTS | FIELDS
    used: dict[str, set[str]] = {}
    for path in files():
        file = source(path)
        known |= file.members
        if path.startswith("chargebyte_fw/"):
            used[path] = abbreviations(file.prose)
    missing = {word: path for path, found in used.items() for word in found if word.removesuffix("s") not in known}
    missing = {word: path for word, path in missing.items() if word not in known}
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
