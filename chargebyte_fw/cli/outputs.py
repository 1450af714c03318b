"""Where a subcommand writes: a path is checked before the work begins, and an error while writing names the file."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

STDOUT = "-"


class CannotWrite(Exception):
    """A path that was given for an output cannot be written; the text is `path: reason`."""


def output_file(text: str) -> Path:
    """Read an option that names a file to write (`-`: standard output); raises CannotWrite. Nothing is made yet."""
    return _output_file(text, makes_folders=False)


def output_file_in_new_folders(text: str) -> Path:
    """Read an option that names a file to write, whose folders are made; raises CannotWrite. Nothing is made yet."""
    return _output_file(text, makes_folders=True)


def output_folder(text: str) -> Path:
    """Read an option that names a folder to write into, which is made with those above; raises CannotWrite."""
    path = _path(text)
    _check_folder(path, text, may_be_made=True)
    return path


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Give an OSError from within the name of the file, which those of a write that began have not (a full device)."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file, or standard output for `-`; raises OSError that names it."""
    if str(path) == STDOUT:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    with writing(path):
        path.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write a text in UTF-8 to a file, or to standard output for `-`; raises OSError that names it."""
    write_bytes(path, content.encode("utf-8", "backslashreplace"))


def _output_file(text: str, *, makes_folders: bool) -> Path:
    path = _path(text)
    if text == STDOUT:
        return path
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        if path.is_symlink():
            raise CannotWrite(f"{text}: this link leads to nothing") from None
        _check_folder(path.parent, text, may_be_made=makes_folders)
        return path
    except OSError as error:
        raise CannotWrite(f"{text}: {error.strerror}") from error
    if stat.S_ISDIR(mode):
        raise CannotWrite(f"{text}: this is a folder, not a file")
    if not os.access(path, os.W_OK):
        raise CannotWrite(f"{text}: this file cannot be written")
    return path


def _path(text: str) -> Path:
    if not text:
        raise CannotWrite("the name is empty")
    if "\0" in text:
        raise CannotWrite("no name of a file has a zero character")
    return Path(text)


def _check_folder(folder: Path, text: str, *, may_be_made: bool) -> None:
    """Raise CannotWrite where `folder` is none into which can be written, or could not be made."""
    above = folder
    try:
        while may_be_made and not above.exists() and above != above.parent:
            above = above.parent
        mode = above.stat().st_mode
    except FileNotFoundError:
        raise CannotWrite(f"{text}: there is no folder {folder}") from None
    except OSError as error:
        raise CannotWrite(f"{text}: {error.strerror}") from error
    if not stat.S_ISDIR(mode):
        raise CannotWrite(f"{text}: {above} is a file, not a folder")
    if not os.access(above, os.W_OK | os.X_OK):
        raise CannotWrite(f"{text}: the folder {above} cannot be written")
