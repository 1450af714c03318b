"""`secc report`: lists before it writes, blanks secrets, and packs what can be had."""

from __future__ import annotations

import json
import stat
import tarfile
from pathlib import Path

import pytest

from chargebyte_fw.cli.main import main

CONFIGURATION = """\
active_modules:
  ocpp:
    module: OCPP
    config_module:
      BasicAuthPassword: correct horse
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the root of a charger that does not run."""
    folder = tmp_path / "root/etc/everest"
    (folder / "user-config").mkdir(parents=True)
    (folder / "config.yaml").write_text(CONFIGURATION)
    (folder / "user-config/config.yaml").write_text("active_modules:\n  mqtt_password: battery staple\n")
    (folder / "certs/client").mkdir(parents=True)
    (folder / "certs/client/SECC_LEAF.key").write_text("-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\n")
    (tmp_path / "charger.log").write_text("2026-03-01T12:00:00.000Z INFO ocpp: mqtt://me:hunter2@broker is there\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/nowhere")
    return tmp_path / "root"


def call(root: Path, *options: str) -> int:
    return main(["report", "--root", str(root), "--log", "charger.log", *options])


def test_the_contents_are_listed_and_nothing_is_written(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(root, "--list", "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    files = {one["name"]: one for one in listed["files"]}
    assert listed["archive"] is None and list(root.parent.glob("*.tar.gz")) == []
    assert list(files) == [
        "versions.json",
        "status.json",
        "selftest.json",
        "configuration/config.yaml",
        "configuration/user-config/config.yaml",
        "check.json",
        "log.txt",
        "trace.cbor",
        "certificates.txt",
        "system.txt",
    ]
    assert files["status.json"]["left_out"].startswith("no charger runs here")
    assert files["trace.cbor"]["bytes"] is None and files["trace.cbor"]["left_out"].endswith("no trace is saved")


def test_the_archive_has_no_secret_and_only_its_owner_may_read_it(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(root, "--yes", "--out", "report.tar.gz") == 0
    shown = capsys.readouterr()
    assert "configuration/config.yaml" in shown.out and "left out" in shown.out
    assert "report.tar.gz: 8 files, " in shown.err
    archive = root.parent / "report.tar.gz"
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    with tarfile.open(archive) as packed:
        files = {one.name.partition("/")[2]: packed.extractfile(one) for one in packed}
        content = {name: file.read() for name, file in files.items() if file is not None}
    everything = b"".join(content.values())
    for secret in (b"horse", b"staple", b"hunter2", b"abc"):
        assert secret not in everything, [name for name, text in content.items() if secret in text]
    assert b"BasicAuthPassword: ***" in content["configuration/config.yaml"]
    assert content["certificates.txt"].split()[2] == b"client/SECC_LEAF.key"
    assert b"trace.cbor: no charger runs here" in content["CONTENTS.txt"]
    assert json.loads(content["selftest.json"])[0]["passed"] is False


def test_an_archive_on_standard_output_comes_alone(root: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert call(root, "--yes", "--out", "-", "--no-trace") == 0
    shown = capfdbinary.readouterr()
    assert shown.out.startswith(b"\x1f\x8b") and b"versions.json" in shown.err and b"trace.cbor" not in shown.err


def test_the_place_is_checked_before_anything_is_collected(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        call(root, "--out", "nowhere/report.tar.gz")
    assert end.value.code == 2
    assert capsys.readouterr().err == "secc report: --out: nowhere/report.tar.gz: there is no folder nowhere\n"


def test_what_was_named_and_is_not_there_is_left_out_with_the_reason(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", "--root", str(root), "--log", "none.log", "--list", "--json"]) == 0
    files = {one["name"]: one for one in json.loads(capsys.readouterr().out)["files"]}
    assert files["log.txt"]["left_out"] == "none.log: No such file or directory"
