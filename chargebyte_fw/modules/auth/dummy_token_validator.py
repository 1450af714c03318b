"""DummyTokenValidator: returns the same result for every token, after a delay (free charging, tests)."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from chargebyte_fw.contracts.interfaces.auth_token_validator import AuthTokenValidator
from chargebyte_fw.contracts.types.authorization import AuthorizationStatus, ProvidedIdToken, ValidationResult
from chargebyte_fw.kernel.module import Module, ModuleConfig, provides


class Verdict(StrEnum):
    """What can be configured as the answer."""

    Accepted = "Accepted"
    Blocked = "Blocked"
    Expired = "Expired"
    Invalid = "Invalid"


class ValidatorConfig(ModuleConfig):
    """The answer."""

    validation_result: Annotated[Verdict, Meta(description="The answer to every token.")] = Verdict.Accepted
    validation_reason: Annotated[str, Meta(min_length=5, description="Why, for the log.")] = "Token valid"
    sleep: Annotated[float, Meta(ge=0, le=120, description="Time until the answer, in s.")] = 0.5


class Validator(AuthTokenValidator):
    """The validator."""

    module: DummyTokenValidator
    config: ValidatorConfig

    async def validate_token(self, provided_token: ProvidedIdToken) -> ValidationResult:
        """Answer as configured."""
        await asyncio.sleep(self.config.sleep)
        verdict = self.config.validation_result
        kind = provided_token.authorization_type.value
        self.module.log.info("%s token is %s: %s", kind, verdict.value, self.config.validation_reason)
        return ValidationResult(authorization_status=AuthorizationStatus(verdict.value), tariff_messages=[])


class DummyTokenValidator(Module):
    """Answers every token as configured."""

    main = provides(Validator, config=ValidatorConfig, description="The validator.")
