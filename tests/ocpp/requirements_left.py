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
        "J02 19; K01 01,02,03,06,08,19,20,22,34,39,80; K02 01,03,07; K03 01,02,08; K05 01; K09 03; K10 02,06; "
        "K15 02,03,04,05,07,08,11,12,13,16,18; K16 06,07,08,12; K17 02,03,04,05,07,08,11,12,13,19; "
        "K18 02,03,04,05,07,08,11,12,13,16,18,22; K19 02,03,04,05,07,08,12,15; K20 03; K21 09; K22 06; K28 07,12; "
        "L01 08,09,11; L02 05; M01 04,07; M04 07; M06 01,02,03,04,08; M07 01,02,03,04,06,07,08; N01 17,26,27,28; "
        "N04 19; N06 04; N07 03; N08 02; N09 01,04,08; N10 02,08,09; N11 04,05,06,08,09; N13 02; N14 01; N15 03,05; "
        "O01 04,05; P01 02,03,04,07; P02 03,05,06,07,08; V2X 08,09; Q01 01,04,07,08; Q02 01,02,03,05; Q03 01,02; "
        "R04 12,14,16; S02 03"
    )
)
"""What the CSMS or its operator does."""

NOT_APPLICABLE = {
    rule: why
    for why, text in (
        (
            "of the certificate authority, the operator or the maker",
            "A00 206,427,428,505,508,509,510,511,512,513,514,601,602,603,604,701,703,704,707,801,802,803,804,805; "
            "B09 07; J01 13; J02 09; N01 14,18; N15 02; O01 17; O02 12; I07 18; E16 17",
        ),
        (
            "of the EVSE and its lock, outside of OCPP",
            "B13 20,22; C15 05; E05 11; E06 10; E07 07; E08 03; E09 02,03; E10 01; G05 01; K02 02; K01 46,47",
        ),
        (
            "of the display that an integrator's module drives",
            "C01 08,09,12,13; I01 03; I02 03,04; I03 03,05; I04 01; I05 02; I06 03; "
            "O01 06,07,08,09,10,11,12,13,14,15,16; O02 02,06,07,08,09,10,11,14,15,16,17,18; G05 04",
        ),
        (
            "of a local controller, which the station is none of",
            "K03 03,04,05,06,07; K14 01,02,03,04,05,06; L03 01,02,03,04,05,06,07,08,09,10,11; L04 01,02,03,04",
        ),
        ("the station supports each that there is", "N02 02; N03 02"),
        ("a transfer that the EV suspends goes on when it wants to", "E01 20"),
        ("the variables of network profiles can be written", "B09 15"),
        ("the station has no custom triggers", "F06 18"),
        ("the configuration of a monitor names no stream", "N11 03"),
        ("the station emulates no DER control: each goes to the car", "R03 03,05"),
        ("logs are sent with PUT, and there is no data collector", "N01 19,24"),
        ("the station swaps no batteries", "S01 01,02; S02 01,02,04,05; S03 01,02,03,04,05,06"),
        ("the station swaps no batteries", "S04 01,02,03,04,05,06,07,08,09,10,11"),
        ("an option that is not used", "B03 04; C04 03; C16 04,05; E02 11; E03 09; E04 09; E10 05,06; E11 06; E12 06"),
        ("an option that is not used", "F01 16; F02 04; J01 15; J02 14; L01 23,34; L02 23; N01 22,23; E16 20; G02 05"),
        ("an option that is not used", "I12 15; K01 21; K02 06; K04 04; L01 14; L02 08; H03 07; R03 04"),
    )
    for rule in named(text)
}
"""What no charging station of this kind can meet, and why."""

