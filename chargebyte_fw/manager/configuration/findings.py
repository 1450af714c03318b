"""What the numbers of findings mean. Read for `secc check --explain` and the manual; a charger never loads it."""

from __future__ import annotations

from functools import cache
from importlib import resources

import msgspec

from chargebyte_fw.kernel.decoding import decode_yaml
from chargebyte_fw.kernel.names import nearest
from chargebyte_fw.kernel.text import text_lines

LIST = "findings.yaml"


class Explanation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One number. It has an `example`, an `overlay` or a `situation`."""

    title: str
    cause: str
    remedy: str
    example: str = ""
    """A whole configuration that has the finding, or the whole of `file`."""
    file: str = ""
    """What the example is, where it is no configuration: `parameters.yaml`, `tokens.csv`, `rig.yaml` ..."""
    overlay: str = ""
    """An overlay of `base` that has it."""
    base: str = "bsp-only-dc"
    situation: str = ""
    """When the finding comes, in words."""

    @property
    def shown(self) -> str:
        """When it comes, as lines."""
        if self.overlay:
            return f"# user-config/{self.base}.yaml\n{self.overlay}"
        return f"# {self.file}\n{self.example}" if self.file else self.example


@cache
def explanations() -> dict[str, Explanation]:
    """Return all explanations by number, in order."""
    data = decode_yaml(resources.files(__package__).joinpath(LIST).read_bytes())
    return msgspec.convert(data, dict[str, Explanation])


class UnknownNumber(ValueError):
    """No finding has this number; the text has the nearest one."""


def explanation_of(number: str) -> Explanation:
    """Return the explanation of one number; raises UnknownNumber."""
    known = explanations()
    found = known.get(number.upper())
    if found is None:
        digits = number.upper().removeprefix("C")
        hint = nearest(f"C{digits:0>3}", known)
        raise UnknownNumber(f"no finding has the number {number}: {hint}".rstrip(": "))
    return found


def explain(number: str) -> list[str]:
    """Return the paragraphs for one number, then its example; raises UnknownNumber."""
    found = explanation_of(number)
    lines = [f"{number.upper()}: {found.title}", "", f"{found.cause} {found.remedy}", ""]
    return lines + ([f"    {line}" for line in text_lines(found.shown)] or [f"Example: {found.situation}"])
