"""AuthListValidator: tokens are good when they stand in a list, a YAML or CSV file that may change at any time."""

from __future__ import annotations

import asyncio
import os
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
from chargebyte_fw.kernel.clock import rfc3339, utc_now
from chargebyte_fw.kernel.errors import ConfigError
from chargebyte_fw.kernel.module import Module, ModuleConfig, provides
from chargebyte_fw.modules.auth.token_list import Entry, parse

FAULT = "generic/VendorWarning"
SUB_TYPE = "AuthList"
LARGEST_FILE = 16 * 1024 * 1024


class Validator(AuthTokenValidator):
    """The validator."""

    module: AuthListValidator

    async def validate_token(self, provided_token: ProvidedIdToken) -> ValidationResult:
        """Look the token up in the list as it is now."""
        self.module.look()
        return self.module.judge(provided_token)


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
        """Read the list; a broken or missing one is no reason not to start, but nobody is on it."""
        self.entries: dict[str, Entry] = {}
        self._seen: object = None
        self.look()

    async def ready(self) -> None:
        """Watch the file."""
        self.spawn(self._watch(), "watch")

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self.config.check_interval)
            self.look()

    def look(self) -> None:
        """Read the file again if it is another one than the last time; a broken one leaves the list as it was."""
        path = self.ground.root.read(self.config.list_file)
        try:
            there = path.stat()
            seen: object = (there.st_ino, there.st_mtime_ns, there.st_size)
        except OSError as error:
            seen = error.errno
        if seen == self._seen:
            return
        self._seen = seen
        try:
            if isinstance(seen, int):
                raise OSError(seen, os.strerror(seen))
            if there.st_size > LARGEST_FILE:
                raise ValueError(f"{there.st_size} bytes are more than {LARGEST_FILE}")
            entries = parse(path.read_text("utf-8-sig"), self.config.list_file)
        except ConfigError as error:
            more = len(error.findings) - 1
            self._refuse(f"{error.findings[0]}" + (f", and {more} more" if more else ""))
        except OSError as error:
            self._refuse(f"{self.config.list_file}: {error.strerror}")
        except ValueError as error:
            self._refuse(f"{self.config.list_file}: {error}")
        else:
            self.entries = entries
            self.main.faults.clear(FAULT, SUB_TYPE)
            self.log.info("%s in %s", _tokens(entries), self.config.list_file)

    def _refuse(self, why: str) -> None:
        kept = f"going on with the last good list ({_tokens(self.entries)})" if self.entries else "nobody is listed"
        self.log.error("%s; %s", why, kept)
        self.main.faults.clear(FAULT, SUB_TYPE)
        self.main.faults.raise_fault(FAULT, f"{why}; {kept}", sub_type=SUB_TYPE)

    def judge(self, token: ProvidedIdToken) -> ValidationResult:
        """Return what the list says of a token."""
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


def _tokens(entries: dict[str, Entry]) -> str:
    return "1 token" if len(entries) == 1 else f"{len(entries)} tokens"
