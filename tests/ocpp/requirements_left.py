"""Which functional requirements no test is marked with, and why."""

from __future__ import annotations

from collections.abc import Iterator


def named(text: str) -> Iterator[str]:
    """Return the requirements of `A00 002,006; A01 03`."""
    for group in text.split(";"):
        use_case, listed = group.split()
        for number in listed.split(","):
            yield f"{use_case}.{number}" if use_case in ("FR", "V2X") else f"{use_case}.FR.{number}"


CSMS = frozenset(
    named(
        "FR 04,07; "
        "A00 002,006,201,207,306,307,315,318,322,324,403,404,405,406,407,408,409,410,418,421; "
        "A00 425,429,702,705,806,807; A01 03,04,05,06,07,08,09; A02 01,04,11,12,14,25; A03 01,04,11,12,14,21; "
        "A04 03; A05 07; B01 02,10,11,12; B02 09; B03 03,07; B05 11,13; B06 05; B07 14; B08 06; B09 14,21,29,30; "
        "B10 05; B13 31; C01 06,07,10,11,17,18,19,20,22,24; C02 02; C04 01,02,05; C05 04; C06 04; "
        "C07 04,05,13,14,15,16,17; C09 02,09,10,12,13; C12 03; C17 01,02,03; C18 09,10; C20 03; C21 03,05; "
        "C24 01,02,10,11; C25 07,08,09,20,21,23,24,40,41,59,60; D01 01,03; E01 11,12; E02 02,04; E03 02; E05 01; "
        "E16 02,07,08,11,12,18; E17 15; F01 08,09,11; F02 16,17,19; F03 01; F04 01; F06 01,02,13; F07 01,02; "
        "G02 03,04; G05 03; I01 01,02; I02 01; I03 02,04; I04 02; I05 01; I06 01,02; I08 01,08,09,34; J01 18; "
        "J02 19; K01 01,02,03,06,08,19,20,22,39,80; K02 01,03,07; K03 01,02,08; K05 01; K09 03; K10 02,06; "
        "K15 02,03,04,05,07,08,11,12,13,16,18; K16 06,07,08,12; K17 02,03,04,05,07,08,11,12,13,19; "
        "K18 02,03,04,05,07,08,11,12,13,16,18,22; K19 02,03,04,05,07,08,12,15; K20 03; K21 09; K22 06; K28 07,12; "
        "L01 08,09,11; L02 05; M01 04,07; M04 07; M06 01,02,03,04,08; M07 01,02,03,04,06,07,08; N01 17,26,27,28; "
        "N04 19; N06 04; N07 03; N08 02; N09 01,04,08; N10 02,08,09; N11 04,05,06,08,09; N13 02; N14 01; N15 03,05; "
        "O01 04,05; P01 02,03,04,07; P02 03,05,06,07,08; V2X 08,09; Q01 01,04,07,08; Q02 01,02,03,05; Q03 01,02; "
        "R04 12,14,16; S02 03"
    )
)
"""What the CSMS or its operator does."""

NOT_APPLICABLE: dict[str, str] = {}
"""What no charging station of this kind can meet, and why."""

LEFT: dict[str, str] = {}
"""What is left out, by requirement or by use case, and why."""

UNREADABLE: frozenset[str] = frozenset()
"""What no text was to be found of."""
