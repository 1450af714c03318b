"""`secc update`: what it says when the last step fails (the rest is tried with RAUC in tests/image)."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargebyte_fw.cli import main, update


def test_a_restart_that_fails_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The bundle is installed; that the new system does not start is no success."""
    programs = tmp_path / "bin"
    programs.mkdir()
    systemctl = programs / "systemctl"
    systemctl.write_text("#!/bin/sh\necho 'Access denied' >&2\nexit 4\n")
    systemctl.chmod(0o755)
    bundle = tmp_path / "new.image"
    bundle.write_bytes(b"bundle")
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setattr(update, "examine", lambda place: place)
    monkeypatch.setattr(update, "install", lambda bundle: None)
    monkeypatch.setattr(update, "remember", lambda bundle, root: None)
    status = main.main(["update", str(bundle), "--reboot", "--root", str(tmp_path)])
    told = capsys.readouterr()
    assert status == 1
    assert "installed, but systemctl reboot failed: Access denied" in told.err
