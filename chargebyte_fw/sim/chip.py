"""The virtual controller's chip: code and data flash that survive a power cut, and what runs from them."""

from __future__ import annotations

from pathlib import Path

from chargebyte_fw.board.flash import image
from chargebyte_fw.board.flash.messages import Area, AreaKind, Signature
from chargebyte_fw.board.link.messages.charge_som import Application, FirmwareVersion, GitHash, Platform
from chargebyte_fw.board.params import layout

CODE = Area(AreaKind.CODE, 0x0, 0x1FFFF, 0x800, 4)
DATA = Area(AreaKind.DATA, 0x4010_0000, 0x4010_07FF, 0x400, 1)
CONFIG = Area(AreaKind.CONFIG, 0x0101_0008, 0x0101_0033, 0, 4)
AREAS = (CODE, DATA, CONFIG)
SIGNATURE = Signature(48_000_000, 1_500_000, len(AREAS), 0x02, 1, 0)
ERASED = 0xFF
COMMIT = 0x7470CD6CB7945AF7


def firmware_image(
    version: tuple[int, int, int] = (0, 4, 1),
    platform: int = Platform.CHARGE_SOM,
    parameter_version: int = 1,
    size: int = 58448,
    application: int = Application.FIRMWARE,
    git_hash: int = COMMIT,
) -> bytes:
    """Make a firmware image that the virtual controller takes for one: the same for the same arguments."""
    pattern = b"".join((n * 2654435761 & 0xFFFFFFFF).to_bytes(4, "big") for n in range(size // 4))
    info = image.Info(0, 0, version, git_hash, Platform(platform), Application(application), parameter_version)
    return image.seal(pattern[:size], info)


class Chip:
    """The three areas; `folder` (if given) keeps code and data flash between two processes."""

    def __init__(self, folder: Path | None = None) -> None:
        self.memory = {area.kind: bytearray([ERASED]) * area.size for area in AREAS}
        self.protected: set[AreaKind] = set()
        """Areas that refuse erase and write."""
        self._folder = folder
        for area in (CODE, DATA):
            if folder is not None and self._file(area).exists():
                self.put(area, self._file(area).read_bytes()[: area.size])

    def _file(self, area: Area) -> Path:
        assert self._folder is not None
        return self._folder / f"{area.kind.name.lower()}-flash.bin"

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever written to it."""
        return all(byte == ERASED for area in (CODE, DATA) for byte in self.memory[area.kind])

    def put(self, area: Area, content: bytes) -> None:
        """Set an area's content; the rest of it is erased."""
        self.memory[area.kind][:] = content.ljust(area.size, bytes([ERASED]))

    def save(self) -> None:
        """Keep the content in the folder."""
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            for area in (CODE, DATA):
                self._file(area).write_bytes(self.memory[area.kind])

    def area_of(self, start: int, end: int) -> Area | None:
        """Return the area that holds this range."""
        return next((area for area in AREAS if area.start <= start <= end <= area.end), None)

    @property
    def info(self) -> image.Info | None:
        """The firmware in the code flash, None when it is missing, cut short or damaged."""
        code = self.memory[AreaKind.CODE]
        info = image.info_of(bytes(code))
        if info is None or info.size > len(code) or info.size % 4 or info.size < image.INFO_AT + image.INFO_BYTES:
            return None
        return info if image.checksum(bytes(code[: info.size])) == info.crc else None

    @property
    def identity(self) -> tuple[FirmwareVersion, GitHash] | None:
        """How the application would identify itself; None: there is none that starts."""
        info = self.info
        if info is None:
            return None
        firmware = FirmwareVersion(*info.version, info.platform, info.application, info.parameter_version)
        return firmware, GitHash(info.git_hash.to_bytes(8, "big"))

    def parameter_trouble(self, firmware: FirmwareVersion) -> tuple[int, int, int] | None:
        """What the firmware finds wrong with its parameter block: reason and two data words of MW_PARAM."""
        data = bytes(self.memory[AreaKind.DATA])
        found = layout.identify(data)
        if found is None:
            return (1, 0xFFFF, 0xFFFF)
        block = data[: found.size]
        if layout.crc8(block[:-1]) != block[-1]:
            return (2, layout.crc8(block[:-1]), block[-1])
        if found.version != firmware.parameter_version:
            return (6, found.version, firmware.parameter_version)
        return None
