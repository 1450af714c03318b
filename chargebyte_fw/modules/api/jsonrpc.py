"""JSON-RPC 2.0 without I/O: text in, text back. Methods are typed coroutine functions; checks derive from them."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, get_type_hints

import msgspec

from chargebyte_fw.kernel.decoding import convert, decode_json, shorten

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMETER = -32602
INTERNAL_ERROR = -32603

Method = Callable[..., Awaitable[Any]]
Failed = Callable[[str, Exception], None]


class RpcError(Exception):
    """An error object instead of a result."""

    def __init__(self, code: int, message: str) -> None:
        self.code = code
        super().__init__(message)


class Dispatcher:
    """Answers requests from `methods` (name to coroutine function). Calls `failed(name, error)` for our own faults."""

    def __init__(self, methods: Mapping[str, Method], failed: Failed) -> None:
        self._methods = methods
        self._types = {name: _parameter_types(method) for name, method in methods.items()}
        self._failed = failed

    async def answer(self, text: bytes | str) -> bytes | None:
        """Answer one message (a request or a batch); None where nothing is to be sent."""
        try:
            message = decode_json(text)
        except msgspec.DecodeError:
            return _encode(_error(None, PARSE_ERROR, "parse error: this is not JSON"))
        if not isinstance(message, list):
            single = await self._one(message)
            return None if single is None else _encode(single)
        if not message:
            return _encode(_error(None, INVALID_REQUEST, "invalid request: an empty batch"))
        answers = [answer for answer in await asyncio.gather(*map(self._one, message)) if answer is not None]
        return _encode(answers) if answers else None

    async def _one(self, request: Any) -> dict[str, Any] | None:
        request_id = request.get("id") if isinstance(request, dict) else None
        is_notification = isinstance(request, dict) and "id" not in request
        try:
            name, arguments = self._check(request)
            result = await self._methods[name](**arguments)
        except RpcError as error:
            return None if is_notification else _error(request_id, error.code, str(error))
        except Exception as error:
            self._failed(shorten(str(request.get("method"))), error)
            return None if is_notification else _error(request_id, INTERNAL_ERROR, "internal server error")
        return None if is_notification else {"id": request_id, "jsonrpc": "2.0", "result": result}

    def _check(self, request: Any) -> tuple[str, dict[str, Any]]:
        if not isinstance(request, dict):
            raise RpcError(INVALID_REQUEST, "invalid request: not an object")
        if request.get("jsonrpc") != "2.0":
            raise RpcError(INVALID_REQUEST, 'invalid request: missing jsonrpc field set to "2.0"')
        if not isinstance(request.get("id"), str | int | float | None):
            raise RpcError(INVALID_REQUEST, "invalid request: id field must be a number, string or null")
        name = request.get("method")
        if not isinstance(name, str):
            raise RpcError(INVALID_REQUEST, "invalid request: method field must be a string")
        parameters = request.get("params")
        if not isinstance(parameters, list | dict | None):
            raise RpcError(INVALID_REQUEST, "invalid request: params field must be an array, object or null")
        types = self._types.get(name)
        if types is None:
            raise RpcError(METHOD_NOT_FOUND, f"method not found: {shorten(name)}")
        return name, _arguments(parameters, types)


def is_call_of(text: bytes | str, method: str) -> bool:
    """Return whether a message is a request (no batch) for `method`."""
    try:
        message = decode_json(text)
    except msgspec.DecodeError:
        return False
    return isinstance(message, dict) and message.get("method") == method


def notification(method: str, params: Mapping[str, Any]) -> bytes:
    """Write a notification."""
    return _encode({"jsonrpc": "2.0", "method": method, "params": params})


def _parameter_types(method: Method) -> dict[str, Any]:
    hints = get_type_hints(method, include_extras=True)
    return {name: hints[name] for name in inspect.signature(method).parameters}


def _arguments(parameters: Any, types: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(parameters, dict):
        if not types:
            raise RpcError(INVALID_PARAMETER, "invalid parameter: procedure doesn't support named parameter")
        missing = next((name for name in types if name not in parameters), None)
        if missing is not None:
            raise RpcError(INVALID_PARAMETER, f'invalid parameter: missing named parameter "{missing}"')
        given = {name: parameters[name] for name in types}
    else:
        values = parameters or []
        if len(values) != len(types):
            wanted = ", ".join(types) or "none"
            raise RpcError(INVALID_PARAMETER, f"invalid parameter: {len(values)} values for the parameters: {wanted}")
        given = dict(zip(types, values, strict=True))
    try:
        return {name: convert(given[name], kind) for name, kind in types.items()}
    except msgspec.ValidationError as error:
        raise RpcError(INVALID_PARAMETER, f"invalid parameter: {error}") from error


def _error(request_id: Any, code: int, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}, "id": request_id, "jsonrpc": "2.0"}


def _encode(value: Any) -> bytes:
    return msgspec.json.encode(value)
