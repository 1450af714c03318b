"""What EVerest's admin panel asks the manager for: modules, interfaces, configurations, a restart (framework: 3.8)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from chargebyte_fw.kernel.decoding import decode_json, shorten
from chargebyte_fw.kernel.errors import Finding, in_words
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.module import Module
from chargebyte_fw.manager.configuration.reading import read
from chargebyte_fw.manager.configuration.report import Report
from chargebyte_fw.manager.configuration.tree import plain
from chargebyte_fw.manager.export import contracts
from chargebyte_fw.manager.manifest import interface_file, manifest_of

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL_ERROR = -32700, -32600, -32601, -32602, -32603
"""Codes of JSON-RPC 2.0."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_SECTIONS = ("active_modules", "settings", "x-module-layout")


class Refused(Exception):
    """A request that cannot be answered: a code of JSON-RPC and what is wrong."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Panel:
    """Answers requests; opens nothing but the configurations in `folder`.

    `modules` returns the classes of all modules that are installed, `check` the findings in a configuration file,
    `restart` starts all modules again.
    """

    def __init__(
        self,
        folder: Path,
        modules: Callable[[], Mapping[str, type[Module]]],
        check: Callable[[Path], list[Finding]],
        restart: Callable[[], None],
        timeout_ms: int,
    ) -> None:
        self._folder = folder
        self._modules = modules
        self._check = check
        self._restart = restart
        self._timeout_ms = timeout_ms
        self._log = ModuleLog("manager")
        self._methods: dict[str, Callable[[Mapping[str, Any]], Any]] = {
            "get_modules": lambda _: self._manifests(),
            "get_interfaces": lambda _: {name: interface_file(kind) for name, kind in contracts().items()},
            "get_configs": lambda _: self._configurations(),
            "save_config": self._save,
            "restart_modules": lambda _: self._begin_restart(),
            "get_rpc_timeout": lambda _: self._timeout_ms,
        }

    def answer(self, message: bytes | str) -> bytes | None:
        """Return the answer to a message, None to one without an id."""
        request_id: Any = None
        try:
            request = self._request(message)
            request_id = request.get("id")
            result: dict[str, Any] = {"result": self._result(request)}
        except Refused as error:
            result = {"error": {"code": error.code, "message": str(error)}}
            if error.code in (PARSE_ERROR, INVALID_REQUEST):
                return msgspec.json.encode({"id": request_id, **result})
        except Exception as error:
            # One request must not end the manager, whatever it makes fail.
            self._log.exception("a request of the admin panel failed")
            result = {"error": {"code": INTERNAL_ERROR, "message": shorten(str(error))}}
        return None if request_id is None else msgspec.json.encode({"id": request_id, **result})

    def _request(self, message: bytes | str) -> dict[str, Any]:
        try:
            request = decode_json(message if isinstance(message, bytes) else message.encode(), Any)
        except msgspec.MsgspecError as error:
            raise Refused(PARSE_ERROR, f"this is not JSON: {shorten(str(error))}") from error
        if not isinstance(request, dict) or not isinstance(request.get("method"), str):
            raise Refused(INVALID_REQUEST, "a request has a method")
        return request

    def _result(self, request: Mapping[str, Any]) -> Any:
        method = self._methods.get(request["method"])
        if method is None:
            raise Refused(METHOD_NOT_FOUND, f"there is no method {shorten(request['method'])}")
        params = request.get("params")
        return method(params if isinstance(params, dict) else {})

    def _manifests(self) -> dict[str, Any]:
        return {name: kind.own_manifest or manifest_of(kind) for name, kind in sorted(self._modules().items())}

    def _configurations(self) -> dict[str, Any]:
        found = {}
        for path in sorted(self._folder.glob("*.yaml")):
            document = read(path, Report())
            content = plain(document) if document is not None else {}
            if not any(key in content for key in _SECTIONS):
                continue
            for key in _SECTIONS:
                content[key] = content.get(key) or {}
            for entry in content["active_modules"].values():
                if isinstance(entry, dict):
                    entry["connections"] = entry.get("connections") or {}
            found[path.stem] = content
        return found

    def _save(self, params: Mapping[str, Any]) -> bool:
        name, config = params.get("name"), params.get("config")
        if not isinstance(name, str) or not _NAME.fullmatch(name) or not isinstance(config, dict):
            raise Refused(INVALID_PARAMS, "save_config takes a name and a config")
        beside = self._folder / f"_{name}.yaml"
        try:
            beside.write_text(yaml.safe_dump(config, sort_keys=False, allow_unicode=True), "utf-8")
            wrong = [str(finding) for finding in self._check(beside) if finding.severity == "error"]
            if not wrong:
                beside.replace(self._folder / f"{name}.yaml")
        except (OSError, yaml.YAMLError) as error:
            raise Refused(INTERNAL_ERROR, f"the configuration cannot be written: {in_words(error)}") from error
        finally:
            beside.unlink(missing_ok=True)
        if wrong:
            raise Refused(INVALID_PARAMS, "\n".join(wrong[:20]))
        return True

    def _begin_restart(self) -> dict[str, bool]:
        self._restart()
        return {"accepted": True}
