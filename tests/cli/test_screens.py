"""What the verbs print fits the screen: 60, 80 and 120 columns, and a pipe; some of it is held as text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chargebyte_fw import VERSION
from chargebyte_fw.board.flash.monitor import KEYS
from chargebyte_fw.board.flash.programmer import Running
from chargebyte_fw.board.flash.screen import Screen
from chargebyte_fw.board.link.messages.charge_som import (
    Application,
    ChargeControl,
    FirmwareVersion,
    GitHash,
    Platform,
)
from chargebyte_fw.board.link.messages.generations import generation_of
from chargebyte_fw.cli import certs_view, ocpp
from chargebyte_fw.cli.main import main
from chargebyte_fw.cli.table import PIPED, PIPED_LINE, Block, Size, fit, width_of
from chargebyte_fw.cli.trace_view import Timeline
from hil.report import page
from hil.rig import load, rig_file

ROOT = Path(__file__).parents[2]
FRAMES = ROOT / "tests/captures/v2g/recorded-frames.jsonl"
FRAMES_APART = 10
WIDTHS = [60, 80, 120]
VERBS = [
    ("check", "bsp-only-dc"),
    ("modules",),
    ("modules", "--verbose", "EvseManager"),
    ("decode", "FRAMES"),
    ("decode", "--full", "FRAMES"),
    ("graph", "--machines"),
    ("hil", "list"),
    ("hil", "list", "--events"),
    ("selftest", "--root", "/"),
    ("version",),
]


def widest(text: str) -> int:
    return max(width_of(line) for line in text.split("\n"))


@pytest.fixture(autouse=True)
def at_the_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("words", VERBS, ids=" ".join)
def test_every_verb_fits(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    frames = tmp_path / "frames.jsonl"
    frames.write_text("\n".join(FRAMES.read_text("utf-8").split("\n")[::FRAMES_APART]))
    words = tuple(str(frames) if word == "FRAMES" else word for word in words)
    root = ("--root", ".") if words[0] in ("check", "modules") else ()
    for columns in WIDTHS:
        monkeypatch.setenv("COLUMNS", str(columns))
        main([*words, *root])
        shown = capsys.readouterr()
        assert shown.out and widest(shown.out) <= columns, shown.out
        assert widest(shown.err) <= columns
    monkeypatch.delenv("COLUMNS")
    main([*words, *root])
    assert widest(capsys.readouterr().out) <= (PIPED_LINE if words[0] == "decode" else PIPED)


MODULES = {
    60: """\
Auth
  from      chargebyte_fw VERSION
  provides  main:auth reservation:reservation
  requires  token_provider+ token_validator+ evse_manager+
            kvs?
IMDSimulator
  from      chargebyte_fw VERSION
  provides  main:isolation_monitor
""",
    80: """\
module        from                 provides                 requires
------------  -------------------  -----------------------  --------------------
Auth          chargebyte_fw VERSION  main:auth                token_provider+
                                   reservation:reservation  token_validator+
                                                            evse_manager+ kvs?
IMDSimulator  chargebyte_fw VERSION  main:isolation_monitor
""",
    120: """\
module        from                 provides                           requires
------------  -------------------  ---------------------------------  --------------------------------------------------
Auth          chargebyte_fw VERSION  main:auth reservation:reservation  token_provider+ token_validator+ evse_manager+
                                                                      kvs?
