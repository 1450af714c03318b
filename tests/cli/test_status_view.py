"""`secc status` and the screen of `secc watch` as text, at three widths; run as a program, this writes them."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import pytest
from msgspec.structs import replace

from chargebyte_fw.cli.status_view import Look, lines, span, texts
from chargebyte_fw.cli.watch_screen import WatchScreen
from chargebyte_fw.manager.status.model import Status
from tests.cli.status_sample import charging, sample

SCREENS = Path(__file__).parent / "screens"
WIDTHS = (60, 80, 120)
ROWS = 24


def status_at(width: int) -> str:
    return "\n".join(texts(lines(sample(), Look(width, zone=UTC)))) + "\n"


def watch_at(width: int, *keys: str, rows: int = ROWS, status: Status | None = None) -> str:
    screen = WatchScreen()
    screen.take(status or sample())
    for key in keys:
        screen.press(key)
    return "\n".join(texts(screen.lines(Look(width, zone=UTC), rows))) + "\n"


@pytest.mark.parametrize("width", WIDTHS)
def test_the_status_fits_the_width_with_the_most_important_first(width: int) -> None:
    assert status_at(width) == (SCREENS / f"status-{width}.txt").read_text("utf-8")


@pytest.mark.parametrize("width", WIDTHS)
def test_the_screen_fits_width_and_height(width: int) -> None:
    assert watch_at(width) == (SCREENS / f"watch-{width}.txt").read_text("utf-8")


@pytest.mark.parametrize("width", [20, 33, 60, 80, 120])
@pytest.mark.parametrize("rows", [4, 7, 24, 60])
@pytest.mark.parametrize("keys", [(), ("f",), ("m",), ("?",), ("2",), ("right", "right", "space")])
def test_whatever_the_size_nothing_is_wider_or_higher(width: int, rows: int, keys: tuple[str, ...]) -> None:
    shown = watch_at(width, *keys, rows=rows).splitlines()
    assert len(shown) <= rows and max(map(len, shown)) <= width
    assert max(map(len, status_at(width).splitlines())) <= width


def test_keys_choose_pause_and_quit() -> None:
    screen = WatchScreen()
    screen.take(sample())

    def shown() -> str:
        return "\n".join(texts(screen.lines(Look(100, zone=UTC), 16)))

    assert "56:2F:33:97:B3:74" in shown() and "00:B0:52" not in shown(), "the first one, where all are too many"
    screen.press("right")
    screen.press("right")
    assert "00:B0:52" in shown()
    screen.press("1")
    assert "56:2F:33:97:B3:74" in shown()
    screen.press("space")
    screen.take(replace(sample(), evses=[replace(charging(), power_W=1.0)]))
    assert "10.02 kW" in shown() and shown().splitlines()[-1].startswith("PAUSED")
    screen.press("space")
    assert "10.02 kW" not in shown()
    screen.lose("the charger does not answer")
    assert shown().startswith("the charger does not answer\n") and "EVSE 1" in shown()
    assert not screen.over
    screen.press("q")
    assert screen.over


def test_text_from_the_wire_moves_no_cursor() -> None:
    evil = replace(sample(), notices=["\x1b[2J\r\n\x07 a notice"], configuration="/a\x1b]0;b")
    assert all(line.text.isprintable() for line in lines(evil, Look(80)))


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3725, "1 h 2 min"), (90061, "1 d 1 h")]
)
def test_a_span_has_its_two_largest_units(seconds: float, text: str) -> None:
    assert span(seconds) == text


if __name__ == "__main__":
    for at in WIDTHS:
        (SCREENS / f"status-{at}.txt").write_text(status_at(at), "utf-8")
        (SCREENS / f"watch-{at}.txt").write_text(watch_at(at), "utf-8")
