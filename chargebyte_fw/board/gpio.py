"""GPIO lines by name: of a chip of this machine (libgpiod), else simulated ones of the run root, else none.

A simulated output is a Unix datagram socket `<state root>/run/secc/gpio/<line>` that gets `0` or `1`; a simulated
input is a file of that name with that content.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from chargebyte_fw.kernel import extras
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.paths import socket_path
from chargebyte_fw.kernel.runtime import Runtime

CONSUMER = "secc"
SIMULATED_LINES = "/run/secc/gpio"


class Output(Protocol):
    """A line that we drive."""

    def set(self, active: bool) -> None:
        """Drive the line to its active or inactive level."""

    def close(self) -> None:
        """Let go of the line."""


class Input(Protocol):
    """A line that we read."""

    @property
    def events(self) -> int | None:
        """A descriptor that becomes readable when the level changes; None: ask again from time to time."""

    def get(self) -> bool | None:
        """Return whether the line is active, None if it cannot be read now."""

    def close(self) -> None:
        """Let go of the line."""


class _WiredInput:
    """An input of a simulated world in this process."""

    events = None

    def __init__(self, level: Callable[[], bool], active_low: bool) -> None:
        self._level, self._active_low = level, active_low

    def get(self) -> bool | None:
        return bool(self._level()) is not self._active_low

    def close(self) -> None:
        """The wire belongs to the world."""


class _FileInput:
    """A simulated input of another process: a file with `0` or `1`, which may come late."""

    events = None

    def __init__(self, path: Path, active_low: bool) -> None:
        self._path, self._active_low = path, active_low

    def get(self) -> bool | None:
        try:
            if not stat.S_ISREG(self._path.stat().st_mode):
                return None
            return (self._path.read_text().strip() == "1") is not self._active_low
        except OSError:
            return None  # it is not simulated now

    def close(self) -> None:
        """Nothing is held."""


class _Missing:
    """A line that cannot be taken."""

    def set(self, active: bool) -> None:
        """Do nothing: the warning was given when the line was asked for."""

    def close(self) -> None:
        """Nothing to let go of."""


class _Wired:
    """A line of a simulated world in this process."""

    def __init__(self, level: Callable[[bool], None], active_low: bool) -> None:
        self._level, self._active_low = level, active_low

    def set(self, active: bool) -> None:
        self._level(active is not self._active_low)

    def close(self) -> None:
        """The wire belongs to the world."""


class _LateLine:
    """A line that cannot be taken now (another process has it): tried again each time that a level is wanted."""

    def __init__(self, name: str, take: Callable[[bool], Output], log: ModuleLog) -> None:
        self._name, self._take, self._log = name, take, log
        self._line: Output | None = None

    def set(self, active: bool) -> None:
        if self._line is None:
            try:
                self._line = self._take(active)
            except OSError:
                return  # logged when it was asked for first
            self._log.info("GPIO line %s is ours now", self._name)
        self._line.set(active)

    def close(self) -> None:
        if self._line is not None:
            self._line.close()


def _lock(path: Path) -> int | None:
    """Own a simulated line, as the kernel lets one process own a real one; None where nothing can be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        held = os.open(path.with_name(f".{path.name}.lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o660)
    except OSError:
        return None
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(held)
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY)) from error
    return held