IMDSimulator  chargebyte_fw VERSION  main:isolation_monitor
""",
}


@pytest.mark.parametrize("columns", WIDTHS)
def test_a_table_of_modules_folds_and_becomes_blocks(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main(["modules", "--root", ".", "Auth", "IMDSimulator"]) == 0
    assert capsys.readouterr().out == MODULES[columns].replace("VERSION", VERSION)


def timeline(columns: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(columns))
    entries = [
        (
            81.25,
            "cmd",
            "connector.iso15118_charger.dc_present_values_and_all_that",
            ["connector", {"voltage_V": 410.5}],
        ),
        (81.5, "var", "grid_connection_point.energy_grid.energy_flow_request", {"children": ["x" * 3000]}),
        (82.0, "fault", "bsp.main", {"type": "a/B", "message": "why", "state": "raised", "severity": "High"}),
    ]
    view = Timeline(entries)
    return [view.line(entry, view.read(entry)) for entry in entries]


def test_a_timeline_is_one_line_an_entry_and_of_a_long_source_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    assert timeline(60, monkeypatch) == [
        "      81.250 cmd    …values_and_all_that (voltage_V=410.5) …",
        '      81.500 var    …energy_flow_request {"children": ["xxx…',
        "      82.000 fault  bsp.main             raised High a/B: w…",
    ]
    assert timeline(80, monkeypatch)[0::2] == [
        "      81.250 cmd    …esent_values_and_all_that (voltage_V=410.5) from connector",
        "      82.000 fault  bsp.main                   raised High a/B: why",
    ]


@pytest.mark.parametrize("columns", WIDTHS)
def test_all_of_an_entry_takes_as_many_lines_as_it_needs(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert max(map(len, timeline(columns, monkeypatch))) <= columns
    entry = (81.5, "var", "connector.evse.telemetry", {"values": ["x" * 3000, "y"]})
    view = Timeline([entry])
    lines = view.line(entry, view.read(entry), full=True).split("\n")
    assert max(map(len, lines)) <= columns and sum(line.count("x") for line in lines) == 3000


@pytest.mark.parametrize("columns", WIDTHS)
def test_a_tree_of_certificates_goes_on_below_a_folded_line(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    tree = [
        ("  CPO root, root: used, " + "the chain of the charger ends here " * 4, "green"),
        ("  │   └── " + "leaf " * 40, ""),
    ]
    certs_view.show(iter(tree))
    lines = capsys.readouterr().out.rstrip("\n").split("\n")
    assert max(map(len, lines)) <= columns
    assert lines[1].startswith("      ") and lines[-1].startswith("  │      ")


@pytest.mark.parametrize("columns", WIDTHS)
def test_the_connection_to_the_csms_fits(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    status = {"state": "offline", "url": "wss://csms.example.com/" + "a" * 90, "last_reason": "the CSMS refused " * 9}
    assert widest(ocpp._show_status({"status": status})) <= columns
    one = {
        "name": "OCPPCommCtrlr.NetworkConfigurationPriority",
        "value": "1,2," * 800,
        "unit": "s",
        "meaning": "w " * 90,
    }
    assert widest(ocpp._show_variables({"variables": [one]})) <= columns
    message = {"action": "TransactionEvent", "queued": "2026-01-01T00:00:00Z", "attempts": 3, "transaction": "t" * 36}
    assert widest(ocpp._show_queue({"queue": [{**message, "outstanding": True}]})) <= columns


@pytest.mark.parametrize("size", [Size(60, 23), Size(80, 23), Size(120, 23), Size(120, 60)])
def test_the_monitor_of_the_controller_shows_the_most_important_first(size: Size) -> None:
    firmware = FirmwareVersion(0, 9, 0, Platform.CHARGE_SOM, Application.FIRMWARE, 3)
    running = Running(firmware, GitHash(bytes.fromhex("7470cd6cb7945af7")), "R7FA2E1A93CFM", 1)
    screen = Screen(running, generation_of(firmware), KEYS)
    for number in range(9):
        screen.note(f"-> {number} " + "word " * 60)
    blocks = [Block(rank, lines) for rank, lines in screen.blocks(ChargeControl(), automatic=True)]
    lines = fit(blocks, size).split("\n")
    assert len(lines) <= size.lines and max(map(len, lines)) <= size.columns
    shown = "\n".join(lines)
    for part in ("Control Pilot:", "Safe State Active:", "Contactor 3:", "== Latest Error Message ==", "q quit"):
        assert part in shown
    assert ("…" in shown) is (size.lines == 23) and ("Git Hash" in shown) is (size.lines == 60)


def test_the_report_of_a_rig_fits_a_phone() -> None:
    html = page(load(rig_file("sim")), [])
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in html
    assert "@media(max-width:640px)" in html and "figure{margin:14px 0 4px;overflow-x:auto}" in html


def test_what_is_for_programs_is_whole(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    main(["modules", "--root", ".", "--json", "EvseManager"])
    assert json.loads(capsys.readouterr().out)["modules"][0]["name"] == "EvseManager"
