"""What the SLAC tests share."""

from __future__ import annotations

import logging

import pytest

from tests.netns import cable as cable


@pytest.fixture(autouse=True)
def log_to_pytest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pytest see the product's log even after another test has set it up for a command."""
    monkeypatch.setattr(logging.getLogger("secc"), "propagate", True)