LEFT = {
    rule: why
    for why, text in (
        (
            "a test cannot observe it",
            "A00 001,003,317,320,420,423,502,504; A01 10; A02 05; A03 05",
        ),
        ("the security log is that of the system", "A01 11; A04 04; N01 03"),
        ("transfers trust the certificate authorities of the system alone", "N01 15"),
        ("advice that would take Plug and Charge away while the present certificate is still valid", "A02 21"),
        ("EvseSecurity has one kind of certificate for cars, that of ISO 15118-2", "A02 23"),
        ("the store of EvseSecurity decides, which no test asks through OCPP", "M05 06,17; M06 07,09; M07 09,10,11"),
        ("one contract certificate is fetched for each request of a car", "M01 02,03,05,06; M02 02"),
        ("the text that was found contradicts itself", "A05 10"),
        (
            "a profile that comes before the needs of the car is accepted, which the text allows",
            "K15 17; K18 17; K19 13",
        ),
        ("prices in a profile of the CSMS do not reach the car", "K18 20; K19 09"),
        ("the energy management keeps the limits of others, whatever OCPP makes of them", "K11 07"),
        ("the limit of another system is a profile beside that of the CSMS", "K29 03"),
        ("it repeats requirements that have marks of their own", "V2X 01"),
        ("deleted by the errata", "B07 15; N02 23"),
        ("the deprecated variable and that of the slot are kept apart", "B09 26,28"),
        ("it always can", "B09 03; C11 05; N09 03; N10 05"),
        ("states are reported with StatusNotification, which 2.1 allows too", "E02 05; H01 20,24"),
        ("EVerest has no bay detector and no EVSE is unknown when a transaction starts", "E01 01,17; E06 01; E02 21"),
        ("EVerest has no bay detector and no EVSE is unknown when a transaction starts", "E03 11; E04 11; E05 08"),
        ("a station whose readings are signed has them always", "E06 05"),
        ("a reset of one EVSE ends its transaction", "B13 10,11,12,13,14"),
        ("edition 2 of the document has no such number", "B13 05,06,07,08,09"),
        ("a transaction stops at the first reading that has reached its limit", "E16 19"),
        ("the key goes on as the meter gives it", "J02 23"),
        ("receipts of cars stay in the module of their protocol, which no test asks", "J03 04"),
        ("EVerest does not publish how many phases are in use", "E02 18,19; E03 13,14"),
        ("EVerest has no interface by which a driver enters it", "C08 02; C16 01,07; F07 03,04; E16 01,13; I07 30,31"),
        ("EVerest has no interface by which a driver enters it", "I08 20,21"),
        (
            "EVerest has no interface of a payment terminal",
            "C17 04,05; C18 01,02,03,04,05,06,07; C19 01,02; C20 01,02,04,05; C21 01,06,07; C23 01,02; C24 03,04",
        ),
        ("EVerest has no interface of a payment terminal", "C25 03,04,05,06,25,26,53,56,57,58"),
        ("key codes are tokens like others here", "C04 04,06"),
        ("the local meter of the whole station is not read", "J01 03,04; K04 02,05; Q09 02,03,04,05; Q06 30,31"),
        ("EVerest's stack takes care of phases", "K01 43,45,54"),
        ("the schedule of the car does not change the composite schedule", "K15 14; K16 10; K17 14; K18 14"),
        ("what the car does not return is not made up", "K15 19; K16 13,14; K17 16,18; K18 19"),
        ("EVerest's interface of limits has no generation and no setpoints", "K27 01,02,03,04,05; Q06 01,03,04,06,10"),
        ("EVerest's interface of limits has no generation and no setpoints", "Q06 11,12,20,22; Q05 02,03,04,05,06,07"),
        ("frequency and signal are left to the stack", "Q08 06,07,10,11"),
        ("the EVSE cannot sleep", "Q10 03,04,05"),
        ("the alarm is that of the device, for its directive", "R05 01,02,03,04"),
        ("the system has one update at a time and publishes its states alone", "L01 15,33"),
        ("an upload follows a redirect to the same host", "N01 30"),
        ("no component has an instance that monitors could be on", "N02 20,21"),
    )
    for rule in named(text)
} | {
    "B01.FR.05 (2.1)": "states are reported with StatusNotification, which 2.1 allows too",
    "B04.FR.01 (2.1)": "states are reported with StatusNotification, which 2.1 allows too",
    "B04.FR.02 (2.1)": "states are reported with StatusNotification, which 2.1 allows too",
}
"""What is left out, by requirement or by use case, and why. A test that is marked with it counts more."""

UNREADABLE = frozenset(
    named("B07 06; B08 19; C10 06; M04 05; N01 06,11; N02 15; Q03 03; R04 18,19,40,50,51,52,53,54,55,56")
)
"""What no text was to be found of."""
