"""What shells and `man` read about `secc`, from its parsers: compares what is shipped, or writes it (`--write`)."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.docs import manual_pages, shell_completion

ROOT = Path(__file__).parents[2]
FOLDERS = ("usr/share/man/man1",)
"""Where every file is written by this program; one of a verb that is gone is removed."""


def files() -> dict[str, str]:
    """Return the content of every file by its place in the repository."""
    return {**dict(shell_completion.files()), **dict(manual_pages.files())}


def stale() -> list[str]:
    """Return the files that differ from what the parsers say, or should not be there."""
    wanted = files()
    return [*(place for place, text in wanted.items() if _read(ROOT / place) != text), *_left_over(wanted)]


def _left_over(wanted: dict[str, str]) -> Iterator[str]:
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).glob("*")):
            place = str(path.relative_to(ROOT))
            if place not in wanted:
                yield place


def _read(path: Path) -> str | None:
    return path.read_text("utf-8") if path.is_file() else None


def main() -> int:
    """Compare, or write."""
    parser = argparse.ArgumentParser(prog="script/shell-files", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the files")
    found = stale()
    if parser.parse_args().write:
        wanted = files()
        for place in found:
            path = ROOT / place
            if place in wanted:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(wanted[place], "utf-8")
            else:
                path.unlink()
            print(f"{place} is {'written' if place in wanted else 'removed'}")
        return 0
    for place in found:
        print(f"{place} is behind the parsers of secc: script/shell-files --write")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