class _Socket:
    """A simulated line of another process; it may come late and gets each level from then on. Raises OSError."""

    def __init__(self, path: Path, active_low: bool, log: ModuleLog) -> None:
        self._path, self._active_low, self._log = path, active_low, log
        self._held = _lock(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._warned = False

    def set(self, active: bool) -> None:
        level = b"1" if active is not self._active_low else b"0"
        try:
            with socket_path(self._path) as name_in_folder:
                self._socket.sendto(level, name_in_folder)
        except OSError as error:
            if not self._warned:
                what = "no GPIO chip has a line %s and nothing simulates it (%s: %s): nothing is driven"
                self._log.warning(what, self._path.name, self._path, error.strerror)
            self._warned = True
        else:
            self._warned = False

    def close(self) -> None:
        self._socket.close()
        if self._held is not None:
            os.close(self._held)
            self._held = None


class _ChipLine:
    """A line of a GPIO chip."""

    def __init__(self, request: Any, offset: int) -> None:
        self._request, self._offset = request, offset

    def set(self, active: bool) -> None:
        from gpiod.line import Value

        self._request.set_value(self._offset, Value.ACTIVE if active else Value.INACTIVE)

    def get(self) -> bool:
        from gpiod.line import Value

        return bool(self._request.get_value(self._offset) == Value.ACTIVE)

    @property
    def events(self) -> int | None:
        """The descriptor that becomes readable on an edge."""
        return int(self._request.fd)

    def settle(self) -> None:
        """Take the edges that are reported, so that the descriptor becomes readable on the next."""
        if self._request.wait_edge_events(0):
            self._request.read_edge_events()

    def close(self) -> None:
        self._request.release()


class _WatchedLine(_ChipLine):
    """An input of a GPIO chip that reports its edges."""

    def get(self) -> bool:
        self.settle()
        return super().get()


def _library() -> Any:
    """Return the package gpiod. Raises OSError without it, as for a chip that cannot be opened."""
    try:
        import gpiod
    except ImportError as error:
        raise OSError(extras.missing(error) or str(error)) from error
    return gpiod


def find_line(name: str, chips: Path = Path("/dev")) -> tuple[str, int] | None:
    """Look a line name up over all chips; returns the chip's device and the line's offset, None when there is none."""
    devices = sorted(str(path) for path in chips.glob("gpiochip*"))
    if not devices:
        return None
    gpiod = _library()
    for device in devices:
        with gpiod.Chip(device) as chip:
            try:
                return device, int(chip.line_offset_from_id(name))
            except (OSError, ValueError):
                continue  # this chip has no line of that name
    return None


def _line_of(chip: Path, name: str) -> tuple[str, int] | None:
    if not chip.exists():
        return None
    with _library().Chip(str(chip)) as opened:
        try:
            return str(chip), int(opened.line_offset_from_id(name))
        except ValueError:
            return None


def _request(
    place: tuple[str, int], active_low: bool, output: bool, watched: bool = False, *, active: bool = True
) -> _ChipLine:
    gpiod = _library()
    from gpiod.line import Direction, Value

    device, offset = place
    edges: dict[str, Any] = {}
    kind = _ChipLine
    if watched:
        from gpiod.line import Edge

        edges["edge_detection"], kind = Edge.BOTH, _WatchedLine
    settings = gpiod.LineSettings(
        direction=Direction.OUTPUT if output else Direction.INPUT,
        active_low=active_low,
        output_value=Value.ACTIVE if output and active else Value.INACTIVE,
        **edges,
    )
    return kind(gpiod.request_lines(device, consumer=CONSUMER, config={offset: settings}), offset)


def _simulated(runtime: Runtime, name: str) -> Path:
    return runtime.root.state / SIMULATED_LINES.lstrip("/") / name


def open_output(runtime: Runtime, name: str, active_low: bool, log: ModuleLog) -> Output:
    """Take the line `name` as an output, active at once.

    Warns when there is none, or when another process has it; then it is tried again each time that a level is wanted.
    """
    wired = runtime.wires.find(f"gpio:{name}")
    if wired is not None:
        return _Wired(wired, active_low)
    if not name:
        return _Missing()

    def take(active: bool) -> Output:
        place = find_line(name)
        if place is not None:
            return _request(place, active_low, output=True, active=active)
        return _Socket(_simulated(runtime, name), active_low, log)

    try:
        return take(True)
    except OSError as error:
        log.warning("GPIO line %s cannot be taken yet: %s", name, error)
        return _LateLine(name, take, log)


def take_output(runtime: Runtime, name: str, chip: Path | None, log: ModuleLog) -> Output:
    """Take the line `name` as an output that is high at once, of `chip` or of whichever chip has it.

    For a tool that is of no use without the line: raises Unavailable when there is none or when another process has it.
    """
    wired = runtime.wires.find(f"gpio:{name}")
    if wired is not None:
        return _Wired(wired, active_low=False)
    where = str(chip) if chip is not None else "no GPIO chip"
    simulated = _simulated(runtime, name)
    try:
        place = find_line(name) if chip is None else _line_of(chip, name)
        if place is not None:
            return _request(place, active_low=False, output=True)
        if simulated.exists():
            return _Socket(simulated, False, log)
    except OSError as error:
        taken = error.errno == errno.EBUSY
        what = "another process drives it (does the charging stack run?)" if taken else error.strerror or error
        raise Unavailable(f"GPIO line {name} cannot be taken: {what}") from error
    raise Unavailable(f"{where} has {'no' if chip is not None else 'a'} line named {name}")


def open_input(runtime: Runtime, name: str, active_low: bool, log: ModuleLog) -> Input | None:
    """Take the line `name` as an input to watch; None (with a warning) when another process has it."""
    wired = runtime.wires.find(f"gpio:{name}")
    if wired is not None:
        return _WiredInput(wired, active_low)
    try:
        place = find_line(name)
        if place is not None:
            line = _request(place, active_low, output=False, watched=True)
            assert isinstance(line, _WatchedLine)
            return line
    except OSError as error:
        held = " (the kernel's gpio-keys has it? then its node must leave the device tree)"
        log.warning("GPIO line %s cannot be watched: %s%s", name, error, held if error.errno == errno.EBUSY else "")
        return None
    path = _simulated(runtime, name)
    if not path.exists():
        log.warning("no GPIO chip has a line %s and nothing simulates it (%s) yet", name, path)
    return _FileInput(path, active_low)


def read_input(runtime: Runtime, name: str, active_low: bool, log: ModuleLog) -> bool | None:
    """Read the input `name` once: whether it is active, None (with a warning) if there is no such line."""
    wired = runtime.wires.find(f"gpio:{name}")
    if wired is not None:
        return bool(wired()) is not active_low
    try:
        place = find_line(name)
        if place is not None:
            line = _request(place, active_low, output=False)
            try:
                return line.get()
            finally:
                line.close()
        path = _simulated(runtime, name)
        if path.exists() and stat.S_ISREG(path.stat().st_mode):
            return (path.read_text().strip() == "1") is not active_low
    except OSError as error:
        log.warning("GPIO line %s cannot be read: %s", name, error)
        return None
    log.warning("no GPIO chip has a line named %s", name)
    return None
