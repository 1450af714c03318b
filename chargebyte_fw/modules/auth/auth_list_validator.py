"""AuthListValidator: accepts the tokens of a list, a YAML or CSV file that may change at any time."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from chargebyte_fw.contracts.interfaces.auth_token_validator import AuthTokenValidator
from chargebyte_fw.contracts.types.authorization import (
    AuthorizationStatus,
    IdToken,
    IdTokenType,
    ProvidedIdToken,
    ValidationResult,
)
from chargebyte_fw.kernel.clock import loop_speed, rfc3339, utc_now
from chargebyte_fw.kernel.errors import ConfigError
from chargebyte_fw.kernel.module import Module, ModuleConfig, provides
from chargebyte_fw.modules.auth.token_list import Entry, parse

FAULT = "generic/VendorWarning"
SUB_TYPE = "AuthList"
LARGEST_FILE = 4 << 20
"""Some fifty thousand tokens."""
SMALL_FILE = 8 * 1024
"""A smaller file is read in place: that is faster than a thread."""


class Validator(AuthTokenValidator):
    """Interface `auth_token_validator`."""

    module: AuthListValidator

    async def validate_token(self, provided_token: ProvidedIdToken) -> ValidationResult:
        """Look the token up in the list as it is now."""
        await self.module.reload()
        return self.module.validation_of(provided_token)


class AuthListValidator(Module):
    """Accepts the tokens of a list with expiry, parent id and allowed connectors; a changed file is read again."""

    class Config(ModuleConfig):
        """Where the list is."""

        list_file: Annotated[str, Meta(min_length=1, description="The list: YAML, or CSV when its name says so.")] = (
            "/etc/everest/auth_list.yaml"
        )
        check_interval: Annotated[
            float, Meta(ge=0.1, le=3600, description="How often the file is looked at besides, in s.")
        ] = 2.0

    config: Config
    main = provides(Validator, description="The validator.")

    async def init(self) -> None:
        """Read the list; with a broken or missing one the module starts and accepts no token."""
        self.entries: dict[str, Entry] = {}
        self._seen: object = None
        self._emptied: object = None
        self._looking = asyncio.Lock()
        await self.reload()

    async def ready(self) -> None:
        """Watch the file."""
        self.spawn(self._watch(), "watch")

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self.config.check_interval)
            await self.reload(again=True)

    async def reload(self, *, again: bool = False) -> None:
        """Read the file again if it has changed; a broken one leaves the list as it was.

        A file that is suddenly empty is probably being written: it counts when `again` finds it empty once more.
        """
        async with self._looking:
            path = self.runtime.root.read(self.config.list_file)
            seen = _state_of(path)
            if seen == self._seen:
                return
            if self.entries and isinstance(seen, tuple) and seen[-1] == 0 and not (again and seen == self._emptied):
                self._emptied = seen if again else self._emptied
                return
            try:
                entries = await self._read(path, seen)
            except ConfigError as error:
                more = len(error.findings) - 1
                why = f"{error.findings[0]}" + (f", and {more} more" if more else "")
            except OSError as error:
                why = f"{self.config.list_file}: {error.strerror}"
            except ValueError as error:
                why = f"{self.config.list_file}: {error}"
            else:
                if _state_of(path) != seen:
                    # It was written at the same time: what was read may be half of it. The next call reads it again.
                    return
                self._seen = seen
                self.entries = entries
                self.main.faults.clear(FAULT, SUB_TYPE)
                self.log.info("%s in %s", _tokens(entries), self.config.list_file)
                return
            if _state_of(path) == seen:
                self._seen = seen
                self._refuse(why)

    async def _read(self, path: Path, seen: object) -> dict[str, Entry]:
        if isinstance(seen, int):
            raise OSError(seen, os.strerror(seen))
        if not path.is_file():
            raise ValueError("not a file")
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise ValueError(f"{size} bytes are more than {LARGEST_FILE}")

        def read() -> dict[str, Entry]:
            return parse(path.read_bytes().decode("utf-8-sig"), self.config.list_file)

        # Thousands of tokens take a second, which the event loop does not have.
        return read() if loop_speed() is None or size < SMALL_FILE else await asyncio.to_thread(read)

    def _refuse(self, why: str) -> None:
        kept = f"going on with the last good list ({_tokens(self.entries)})" if self.entries else "no token is listed"
        self.log.error("%s; %s", why, kept)
        self.main.faults.clear(FAULT, SUB_TYPE)
        self.main.faults.raise_fault(FAULT, f"{why}; {kept}", sub_type=SUB_TYPE)

    def validation_of(self, token: ProvidedIdToken) -> ValidationResult:
        """Return the validation of a token by the list."""
        entry = self.entries.get(token.id_token.value.casefold())
        status = self._status(entry, token)
        result = ValidationResult(authorization_status=status, tariff_messages=[])
        if entry is not None and status is not AuthorizationStatus.Invalid:
            if entry.expires is not None:
                result.expiry_time = rfc3339(entry.expires)
            if entry.parent:
                result.parent_id_token = IdToken(value=entry.parent, type=IdTokenType.Central)
            if entry.connectors:
                result.evse_ids = list(entry.connectors)
        known_as = f" of {entry.name}" if entry is not None and entry.name else ""
        self.log.info("%s token%s is %s", token.authorization_type.value, known_as, status.value)
        return result

    def _status(self, entry: Entry | None, token: ProvidedIdToken) -> AuthorizationStatus:
        if entry is None or (entry.type and entry.type != token.id_token.type.value):
            return AuthorizationStatus.Invalid
        if entry.blocked:
            return AuthorizationStatus.Blocked
        if entry.expires is not None and utc_now() > entry.expires:
            return AuthorizationStatus.Expired
        if entry.connectors and token.connectors and not set(entry.connectors) & set(token.connectors):
            return AuthorizationStatus.NotAtThisLocation
        return AuthorizationStatus.Accepted


def _state_of(path: Path) -> object:
    """Return a value that changes with the file (its size last), or the number of the error."""
    try:
        there = path.stat()
    except OSError as error:
        return error.errno
    return (there.st_ino, there.st_mtime_ns, there.st_ctime_ns, there.st_size)


def _tokens(entries: dict[str, Entry]) -> str:
    return "1 token" if len(entries) == 1 else f"{len(entries)} tokens"
