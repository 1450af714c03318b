"""EVerest's configuration service on MQTT: one answer to each request; a change goes on to the module it concerns."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection
from typing import Any

import msgspec

from chargebyte_fw.kernel.decoding import decode_json, shorten
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.manager.configuration.changes import BadValue, Keeper, changed, parsed
from chargebyte_fw.manager.plan import ModulePlan
from chargebyte_fw.manager.wire import envelope
from chargebyte_fw.manager.wire.answers import WHOLE_MODULE, Answers, failure, mutability_of, rights, set_answer
from chargebyte_fw.manager.wire.carrier import Carrier
from chargebyte_fw.manager.wire.dialect import Dialect, dialect_of

FORWARD_LIMIT_S = 5.0
"""How long the module concerned may take to answer, before it is asked once more."""
FORWARD_ATTEMPTS = 2
REQUESTS_LIMIT = 50
"""Changes that are under way at a time; more are refused."""
REJECTED = "Runtime change rejected by module"
"""What EVerest's manager answers where the module concerned refuses a value: it is kept for the next start."""
_ORIGIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,127}")


class _Outcome(msgspec.Struct):
    status: str
    status_info: str = ""


class _Reply(msgspec.Struct):
    status: str
    response: _Outcome | None = None
    status_info: str = ""


