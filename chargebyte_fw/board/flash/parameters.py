"""Which parameter block a controller should have: kept, brought to another version, restored, or installed at first."""

from __future__ import annotations

from collections.abc import Callable

from chargebyte_fw.board.flash.image import BadImage
from chargebyte_fw.board.flash.messages import AreaKind
from chargebyte_fw.board.flash.programmer import Programmer
from chargebyte_fw.board.flash.record import FlashRecord
from chargebyte_fw.board.params import layout, rules, value_types, yaml_text
from chargebyte_fw.board.params.layout import Parameters
from chargebyte_fw.kernel.errors import Finding

FIRST_FIRMWARE = (0, 1, 0)
"""The one firmware without a parameter block: its successors get one at first."""

Notify = Callable[[str], None]


def only_contactor() -> Parameters:
    """Return the block that is installed at first: three contactors without feedback, nothing supervised."""
    parameters = Parameters()
    for index in range(3):
        parameters.set(layout.CONTACTOR_TYPE, index, value_types.CONTACTOR.parse("without-feedback").raw)
    return parameters


def block_of(flash: bytes) -> bytes:
    """Return the whole and undamaged block that a data flash begins with; empty: there is none."""
    found = layout.identify(flash)
    block = b"" if found is None else flash[: found.size]
    return block if block and layout.crc8(block[:-1]) == block[-1] else b""


def text_of(flash: bytes) -> str:
    """Return the block of a data flash as YAML; a comment with the reason where none can be read."""
    block = block_of(flash)
    if not block:
        return f"# there is no valid parameter block: {layout.why_not(flash)}\n"
    found, parameters, _ = layout.decode(block)
    if found.is_opaque:
        return f"# a parameter block of version {found.version}, {found.size} bytes: its layout is not known\n"
    return yaml_text.write(parameters, found.version)


def version_of(block: bytes) -> int:
    """Return the version of a block of `block_of`."""
    found = layout.identify(block)
    assert found is not None
    return found.version


def plan(
    flash: bytes, saved: bytes, wanted: int, firmware: tuple[int, int, int] | None, first: Parameters, notify: Notify
) -> bytes | None:
    """Return the block to write so that firmware that wants version `wanted` finds its own; None: nothing to do.

    `flash`: the data flash; `saved`: what an interrupted run had saved; `firmware`: what is on the chip; `first`: what
    a controller gets that never had a block. Raises BadImage when a block cannot be brought to that version.
    """
    here = block_of(flash)
    source = here or block_of(saved)
    if source:
        if not here:
            notify("the parameter block was lost when the power was cut; it is restored")
        found, parameters, _ = layout.decode(source)
        if found.version == wanted:
            block = source if found.is_opaque else layout.encode(parameters, wanted)
            return block if block != here else None
        block = convert(parameters, found, wanted, notify)
        notify(f"the parameter block is brought from version {found.version} to version {wanted}")
        return block
    if firmware == FIRST_FIRMWARE and wanted in layout.SIZES:
        notify("the first parameter block is installed")
        return layout.encode(first, wanted)
    return None


def convert(parameters: Parameters, found: layout.Found, wanted: int, notify: Notify) -> bytes:
    """Return the block in another version; raises BadImage when that cannot be."""
    for version in (found.version, wanted):
        if version not in layout.SIZES:
            raise BadImage(
                f"the parameter block has version {found.version}, the firmware needs version {wanted}: the layout of "
                f"version {version} is not known here, so the controller would go to its safe state"
            )
    for finding in rules.fit(parameters, wanted, "parameter block"):
        if finding.severity == "error":
            raise BadImage(str(finding))
        notify(finding.what)
    return layout.encode(parameters, wanted)


def mismatch(flash: bytes, wanted: int) -> str:
    """Return why firmware that needs block version `wanted` rejects a data flash; empty: it takes it."""
    block = block_of(flash)
    if not block:
        return f"there is no valid parameter block on the chip ({layout.why_not(flash)}): its defaults will be used"
    version = version_of(block)
    if version == wanted:
        return ""
    return (
        f"the parameter block on the chip has version {version}, this firmware needs version {wanted}: the controller "
        "will stay in its safe state"
    )


async def store(programmer: Programmer, block: bytes, record: FlashRecord) -> None:
    """Write a block into the data flash; the one that is there is saved until the new one is proven."""
    assert programmer.chip is not None, "the boot loader is not running"
    area = programmer.chip.area(AreaKind.DATA)
    here = block_of(await programmer.read(area, what="read parameters"))
    if here:
        record.save_block(here)
    await programmer.write(area, block, verify=True)
    record.drop_block()


def negotiate(version: int, wanted: int, name: str) -> list[Finding]:
    """Return why a block of `version` may not be written for firmware that wants another one; empty: it may."""
    if version == wanted:
        return []
    what = f"the block has version {version}, the running firmware needs version {wanted}"
    hint = f"create it from YAML with --version {wanted}" if wanted in layout.SIZES else "use a block made for it"
    hint += "; with another version the controller goes to its safe state at once"
    return [Finding(name, what, hint, number="C314")]
