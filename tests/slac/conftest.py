"""What the SLAC tests share."""

from __future__ import annotations

from tests.netns import cable as cable
