"""ChargerInfo: the identity of this charger, put together from other providers, stores and the version file."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from chargebyte_fw.contracts.interfaces.charger_information import ChargerInformation as ChargerInformationContract
from chargebyte_fw.contracts.interfaces.kvs import Kvs
from chargebyte_fw.contracts.types.charger_information import ChargerInformation
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.files import read_regular
from chargebyte_fw.kernel.lasting_condition import LastingConditions
from chargebyte_fw.kernel.module import Module, ModuleConfig, provides, requires_many, requires_optional

KEYS = ChargerInformation.__struct_fields__
UNKNOWN = "unknown"
VERSION_FILE_BYTES = 64 * 1024
VERSION_LENGTH = 255
"""More characters than this are no version."""


class Information(ChargerInformationContract):
    """The identity."""

    module: ChargerInfo

    async def get_charger_information(self) -> ChargerInformation:
        """Return the identity as it is now; vendor and model are `unknown` when no source names them."""
        return await self.module.collect()


class ChargerInfo(Module):
    """Collects vendor, model, serial numbers and firmware version of the charger."""

    group = "cloud"

    class Config(ModuleConfig):
        """Where the firmware version stands."""

        firmware_version_file: Annotated[
            str, Meta(description="Path of the file whose first line is the firmware version.")
        ]

    config: Config
    main = provides(Information, description="The identity.")
    kvs = requires_many(Kvs, 1, 10)
    charger_information = requires_optional(ChargerInformationContract)

    async def init(self) -> None:
        """Prepare what is logged once however often the identity is asked for."""
        self._missing = LastingConditions(self.log)

    async def stop(self) -> None:
        """Log what was only counted."""
        self._missing.close()

    async def collect(self) -> ChargerInformation:
        """Merge: the provider upstream, then each store in order, then the version file; the later one wins."""
        known: dict[str, str] = {}
        if self.charger_information is not None:
            known.update(await self._from_upstream(self.charger_information))
        for store in self.kvs:
            known.update(await self._from_store(store))
        if version := self._version():
            known["firmware_version"] = version
        vendor, model = known.setdefault("vendor", UNKNOWN), known.setdefault("model", UNKNOWN)
        if "friendly_name" not in known:
            serial = known.get("chargepoint_serial")
            known["friendly_name"] = f"{vendor} {model}" + (f" [{serial}]" if serial else "")
        return ChargerInformation(**known)

    async def _from_upstream(self, upstream: ChargerInformationContract) -> dict[str, str]:
        try:
            answer: dict[str, str] = msgspec.to_builtins(await upstream.get_charger_information())
        except CommandError as error:
            self._note_answer(upstream.module_id, str(error))
            return {}
        self._note_answer(upstream.module_id, "")
        return {key: value for key, value in answer.items() if value}

    async def _from_store(self, store: Kvs) -> dict[str, str]:
        found: dict[str, str] = {}
        for key in KEYS:
            try:
                value: Any = await store.load(key)
            except CommandError as error:
                self._note_answer(store.module_id, str(error))
                return found
            if isinstance(value, (str, int, float)) and str(value):
                found[key] = str(value)
        self._note_answer(store.module_id, "")
        return found

    def _note_answer(self, module_id: str, trouble: str) -> None:
        end = f"{module_id} says again who this is"
        self._missing.set(
            module_id, bool(trouble), f"{module_id} does not say who this is: {trouble}" if trouble else end
        )

    def _version(self) -> str:
        """Return the first line of the version file, empty when there is none (logged once)."""
        path = self.config.firmware_version_file
        try:
            content = read_regular(self.runtime.root.read(path), VERSION_FILE_BYTES)
            line = content.partition(b"\n")[0].decode("utf-8", "replace").strip()
            trouble = "" if line and len(line) <= VERSION_LENGTH else "its first line is no version"
        except OSError as error:
            line, trouble = "", error.strerror or str(error)
        begin, end = f"the firmware version is not known from {path}: {trouble}", f"the firmware version is {line}"
        self._missing.set("", bool(trouble), begin if trouble else end)
        return "" if trouble else line
