"""Values that were set, kept over a restart as documents of the station. Pure.

A document has the address, the attribute, the value and who set it. An initial value counts only while there is no
document, so a new configuration file changes what was never set by another party.
"""

from __future__ import annotations

import msgspec

from chargebyte_fw.kernel.decoding import decode_json
from chargebyte_fw.modules.ocpp.station import Block, Station, receives
from chargebyte_fw.modules.ocpp.station.events import Loaded
from chargebyte_fw.modules.ocpp.variables.declaration import ComponentId, DataType, VariableId
from chargebyte_fw.modules.ocpp.variables.model import Entry, Variables
from chargebyte_fw.modules.ocpp.variables.standard.iso15118 import AC_DER, DC_DER
from chargebyte_fw.modules.ocpp.variables.values import fault_of

TABLE = "variables"
MIGRATIONS = "variable_migrations"
LEGACY_KEYS = "ocpp1.6"
LATE = frozenset(der.enabled.id.folded for der in (AC_DER, DC_DER))
"""Variables that are set by the CSMS and are there only once a device has described itself, of any EVSE."""


class WriteOverlay(msgspec.Struct, frozen=True):
    """Effect: write the file of changed keys (`UserConfigPath`) as a whole."""

    content: bytes


class Document(msgspec.Struct, frozen=True, omit_defaults=True):
    """One value that was set."""

    component: str
    variable: str
    attribute: str
    value: str | None
    source: str
    component_instance: str = ""
    evse: int | None = None
    connector: int | None = None
    variable_instance: str = ""

    @property
    def place(self) -> VariableId:
        """The address of the variable."""
        component = ComponentId(self.component, self.component_instance, self.evse, self.connector)
        return VariableId(component, self.variable, self.variable_instance)


def key_of(entry: Entry, attribute: str) -> str:
    """Return the key of the document of an attribute."""
    return f"{entry.id} {attribute}"


def document_of(entry: Entry, attribute: str) -> Document:
    """Return the document of an attribute as it is now."""
    here, found = entry.id.component, entry.attributes[attribute]
    return Document(
        component=here.name,
        component_instance=here.instance,
        evse=here.evse,
        connector=here.connector,
        variable=entry.id.name,
        variable_instance=entry.id.instance,
        attribute=attribute,
        value=found.value,
        source=found.source,
    )


def unfit(entry: Entry, text: str) -> str:
    """Return why a value that was valid once is none any more, empty where it is one.

    Lists of measurands of OCPP 1.6 have phases, which the values list of the variable has not.
    """
    lists = entry.data_type in (DataType.MEMBERS, DataType.SEQUENCE)
    return fault_of(text, entry.data_type, entry.minimum, entry.maximum, () if lists else entry.values, entry.separator)


def anywhere(place: VariableId) -> VariableId:
    """Return the address of a variable of an EVSE without the EVSE, folded."""
    component = place.folded.component
    return VariableId(ComponentId(component.name, component.instance), place.folded.name, place.folded.instance)


def restore(variables: Variables, documents: dict[str, bytes]) -> list[str]:
    """Put the values of documents in place; return the keys of those that are of no use any more.

    These are documents of variables that are gone, and values that the variable does not take any more.
    """
    useless = []
    for key, data in documents.items():
        try:
            document = decode_json(data, Document)
        except msgspec.DecodeError:
            useless.append(key)
            continue
        entry = variables.entry(document.place)
        if entry is None and anywhere(document.place) in LATE:
            variables.late[document.place.folded] = (document.attribute, document.value, document.source)
            continue
        attribute = None if entry is None else entry.attributes.get(document.attribute)
        text = document.value
        if entry is None or attribute is None or (text is not None and unfit(entry, text)):
            useless.append(key)
        else:
            attribute.value, attribute.source = text, document.source
    return useless


class VariableStorage(Block):
    """Keeps the values that are set. It is the first block of a station: the others read values that are in place."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        station.variables.save = self._save

    @receives(Loaded)
    def loaded(self, event: Loaded) -> None:
        """Put the values of the last run in place. No one is notified: it is as if they had always been there."""
        for key in restore(self.station.variables, event.tables.get(TABLE, {})):
            self.station.save(TABLE, key, None)
        migration = self.station.variables.migration
        if migration is not None and LEGACY_KEYS not in event.tables.get(MIGRATIONS, {}):
            self.station.save(MIGRATIONS, LEGACY_KEYS, migration())

    def _save(self, entry: Entry, attribute: str) -> None:
        variables = self.station.variables
        if variables.overlay is not None and variables.keys is not None:
            content = variables.overlay.changed(variables.keys, entry)
            if content:
                self.station.effect(WriteOverlay(content))
            if content is not None:
                return
        self.station.save(TABLE, key_of(entry, attribute), document_of(entry, attribute))
