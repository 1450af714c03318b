"""Logs for people; paths under a root; the black box."""

from __future__ import annotations

import io
import logging
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.kernel import log
from chargebyte_fw.kernel.paths import Root, root_at


@pytest.fixture
def lines() -> Any:
    stream = io.StringIO()
    log.set_up("DEBUG", stream)
    yield lambda: [line.split(" ", 1)[1] for line in stream.getvalue().splitlines()]
    logging.getLogger("secc").handlers.clear()


def test_a_line_carries_level_module_and_session(lines: Any) -> None:
    logger = log.ModuleLog("connector")
    logger.info("ready")
    logger.session = "0123456789"
    logger.warning("plugged in")
    assert lines() == ["INFO    connector: ready", "WARNING connector [01234567]: plugged in"]


def test_a_repeating_line_is_said_three_times_and_then_counted(lines: Any) -> None:
    logger = log.ModuleLog("bsp")
    for _ in range(10):
        logger.info("no answer")
    logger.info("back")
    assert lines()[-1] == "INFO    bsp: back (the line before came 7 more times)"
    assert len(lines()) == 4


def test_a_line_is_bounded_unless_a_configuration_asks_for_all_of_it(lines: Any) -> None:
    logger = log.ModuleLog("x")
    logger.info("%s", "a" * 3000 + "\nb")
    logger.every("%s", "c" * 3000)
    cut, below, whole = lines()
    assert cut.endswith("a…") and cut.count("a") == log.LONGEST_LINE - 1 and below.strip() == "b"
    assert whole.count("c") == 3000


@pytest.mark.parametrize("text", ["password=123456", "NMK: aabb", "token = DEADBEEF"])
def test_secrets_do_not_get_through_the_formatter(lines: Any, text: str) -> None:
    log.ModuleLog("x").info(text)
    assert lines()[0].endswith("***")


def test_under_systemd_the_level_goes_as_a_number() -> None:
    record = logging.LogRecord("secc.x", logging.WARNING, "", 0, "hot", (), None)
    assert log.LineFormatter(journal=True).format(record) == "<4>secc.x: hot"


def test_what_this_run_wrote_wins_over_what_was_shipped(tmp_path: Path) -> None:
    root = Root(tmp_path / "shipped", tmp_path / "state")
    assert root.read("/etc/x.yaml") == tmp_path / "shipped/etc/x.yaml"
    root.write("/etc/x.yaml").write_text("new")
    assert root.read("/etc/x.yaml") == tmp_path / "state/etc/x.yaml"


def test_a_checkout_gets_a_run_root_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / "setup.cfg").touch()
    root = root_at(checkout)
    assert root.static == checkout and root.state.is_relative_to(tmp_path / "home")
    assert root_at(tmp_path) == Root(tmp_path, tmp_path)


def test_a_folder_that_cannot_be_made_is_the_trouble_of_who_opens_the_file(tmp_path: Path) -> None:
    """A module with a read-only file system tells of it in its own words; it does not fail for the path alone."""
    (tmp_path / "var").write_text("no folder")
    path = Root(tmp_path, tmp_path).write("/var/lib/store.db")
    assert path == tmp_path / "var/lib/store.db"
    with pytest.raises(NotADirectoryError):
        path.write_text("x")
