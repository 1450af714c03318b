"""The nearest right name for one that does not exist."""

from __future__ import annotations

from collections.abc import Iterable

SHOWN = 8
"""So many names are listed where none is near."""


def nearest(wrong: str, known: Iterable[str]) -> str:
    """Return a hint: the nearest right name, or all of them when they are few."""
    names = list(known)
    close = closest(wrong, names)
    if close is not None:
        return f"did you mean {close}?"
    if not names:
        return ""
    return f"known: {', '.join(names)}" if len(names) <= SHOWN else ""


def closest(wrong: str, known: Iterable[str]) -> str | None:
    """Return the right name that was probably meant, or None."""
    import difflib

    lowered = {name.lower(): name for name in reversed(list(known))}
    close = difflib.get_close_matches(wrong.lower(), lowered, 1, 0.6)
    return lowered[close[0]] if close else None
