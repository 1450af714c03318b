"""The bounds of a transfer."""

from __future__ import annotations

CONNECT_LIMIT_S = 20.0
"""To reach the server and be let in."""
STALL_LIMIT_S = 60.0
"""Without a single byte the connection counts as broken."""
SILENCE_LIMIT_S = 90.0
"""In no step, also not while greeting, may nothing at all move for longer (libraries know no limit for some steps)."""
TOTAL_LIMIT_S = 12 * 3600.0
"""One try at one file."""
CHUNK = 1 << 16
FIRMWARE_LIMIT_BYTES = 512 << 20
"""What the shipped RAUC configuration accepts (`max-bundle-download-size`)."""
ROOM_LEFT_BYTES = 8 << 20
"""A download may not take the last of the disk."""