class ConfigService:
    """Answers the requests of one assembly from `begin` to `end`.

    `asked(module_id)` is called before a module is given its whole configuration: it begins. `complain` takes what is
    no request. `may_change` are the origins whose changes are taken: a module of this process makes none. Without an
    overlay no value is kept for the next start, and every change is rejected.
    """

    def __init__(
        self,
        carrier: Carrier,
        asked: Callable[[str], None],
        complain: Callable[..., None],
        may_change: Collection[str],
        overlay: Keeper | None = None,
    ) -> None:
        self._carrier = carrier
        self._asked = asked
        self._complain = complain
        self._may_change = frozenset(may_change)
        self._overlay = overlay
        self._log = ModuleLog("wire")
        self._answers: Answers | None = None
        self._stop: Callable[[], None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns: dict[str, asyncio.Lock] = {}

    def begin(self, plans: list[ModulePlan]) -> None:
        """Answer from now on."""
        carrier = self._carrier
        self._answers = Answers(
            {plan.id: plan for plan in plans}, telemetry_enabled=carrier.telemetry_enabled, root=carrier.root
        )
        self._stop = carrier.client.subscribe(f"{carrier.prefix}config/request", self.take)

    def end(self) -> None:
        """Answer no longer."""
        if self._stop is not None:
            self._stop()
        self._stop = self._answers = None
        for task in self._tasks:
            task.cancel()

    def take(self, _topic: str, payload: bytes) -> None:
        """Answer a request as it came."""
        try:
            message = decode_json(payload, dict[str, Any])
        except msgspec.MsgspecError as error:
            self._complain("a request for configuration that is none: %s", error)
            return
        dialect, data = dialect_of(message.get("msg_type")), message.get("data")
        origin = data.get("origin") if isinstance(data, dict) else None
        if dialect is None or not isinstance(origin, str) or not _ORIGIN.fullmatch(origin):
            self._complain("a request for configuration of no module: %s", shorten(str(message)))
            return
        if self._answers is None or not isinstance(data, dict):
            return
        request = data.get("request")
        if origin not in self._answers.plans:
            self._answer(origin, dialect, failure(f"there is no module {origin}"))
        elif not isinstance(request, dict) or data.get("type") not in ("Get", "Set"):
            self._answer(origin, dialect, failure("this is neither Get nor Set"))
        elif data["type"] == "Set":
            self._set_soon(origin, dialect, request)
        else:
            if request.get("type") == "Module":
                self._asked(origin)
            self._answer(origin, dialect, self._answers.get(origin, request))

    def _answer(self, origin: str, dialect: Dialect, data: dict[str, Any]) -> None:
        topic = f"{self._carrier.prefix}modules/{origin}/response"
        self._carrier.client.publish(topic, envelope.message(dialect.response, data), wait=False, qos=2)

    def _set_soon(self, origin: str, dialect: Dialect, request: dict[str, Any]) -> None:
        if origin not in self._may_change:
            info = f"changes over MQTT are not taken from {origin}"
            self._answer(origin, dialect, set_answer("AccessDenied", "Rejected", info))
            return
        if len(self._tasks) >= REQUESTS_LIMIT:
            self._answer(origin, dialect, set_answer("Error", "Rejected", "too many changes are under way"))
            return
        task = asyncio.get_running_loop().create_task(self._set(origin, dialect, request), name="wire set")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _set(self, origin: str, dialect: Dialect, request: dict[str, Any]) -> None:
        try:
            found = await self._changed(origin, request)
        except BadValue as error:
            found = set_answer("Ok", "Rejected", shorten(str(error)))
        except OSError as error:
            self._log.error("a changed value cannot be kept: %s", error)
            found = set_answer("Error", "Rejected", "the value cannot be kept")
        self._answer(origin, dialect, found)

    async def _changed(self, origin: str, request: dict[str, Any]) -> dict[str, Any]:
        answers, wanted, text = self._answers, request.get("identifier"), request.get("value")
        if answers is None or not isinstance(wanted, dict) or not isinstance(text, str):
            return set_answer("Error", "Rejected", "identifier or value is missing")
        target, name = str(wanted.get("module_id")), str(wanted.get("configuration_parameter_name"))
        implementation = wanted.get("module_implementation_id") or WHOLE_MODULE
        if not rights(answers.plans[origin], target).allow_write:
            return set_answer("AccessDenied", "Rejected", f"{origin} may not change the configuration of {target[:60]}")
        plan = answers.plans.get(target)
        config = None if plan is None else _config(plan, implementation)
        if plan is None or config is None or name not in {info.encode_name for info in msgspec.structs.fields(config)}:
            return set_answer("Error", "Rejected", f"{target[:60]} has no parameter {name[:60]}")
        value = parsed(config, name, text)
        new = changed(config, name, value)
        if self._overlay is None:
            return set_answer("Ok", "Rejected", "nothing is kept for the next start here")
        await asyncio.to_thread(self._overlay.keep, target, implementation, name, value)
        if mutability_of(config, name) == "ReadOnly":
            return set_answer("Ok", "RebootRequired", "it has effect from the next start on")
        outcome = await self._forward(target, {**wanted, "module_implementation_id": implementation}, text)
        if outcome.status == "Accepted":
            answers.plans[target] = _with(plan, implementation, new)
            return set_answer("Ok", "Accepted", outcome.status_info)
        info = REJECTED if outcome.status == "Rejected" else outcome.status_info
        return set_answer("Ok", "RebootRequired", info or "it has effect from the next start on")

    async def _forward(self, target: str, identifier: dict[str, Any], text: str) -> _Outcome:
        """Ask the module concerned; one change of a module at a time, as the answer does not name its question."""
        carrier = self._carrier
        at = f"{carrier.prefix}modules/{target}/config"
        payload = envelope.message(Dialect.V2026_10.request, {"identifier": identifier, "value": text})
        async with self._turns.setdefault(target, asyncio.Lock()):
            replied: asyncio.Future[_Outcome] = asyncio.get_running_loop().create_future()

            def take(_topic: str, reply: bytes) -> None:
                if not replied.done():
                    replied.set_result(self._outcome(reply))

            stop = carrier.client.subscribe(f"{at}/set_response", take)
            try:
                for _ in range(FORWARD_ATTEMPTS):
                    carrier.client.publish(f"{at}/set_request", payload, wait=False, qos=2)
                    await asyncio.wait({replied}, timeout=FORWARD_LIMIT_S)
                    if replied.done():
                        return replied.result()
            finally:
                stop()
        return _Outcome("RebootRequired", f"{target} does not answer")

    def _outcome(self, payload: bytes) -> _Outcome:
        try:
            reply = msgspec.convert(decode_json(payload, dict[str, Any]).get("data"), _Reply)
        except msgspec.MsgspecError as error:
            self._complain("an answer to a change that is none: %s", error)
            return _Outcome("RebootRequired", "the module's answer makes no sense")
        if reply.status != "Ok" or reply.response is None:
            return _Outcome("RebootRequired", reply.status_info)
        return _Outcome(reply.response.status, reply.response.status_info or reply.status_info)


def _config(plan: ModulePlan, implementation: Any) -> Any:
    if implementation == WHOLE_MODULE:
        return plan.config
    provision = plan.module.provisions.get(implementation) if isinstance(implementation, str) else None
    if provision is None:
        return None
    return plan.implementation_configs.get(implementation) or provision.config()


def _with(plan: ModulePlan, implementation: str, config: Any) -> ModulePlan:
    if implementation == WHOLE_MODULE:
        return msgspec.structs.replace(plan, config=config)
    return msgspec.structs.replace(plan, implementation_configs={**plan.implementation_configs, implementation: config})
