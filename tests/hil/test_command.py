"""`secc hil`: exit statuses, lists, findings, the report as a page that needs nothing else, and the live view."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from chargebyte_fw.cli.main import main
from chargebyte_fw.sim.mcu import VirtualMcu
from hil import rig, scenario
from hil.command import chosen, default_root
from hil.live import LiveView
from hil.plot import Window, around, plot
from hil.recorder import Recorder
from tests.hil.bench import SIM, run, shipped

VOID = {"meta", "br", "link", "img"}


class Page(HTMLParser):
    """Reads a page strictly enough: what is opened is closed, and nothing comes from elsewhere."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.outside: list[str] = []
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.classes: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag in ("script", "link", "img", "iframe", "object") or "src" in given:
            self.outside.append(tag)
        if "id" in given:
            self.ids.add(given["id"] or "")
        if tag == "a":
            self.links.add((given["href"] or "").removeprefix("#"))
        self.classes += (given.get("class") or "").split()
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.classes += (dict(attributes).get("class") or "").split()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def drawings(text: str) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(found) for found in re.findall(r"<svg.*?</svg>", text, re.DOTALL)]


def test_a_run_in_which_everything_is_right_ends_with_0_and_a_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "deep" / "report.html"
    status = main(["hil", "run", "iso2-emergency-stop", "basic-emergency-*", "--rig", "sim", "--report", str(out)])
    said = capsys.readouterr().out
    assert status == 0 and "rig sim: 2 passed" in said and "closest" not in said
    text = out.read_text("utf-8")
    page = Page(text)
    assert page.outside == [] and "url(" not in text and "@import" not in text
    assert page.links == page.ids == {"iso2-emergency-stop", "basic-emergency-stop"}
    assert "every reaction was right and in time" in text and "bsp-only-ac.yaml, bsp-only-dc.yaml" in text
    assert "safety protocol, reasons 16 to 18 (emergency input)" in text
    pictures = drawings(text)
    assert len(pictures) >= 6
    assert {"cp", "duty_percent", "voltage_V", "current_A", "closed", "event", "deadline", "allowed"} <= set(
        page.classes
    )


def test_a_wrong_reaction_ends_with_1_and_stands_in_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(VirtualMcu, "_fault", lambda self: None)
    out = tmp_path / "report.html"
    assert main(["hil", "run", "basic-emergency-stop", "--report", str(out)]) == 1
    said = capsys.readouterr().out
    assert "wrong" in said and "contactors is open (deadline 0.1 s): it never happened" in said
    text = out.read_text("utf-8")
    assert "not every reaction was right" in text and 'class="pill wrong"' in text
    Page(text)


def test_scenarios_are_named_and_wrong_names_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hil", "run", "iso2-emergency-stp"]) == 78
    assert "did you mean iso2-emergency-stop?" in capsys.readouterr().err
    assert main(["hil", "run"]) == 78
    assert "say --all" in capsys.readouterr().err
    assert main(["hil", "run", "--all", "--rig", "/nowhere.yaml"]) == 78
    assert main(["hil", "run", "--all", "--rig", "dsk"]) == 78
    assert "there is no rig dsk (did you mean desk?)" in capsys.readouterr().err
    assert main(["hil", "run", "--all", "din-session"]) == 78
    assert main(["hil", "run", "din-session", "--rig", "bench", "--speed", "2"]) == 78
    assert "its time does not go faster" in capsys.readouterr().err
    assert {one.group for one in chosen(scenario.load_all(), ["power", "operator"])} == {"power", "operator"}
    assert [one.name for one in chosen([shipped("din-session"), shipped("basic-session")], ["din*"])] == ["din-session"]


def test_the_list_says_what_a_rig_lacks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hil", "list", "--rig", "bench"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line}
    assert lines["iso2-uart-cut"].endswith("not on bench: the rig has no Uart")
    assert lines["basic-residual-current"].endswith("not on bench: the rig charges no basic car")
    assert "link:" in lines and "contactor:" in lines
    assert main(["hil", "list", "--events"]) == 0
    assert "diode bridged|whole" in capsys.readouterr().out


def test_files_are_checked_without_running_anything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hil", "check"]) == 0
    path = tmp_path / "mine.yaml"
    path.write_text("resources: {}\ndrivers:\n  Powr: SimPower\n")
    assert main(["hil", "check", str(path)]) == 78
    assert "Powr is no protocol (did you mean Power?) [C505]" in capsys.readouterr().out
    assert main(["hil", "check", str(path), "--json"]) == 78
    assert "C505" in {one["number"] for one in json.loads(capsys.readouterr().out)["findings"]}


def test_the_live_view_follows_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    from chargebyte_fw.kernel import clock
    from hil import runner

    bench, scenarios = rig.load(SIM), [shipped("basic-emergency-stop"), shipped("basic-pilot-short")]
    with LiveView(bench, scenarios) as view:
        clock.run(runner.run(bench, scenarios, default_root(), view.watching), speed=None)
    said = capsys.readouterr().out
    assert "basic-emergency-stop" in said and "basic-pilot-short" in said and "2 passed" in said


def test_a_window_shows_the_reactions_and_a_near_deadline() -> None:
    (result,) = run(shipped("iso2-emergency-stop"))
    first = [one for one in result.findings if one.step == 0]
    window = around(first[0].event_at_s, first)
    assert window.holds(first[0].event_at_s) and window.holds(first[0].event_at_s + 0.5)
    assert window.to_s - window.from_s < 2


def test_a_short_glitch_is_not_lost_in_a_long_plot(run: object) -> None:
    """Many steps fall into one column of pixels: the picture shows how far they reached."""
    from chargebyte_fw.kernel import clock

    async def main() -> str:
        recorder = Recorder()
        recorder.series["current_A"] = [(0.0, 0.0), (500.0, 90.0), (500.001, 0.0), (999.0, 1.0)]
        return plot(recorder, Window(0.0, 1000.0), [])

    line = next(
        found
        for found in ElementTree.fromstring(clock.run(main(), speed=None))
        if found.get("class") == "line current_A"
    )
    heights = {float(number) for number in re.findall(r"V([0-9.]+)", line.get("d", ""))}
    assert max(heights) - min(heights) > 40
