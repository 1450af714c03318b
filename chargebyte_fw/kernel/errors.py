"""The families of errors, by who has to act (docs/architecture.md, "Errors")."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class Finding(msgspec.Struct, frozen=True):
    """One error or warning in a file: where, what, and what to write instead."""

    where: str
    """`file:line:column`, as editors and terminals understand it."""
    what: str
    hint: str = ""
    severity: str = "error"
    """`error` stops the start, `warning` does not."""
    number: str = ""
    """`C012`: what the page of findings and `secc check --explain` describe; empty where none is described."""

    def __str__(self) -> str:
        text = f"{self.where}: {self.severity}: {self.what}"
        if self.hint:
            text += f" ({self.hint})"
        return f"{text} [{self.number}]" if self.number else text


class ConfigError(Exception):
    """A file must be changed by hand. Carries every finding at once; the command exits with status 78 (EX_CONFIG)."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))


class PeerError(Exception):
    """A peer (EV, MCU, CSMS, client) has broken a rule. Logged as one line, never with a traceback.

    `clause` names the rule ("ISO 15118-2 [V2G2-538]", "EXI", "V2GTP"), `what` is what arrived.
    """

    def __init__(self, clause: str, what: str) -> None:
        self.clause = clause
        self.what = what
        super().__init__(f"{what} [{clause}]")


class Unavailable(Exception):
    """Something (broker, port, file system) is missing now and may come back: it is tried again."""


def in_words(error: BaseException, *, of_file: bool = True) -> str:
    """Return the reason of an error without the number that the system gives it, with its file unless not `of_file`."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if of_file and error.filename is not None else error.strerror
    return str(error) or type(error).__name__


class CommandError(Exception):
    """A command on the bus did not succeed. `kind` is EVerest's `__everest__error_type`."""

    def __init__(self, kind: str, message: str) -> None:
        self.kind = kind
        self.message = message
        super().__init__(f"{kind}: {message}")


class CommandTimeout(CommandError):
    """A command missed its deadline."""

    def __init__(self, message: str) -> None:
        super().__init__("CmdTimeout", message)
