"""No verb shows a traceback for a file: missing, a folder, not readable, octets, another encoding."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from chargebyte_fw.cli.main import main
from tests.cli.parser_tree import leaves

READS = {
    "secc auth list": "auth list --file @",
    "secc auth add": "auth add A --file @",
    "secc auth remove": "auth remove A --file @",
    "secc bus": "bus --interface evse_manager --config @",
    "secc car": "car --interface lo --no-slac --rig @",
    "secc certs": "certs --config @",
    "secc certs check": "certs check --config @",
    "secc certs install": "certs install @ --as v2g --certs FOLDER",
    "secc certs csr": "certs csr --as secc --country DE --organization X --name X --config @",
    "secc check": "check @",
    "secc configs add": "configs add -c @ -d FOLDER/c.db",
    "secc configs choose": "configs choose -d @ -s 0",
    "secc configs delete": "configs delete -d @ -s 0",
    "secc configs list": "configs list -d @",
    "secc configs validate": "configs validate -c @",
    "secc decode": "decode @",
    "secc graph": "graph @",
    "secc hil run": "hil run --all --rig @",
    "secc hil list": "hil list --rig @",
    "secc hil check": "hil check @",
    "secc logs": "logs --file @",
    "secc manager": "manager --prefix FOLDER --check --config @",
    "secc mcu info": "mcu info @",
    "secc mcu flash": "mcu flash @ --sim FOLDER",
    "secc mcu params create": "mcu params create @ -o FOLDER/out.bin",
    "secc mcu params dump": "mcu params dump @",
    "secc mcu params check": "mcu params check @",
    "secc mcu params write": "mcu params write @ --sim FOLDER",
    "secc run": "run --config @ --root FOLDER",
    "secc trace show": "trace show @",
    "secc trace export": "trace export @ --json FOLDER/out.json",
    "secc trace replay": "trace replay @",
    "secc update": "update @ --root FOLDER",
}
WRITES = {
    "secc can": "can dbc -o @",
    "secc certs make-test-pki": "certs make-test-pki @",
    "secc decode": "decode 01fe80010000000480400040 --picture @",
    "secc demo": "demo --trace @",
    "secc hil run": "hil run iso2-full-session --report @",
    "secc manager": "manager --dumpmanifests @",
    "secc manifests": "manifests --out @",
    "secc mcu dump": "mcu dump @ --sim FOLDER",
    "secc mcu params create": "mcu params create YAML -o @",
    "secc prefix": "prefix @ --no-certificates",
    "secc report": "report --yes --out @ --root FOLDER",
    "secc trace export": "trace export --pcap @",
}
TAKEN = {
    ("secc auth add", "missing"): "begins a list",
    ("secc logs", "octets"): "a log is shown as far as it is text",
    ("secc logs", "another encoding"): "a log is shown as far as it is text",
    ("secc update", "folder"): "looks into a folder",
}
NEITHER = {
    "secc call": "asks the running charger",
    "secc index": "writes below --root",
    "secc mcu reset": "the controller",
    "secc mcu hold": "the controller",
    "secc mcu bootloader": "the controller",
    "secc mcu chipinfo": "the controller",
    "secc mcu erase": "the controller",
    "secc mcu auto-update": "a folder, which is that of the image",
    "secc mcu monitor": "the controller",
    "secc module": "asks the manager",
    "secc modules": "what is installed",
    "secc ocpp status": "asks the running charger",
    "secc ocpp variables": "asks the running charger",
    "secc ocpp get": "asks the running charger",
    "secc ocpp set": "asks the running charger",
    "secc ocpp queue": "asks the running charger",
    "secc ocpp priority": "asks the running charger",
    "secc ocpp send": "asks the running charger",
    "secc plc info": "the modem",
    "secc plc link": "the modem",
    "secc plc reset": "the modem",
    "secc selftest": "looks below --root",
    "secc status": "asks the running charger",
    "secc trace list": "looks below --root",
    "secc trace save": "asks the running charger",
    "secc version": "looks below --root",
    "secc watch": "asks the running charger",
}


def test_every_verb_is_tried() -> None:
    assert {name for name, _ in leaves()} == {*READS, *WRITES, *NEITHER}


@pytest.fixture
def call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[str, str], tuple[int, str]]:
    (tmp_path / "folder").mkdir()

    def run(line: str, path: str) -> tuple[int, str]:
        words = [word.replace("@", path).replace("FOLDER", str(tmp_path / "folder")) for word in line.split()]
        try:
            status = main(words)
        except SystemExit as ended:
            status = int(ended.code or 0)
        printed = capsys.readouterr()
        return status, printed.out + printed.err

    return run


@pytest.fixture
def bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Files that cannot be read, by what they are."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "octets").write_bytes(bytes(range(255, -1, -1)) * 4)
    (tmp_path / "latin.yaml").write_bytes("active_modules: {Käse: 1}\n".encode("latin-1"))
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    return {
        "missing": str(tmp_path / "missing.yaml"),
        "below a file": str(tmp_path / "empty/x"),
        "folder": str(tmp_path),
        "octets": str(tmp_path / "octets"),
        "another encoding": str(tmp_path / "latin.yaml"),
        "loop": str(tmp_path / "loop"),
        "too long": str(tmp_path / ("n" * 300)),
    }


@pytest.mark.parametrize("name", READS)
def test_what_cannot_be_read_is_a_line_with_its_name(
    call: Callable[[str, str], tuple[int, str]], bad: dict[str, str], name: str
) -> None:
    for what, path in bad.items():
        if name == "secc hil check" and what not in ("missing", "octets"):
            continue  # reads every scenario each time
        status, printed = call(READS[name], path)
        if (name, what) in TAKEN:
            continue
        assert status in (1, 2, 78), (what, status, printed)
        assert Path(path).name[:60] in printed, (what, printed)
        assert "Errno" not in printed and "Traceback" not in printed, (what, printed)


@pytest.mark.parametrize("name", WRITES)
def test_what_cannot_be_written_is_one_line_before_the_work(
    call: Callable[[str, str], tuple[int, str]], tmp_path: Path, name: str
) -> None:
    (tmp_path / "a-file").write_text("")
    path = f"{tmp_path}/a-file/out"
    status, printed = call(WRITES[name], path)
    assert status == 2 and path in printed and len(printed.splitlines()) == 1, printed
