"""What API listens to: `everest_api/{evse}/cmd/...` with its payload turned into one call."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Annotated, Any, TypeAlias, TypeVar

import msgspec
from msgspec import Meta

from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.interfaces.external_energy_limits import ExternalEnergyLimits
from chargebyte_fw.contracts.interfaces.uk_random_delay import UkRandomDelay
from chargebyte_fw.contracts.types.energy import ExternalLimits
from chargebyte_fw.contracts.types.evse_manager import (
    EnableDisableSource,
    EnableDisableSourceEnableSource,
    EnableDisableSourceEnableState,
    StopTransactionReason,
    StopTransactionRequest,
)
from chargebyte_fw.kernel.decoding import decode_json
from chargebyte_fw.modules.api import limits

SOURCE = "API_module"
DEFAULT_PRIORITY = 100
DEFAULT_RANDOM_DELAY_S = 600
LARGEST_NUMBER = 2**31 - 1

T = TypeVar("T")
Call = Coroutine[Any, Any, Any]
EnableSource: TypeAlias = EnableDisableSourceEnableSource
EnableState: TypeAlias = EnableDisableSourceEnableState


class BadPayload(ValueError):
    """A payload that the command cannot use: what it was and what is expected."""


class EnableDisable(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Payload of `enable_disable`; every key may be left out."""

    connector_id: Annotated[int, Meta(ge=0)] = 0
    source: EnableSource = EnableSource.LocalAPI
    state: EnableState = EnableState.Enable
    priority: Annotated[int, Meta(ge=0, le=10000)] = DEFAULT_PRIORITY


class LimitPhases(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Payload of `set_limit_amps_phases`."""

    amps: float
    phases: int


def _read(payload: str, kind: type[T]) -> T:
    try:
        return decode_json(payload, kind)
    except msgspec.DecodeError as error:
        raise BadPayload(f"{payload[:80]!r}: {error}") from error


def _whole(payload: str, default: int | None = None) -> int:
    try:
        number = int(payload.strip())
    except ValueError:
        if default is None:
            raise BadPayload(f"{payload[:80]!r} is not a whole number") from None
        return default
    if abs(number) > LARGEST_NUMBER:
        raise BadPayload(f"{payload[:80]!r} is more than {LARGEST_NUMBER}")
    return number


class Commands:
    """The commands of one EVSE. `parse(name, payload)` returns the call; raises BadPayload."""

    def __init__(
        self,
        manager: EvseManager,
        sink: ExternalEnergyLimits | None,
        delay: UkRandomDelay | None,
        now: Callable[[], datetime],
        kept: dict[str, Any] | None = None,
    ) -> None:
        """`kept` outlives a restart of the module: the limit that was given last."""
        self._kept: dict[str, Any] = {} if kept is None else kept
        self._manager = manager
        self._sink = sink
        self._delay = delay
        self._now = now

    @property
    def names(self) -> tuple[str, ...]:
        """The commands that this EVSE's connections can serve."""
        names = [
            "enable_disable",
            "enable",
            "disable",
            "pause_charging",
            "resume_charging",
            "stop_charging",
            "force_unlock",
        ]
        if self._sink is not None:
            names += ["set_limit_amps", "set_limit_watts", "set_limit_amps_phases"]
        if self._delay is not None:
            names += ["uk_random_delay", "uk_random_delay_set_max_duration_s"]
        return tuple(names)

    def parse(self, name: str, payload: str) -> Call:
        """Return the call that `name` with `payload` asks for."""
        call: Call = getattr(self, f"_{name}")(payload)
        return call

    def _enable_disable(self, payload: str) -> Call:
        wanted = _read(payload, EnableDisable)
        return self._set_enabled(wanted.connector_id, wanted.source, wanted.state, wanted.priority)

    def _enable(self, payload: str) -> Call:
        return self._set_enabled(_whole(payload), EnableSource.LocalAPI, EnableState.Enable, DEFAULT_PRIORITY)

    def _disable(self, payload: str) -> Call:
        return self._set_enabled(_whole(payload), EnableSource.LocalAPI, EnableState.Disable, DEFAULT_PRIORITY)

    def _set_enabled(self, connector_id: int, source: EnableSource, state: EnableState, priority: int) -> Call:
        wish = EnableDisableSource(enable_source=source, enable_state=state, enable_priority=priority)
        return self._manager.enable_disable(connector_id, wish)

    def _pause_charging(self, _payload: str) -> Call:
        return self._manager.pause_charging()

    def _resume_charging(self, _payload: str) -> Call:
        return self._manager.resume_charging()

    def _stop_charging(self, _payload: str) -> Call:
        return self._manager.stop_transaction(StopTransactionRequest(reason=StopTransactionReason.Local))

    def _force_unlock(self, payload: str) -> Call:
        connector_id = _whole(payload, default=1)

        async def stop_and_unlock() -> None:
            await self._manager.stop_transaction(StopTransactionRequest(reason=StopTransactionReason.UnlockCommand))
            await self._manager.force_unlock(connector_id)

        return stop_and_unlock()

    def _set_limit_amps(self, payload: str) -> Call:
        return self._limit(limits.current_limit(_read(payload, float), SOURCE, self._now()))

    def _set_limit_watts(self, payload: str) -> Call:
        return self._limit(limits.power_limit(_read(payload, float), SOURCE, self._now()))

    def _set_limit_amps_phases(self, payload: str) -> Call:
        wanted = _read(payload, LimitPhases)
        if wanted.phases not in (1, 3):
            raise BadPayload(f"phases is 1 or 3, not {wanted.phases}")
        return self._limit(limits.phase_limit(wanted.amps, wanted.phases, SOURCE, self._now()))

    def _limit(self, value: ExternalLimits) -> Call:
        assert self._sink is not None
        self._kept["limit"] = value
        return self._sink.set_external_limits(value)

    async def restore(self) -> None:
        """Send the limit again: the energy node has started again and knows none."""
        limit: ExternalLimits | None = self._kept.get("limit")
        if limit is not None and self._sink is not None:
            await self._sink.set_external_limits(limit)

    def _uk_random_delay(self, payload: str) -> Call:
        assert self._delay is not None
        calls = {"enable": self._delay.enable, "disable": self._delay.disable, "cancel": self._delay.cancel}
        wanted = payload.strip().strip('"')
        if wanted not in calls:
            raise BadPayload(f"{payload[:80]!r} is none of {', '.join(calls)}")
        return calls[wanted]()

    def _uk_random_delay_set_max_duration_s(self, payload: str) -> Call:
        assert self._delay is not None
        return self._delay.set_duration_s(_whole(payload, default=DEFAULT_RANDOM_DELAY_S))
