"""The use cases of OCPP in docs/ocpp.md: what is done, partly done and left out, beside the tests that are marked.

`python -m tests.ocpp.use_cases --write` writes the tables and docs/ocpp-requirements.md; without it, what is not
current is printed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tests.ocpp import functional_requirements
from tests.ocpp.requirements import TESTS, covered

PAGE = TESTS.parent / "docs/ocpp.md"
BEGIN, END = "<!-- use cases: written by python -m tests.ocpp.use_cases --write -->", "<!-- end of the use cases -->"
DONE, PARTLY, LEFT_OUT = "done", "partly", "left out"
STATES = (DONE, PARTLY, LEFT_OUT)
UNTESTED = "no test of its own"


class UseCase(NamedTuple):
    """A row: a use case of 2.x, or a clause of 1.6."""

    rule: str
    """As `@pytest.mark.ocpp` names it; empty for what no document of OCPP itself has."""
    title: str
    state: str = DONE
    why: str = ""
    """What is missing, and why."""
    files: tuple[str, ...] = ()
    """Files of tests, in place of marked tests where `rule` is empty."""

    def tests(self, marked: Mapping[str, Sequence[str]]) -> list[str]:
        """Return the tests that are marked with the use case or one of its requirements."""
        if not self.rule:
            return []
        found = [test for rule, tests in marked.items() if f"{rule}.".startswith(f"{self.rule}.") for test in tests]
        return list(dict.fromkeys(found))


TERMINAL = (
    "of a terminal at an integrator's module: settlements and VAT numbers are reported, its limits are kept; "
    "EVerest has no interface by which the station could reserve or settle an amount"
)
NO_CONTROLLER = "the station is no local controller"
OFF = "at an EVSE that can discharge, unless `V2XChargingCtrlr.Enabled` is false"
MODE = f"{OFF} and a component file has the mode in `SupportedOperationModes`"

OCPP_2: dict[str, tuple[UseCase, ...]] = {
    "A Security": (
        UseCase("A01", "password of the station"),
        UseCase("A02", "station certificate, renewed by the CSMS"),
        UseCase("A03", "station certificate, renewed by the station"),
        UseCase("A04", "security event"),
        UseCase("A05", "higher security profile"),
    ),
    "B Provisioning": (
        UseCase("B01", "boot"),
        UseCase("B02", "boot, pending"),
        UseCase("B03", "boot, rejected"),
        UseCase("B04", "status after an outage"),
        UseCase("B05", "set variables"),
        UseCase("B06", "get variables"),
        UseCase("B07", "base report"),
        UseCase("B08", "custom report"),
        UseCase("B09", "network profile"),
        UseCase("B10", "move to another CSMS"),
        UseCase("B11", "reset without a transaction", DONE, "one EVSE alone where its `AllowReset` is true"),
        UseCase("B12", "reset with a transaction", DONE, "one EVSE alone where its `AllowReset` is true"),
        UseCase("B13", "reset that keeps transactions", DONE, "with 2.1; of the station"),
    ),
    "C Authorization": (
        UseCase("C01", "RFID card"),
        UseCase("C02", "start button"),
        UseCase("C03", "bank card", DONE, "by a token provider"),
        UseCase("C04", "PIN", DONE, "by a token provider"),
        UseCase("C05", "start by the CSMS"),
        UseCase("C06", "local token type"),
        UseCase("C07", "contract certificate"),
        UseCase("C08", "external identification with ISO 15118"),
        UseCase("C09", "group"),
        UseCase("C10", "fill the cache"),
        UseCase("C11", "clear the cache"),
        UseCase("C12", "start by the cache"),
        UseCase("C13", "offline, local list"),
        UseCase("C14", "online, local list"),
        UseCase("C15", "offline, unknown token"),
        UseCase("C16", "master pass", DONE, "a station without a user interface: every transaction"),
        UseCase("C17", "prepaid card", DONE, "with 2.1"),
        UseCase("C18", "payment terminal", PARTLY, TERMINAL),
        UseCase("C19", "cancelled before the transaction", PARTLY, TERMINAL),
        UseCase("C20", "cancelled after the start", PARTLY, TERMINAL),
        UseCase("C21", "settlement", PARTLY, TERMINAL),
        UseCase("C22", "settlement that fails", PARTLY, TERMINAL),
        UseCase("C23", "incremental authorization", PARTLY, TERMINAL),
        UseCase("C24", "stand-alone payment terminal", DONE, "with 2.1"),
        UseCase(
            "C25",
            "payment by QR code",
            DONE,
            "with 2.1, by a module of `display_message`; drivers enter no limits at the station",
        ),
    ),
    "D Local list": (UseCase("D01", "send the list"), UseCase("D02", "version of the list")),
    "E Transactions": (
        UseCase("E01", "start points"),
        UseCase("E02", "cable first"),
        UseCase("E03", "token first"),
        UseCase("E04", "start offline"),
        UseCase("E05", "token that is not accepted"),
        UseCase("E06", "stop points"),
        UseCase("E07", "local stop"),
        UseCase("E08", "stop offline"),
        UseCase("E09", "unplugged at the EV: stop"),
        UseCase(
            "E10",
            "unplugged at the EV: suspend",
            DONE,
            "without `EVConnected` in `TxStopPoint`; with a fixed cable for `EVConnectionTimeOut`; a socket lets it go",
        ),
        UseCase("E11", "connection loss"),
        UseCase("E12", "transaction reported later"),
        UseCase("E13", "transaction message that is not accepted"),
        UseCase("E14", "status of a transaction"),
        UseCase("E15", "end of charging"),
        UseCase("E16", "fixed cost, energy, time or state of charge", DONE, "with 2.1"),
        UseCase("E17", "resume after an interruption", DONE, "with 2.1 and `ResumptionTimeout`"),
    ),
    "F Remote control": (
        UseCase("F01", "remote start, cable first"),
        UseCase("F02", "remote start first"),
        UseCase("F03", "remote stop"),
        UseCase("F04", "remote stop with ISO 15118"),
        UseCase("F05", "unlock"),
        UseCase("F06", "trigger"),
        UseCase("F07", "remote start with limits", DONE, "with 2.1"),
    ),
    "G Availability": (
        UseCase("G01", "status"),
        UseCase("G02", "heartbeat"),
        UseCase("G03", "availability of EVSE or connector"),
        UseCase("G04", "availability of the station"),
        UseCase("G05", "lock failure", DONE, "the state of the lock is an error of the stack"),
    ),
    "H Reservation": (
        UseCase("H01", "reserve"),
        UseCase("H02", "cancel"),
        UseCase("H03", "use a reservation"),
        UseCase("H04", "expiry"),
    ),
    "I Tariff and cost": (
        UseCase("I01", "tariff of a driver"),
        UseCase("I02", "running cost"),
        UseCase("I03", "final cost"),
        UseCase("I04", "fallback of the tariff"),
        UseCase("I05", "fallback of the cost"),
        UseCase("I06", "tariff that changes in a transaction"),
        UseCase("I07", "default tariff", DONE, "with 2.1"),
        UseCase("I08", "tariff of a driver, structured", DONE, "with 2.1"),
        UseCase("I09", "get tariffs", DONE, "with 2.1"),
        UseCase("I10", "clear tariffs", DONE, "with 2.1"),
        UseCase("I11", "change the tariff of a transaction", DONE, "with 2.1"),
        UseCase("I12", "cost details", DONE, "with 2.1"),
    ),
    "J Meter values": (
        UseCase("J01", "outside of transactions"),
        UseCase("J02", "of a transaction"),
        UseCase(
            "J03",
            "metering of ISO 15118",
            DONE,
            "receipts stay between car and station; signed readings go to the CSMS as in J02",
        ),
    ),
    "K Smart charging": (
        UseCase("K01", "set a profile"),
        UseCase("K02", "central smart charging"),
        UseCase("K03", "local smart charging", PARTLY, f"a local controller is a CSMS to the station; {UNTESTED}"),
        UseCase("K04", "internal load balancing"),
        UseCase("K05", "profile of a remote start"),
        UseCase("K06", "offline in a transaction"),
        UseCase("K07", "offline at the start"),
        UseCase("K08", "composite schedule"),
        UseCase("K09", "get profiles"),
        UseCase("K10", "clear profiles"),
        UseCase("K11", "external limit with a transaction"),
        UseCase("K12", "external limit without a transaction"),
        UseCase("K13", "external limit is released"),
        UseCase("K14", "external limit and local controller", LEFT_OUT, NO_CONTROLLER),
        UseCase("K15", "ISO 15118-2", DONE, "with `schedules_15118`; one schedule is offered"),
        UseCase("K16", "renegotiation by the CSMS", DONE, "as K15"),
        UseCase("K17", "renegotiation by the EV", DONE, "as K15"),
        UseCase("K18", "ISO 15118-20, scheduled", DONE, "as K15"),
        UseCase("K19", "ISO 15118-20, dynamic", DONE, "by limits and set-points; this control has no schedule"),
        UseCase("K20", "needs that change"),
        UseCase("K21", "priority charging, by the CSMS"),
        UseCase(
            "K22", "priority charging, at the station", DONE, "by `secc ocpp priority`; no interface of EVerest has it"
        ),
        UseCase("K27", "local generation", PARTLY, "composite schedules have it; no interface of EVerest delivers it"),
        UseCase("K28", "dynamic profiles of the CSMS"),
        UseCase("K29", "dynamic profiles of another system", DONE, "its limits, as in K11 to K13"),
    ),
    "L Firmware": (
        UseCase("L01", "signed firmware"),
        UseCase("L02", "unsigned firmware"),
        UseCase("L03", "publish firmware", LEFT_OUT, NO_CONTROLLER),
        UseCase("L04", "unpublish firmware", LEFT_OUT, NO_CONTROLLER),
    ),
    "M Certificates of ISO 15118": (
        UseCase("M01", "contract of a car, installed"),
        UseCase("M02", "contract of a car, updated"),
        UseCase("M03", "list certificates"),
        UseCase("M04", "delete a certificate"),
        UseCase("M05", "install a root"),
        UseCase("M06", "OCSP of the station"),
        UseCase("M07", "status of a car's chain", DONE, "with 2.1, for vehicle certificates of ISO 15118-20"),
    ),
    "N Diagnostics and monitoring": (
        UseCase("N01", "log upload"),
        UseCase("N02", "monitoring report"),
        UseCase("N03", "monitoring base"),
        UseCase("N04", "set monitors"),
        UseCase("N05", "monitoring level"),
        UseCase("N06", "clear monitors"),
        UseCase("N07", "event of a change"),
        UseCase("N08", "periodic event"),
        UseCase("N09", "customer information"),
        UseCase("N10", "clear customer information"),
        UseCase("N11", "open an event stream"),
        UseCase("N12", "list event streams"),
        UseCase("N13", "close an event stream"),
        UseCase("N14", "adjust an event stream"),
        UseCase("N15", "data of an event stream"),
    ),
    "O Display messages": (
        UseCase("O01", "set a message"),
        UseCase("O02", "message for a transaction"),
        UseCase("O03", "get all messages"),
        UseCase("O04", "get some messages"),
        UseCase("O05", "clear a message"),
        UseCase("O06", "replace a message"),
    ),
    "P Data transfer": (UseCase("P01", "to the station"), UseCase("P02", "to the CSMS")),
    "Q Bidirectional power": (
        UseCase("Q01", "authorization of bidirectional transfer", DONE, "by the answers to the token and to the needs"),
        UseCase("Q02", "charging first", DONE, "by `NotifyAllowedEnergyTransfer`, with ISO 15118-20"),
        UseCase("Q03", "set-points of a schedule", DONE, OFF),
        UseCase("Q04", "set-points that are pushed", DONE, OFF),
        UseCase("Q05", "external set-point, profile of the CSMS", DONE, f"at an energy node; {MODE}"),
        UseCase("Q06", "external set-point", PARTLY, "it holds as in Q05; it is not notified to the CSMS"),
        UseCase("Q07", "central frequency control", DONE, OFF),
        UseCase(
            "Q08",
            "local frequency control",
            DONE,
            f"with a meter of the frequency at the energy node of the EVSE; {MODE}",
        ),
        UseCase(
            "Q09", "local load balancing", PARTLY, "profiles are checked; OCPP has no meter at the grid connection"
        ),
        UseCase("Q10", "idle", DONE, MODE),
    ),
    "R DER control": (
        UseCase("R01", "session, DER in the EVSE", DONE, "as R04"),
        UseCase("R02", "session, DER in the EV", DONE, "as R04; AC_DER_IEC of ISO 15118-20 (`Evse15118D20`)"),
        UseCase("R03", "session, DER in both", PARTLY, "as R02; the station emulates no control"),
        UseCase("R04", "configure controls", DONE, "with `OCPPmulti`, which has `grid_support`"),
        UseCase("R05", "report grid events", DONE, "as R04"),
    ),
    "S Battery swap": tuple(
        UseCase(f"S0{number}", title, LEFT_OUT, "no battery swap station")
        for number, title in enumerate(("local authorization", "remote start", "in and out", "charging"), 1)
    ),
}

OCPP_16: dict[str, tuple[UseCase, ...]] = {
    "Core": (
        UseCase("1.6 §4.1", "Authorize"),
        UseCase("1.6 §4.2", "BootNotification"),
        UseCase("1.6 §5.6", "DataTransfer, to the station"),
        UseCase("1.6 §4.6", "Heartbeat"),
        UseCase("1.6 §4.7", "MeterValues"),
        UseCase("1.6 §4.8", "StartTransaction"),
        UseCase("1.6 §4.9", "StatusNotification"),
        UseCase("1.6 §4.10", "StopTransaction"),
        UseCase("1.6 §5.2", "ChangeAvailability"),
        UseCase("1.6 §5.3", "ChangeConfiguration"),
        UseCase("1.6 §5.4", "ClearCache"),
        UseCase("1.6 §5.8", "GetConfiguration"),
        UseCase("1.6 §5.11", "RemoteStartTransaction"),
        UseCase("1.6 §5.12", "RemoteStopTransaction"),
        UseCase("1.6 §5.14", "Reset"),
        UseCase("1.6 §5.18", "UnlockConnector"),
    ),
    "FirmwareManagement": (
        UseCase("1.6 §5.9", "GetDiagnostics"),
        UseCase("1.6 §4.4", "DiagnosticsStatusNotification"),
        UseCase("1.6 §5.19", "UpdateFirmware"),
        UseCase("1.6 §4.5", "FirmwareStatusNotification"),
    ),
    "LocalAuthListManagement": (
        UseCase("1.6 §5.10", "GetLocalListVersion"),
        UseCase("1.6 §5.15", "SendLocalList"),
    ),
    "Reservation": (UseCase("1.6 §5.13", "ReserveNow"), UseCase("1.6 §5.1", "CancelReservation")),
    "SmartCharging": (
        UseCase("1.6 §5.16", "SetChargingProfile"),
        UseCase("1.6 §5.5", "ClearChargingProfile"),
        UseCase("1.6 §5.7", "GetCompositeSchedule"),
    ),
    "RemoteTrigger": (UseCase("1.6 §5.17", "TriggerMessage"),),
    "Security white paper": (
        UseCase("1.6 security §A01", "password (AuthorizationKey)"),
        UseCase("1.6 security §A02", "station certificate, renewed by the CSMS"),
        UseCase("1.6 security §A03", "station certificate, renewed by the station"),
        UseCase("1.6 security §A04", "security event"),
        UseCase("1.6 security §A05", "higher security profile"),
        UseCase("1.6 security §L01", "signed firmware"),
        UseCase("1.6 security §M03", "list certificates"),
        UseCase("1.6 security §M04", "delete a certificate"),
        UseCase("1.6 security §M05", "install a root"),
        UseCase("1.6 security §N01", "log upload"),
    ),
    "By DataTransfer": (
        UseCase("", "Plug and Charge", DONE, "", ("tests/ocpp/test_plug_and_charge_v16.py",)),
        UseCase("", "California Pricing", DONE, "", ("tests/ocpp/test_pricing_v16.py",)),
    ),
}


def rows() -> list[UseCase]:
    """Return every row of both tables."""
    return [one for table in (OCPP_2, OCPP_16) for part in table.values() for one in part]


def tables() -> str:
    """Return the tables, in Markdown."""
    marked = covered()
    lines = [BEGIN]
    for head, table in (("OCPP 2.0.1 and 2.1", OCPP_2), ("OCPP 1.6", OCPP_16)):
        lines += ["", f"### {head}", ""]
        lines += [
            "| use case | what | state | why, and what is missing | marked tests, in |",
            "| --- | --- | --- | --- | --- |",
        ]
        for part, use_cases in table.items():
            lines.append(f"| **{part}** | | | | |")
            for one in use_cases:
                tests = one.tests(marked)
                files = one.files or tuple(dict.fromkeys(test.partition("::")[0] for test in tests))
                places = ", ".join(f"`{file.removeprefix('tests/ocpp/')}`" for file in files)
                rule = one.rule.removeprefix("1.6 ")
                lines.append(f"| {rule} | {one.title} | {one.state} | {one.why} | {places} |")
    return "\n".join([*lines, "", END])


def page() -> str:
    """Return the page with the present tables."""
    text = PAGE.read_text("utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} has no place for the tables: {BEGIN} ... {END}")
    return before + tables() + after


def main() -> int:
    """Write the page, or print that it is not current."""
    parser = argparse.ArgumentParser(prog="python -m tests.ocpp.use_cases", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/ocpp.md and docs/ocpp-requirements.md")
    pages = {PAGE: page(), functional_requirements.PAGE: functional_requirements.page()}
    if parser.parse_args().write:
        for path, text in pages.items():
            path.write_text(text, "utf-8")
        return 0
    old = [path.name for path, text in pages.items() if text != path.read_text("utf-8")]
    if old:
        print(f"not current: {', '.join(old)}; python -m tests.ocpp.use_cases --write", file=sys.stderr)
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main())
