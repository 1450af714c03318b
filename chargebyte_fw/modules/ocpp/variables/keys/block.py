"""GetConfiguration and ChangeConfiguration of OCPP 1.6 (sections 5.3 and 5.8)."""

from __future__ import annotations

from chargebyte_fw.modules.ocpp.messages.v16 import core as v16
from chargebyte_fw.modules.ocpp.station import Block, Station, answers
from chargebyte_fw.modules.ocpp.variables.access import Status
from chargebyte_fw.modules.ocpp.variables.keys.configuration import Configuration, KeyState

CSMS = "csms"
VALUE_LIMIT = 500
"""Characters of a value (1.6 section 7.29)."""

_STATUS = {
    Status.ACCEPTED: v16.ConfigurationStatus.Accepted,
    Status.REBOOT_REQUIRED: v16.ConfigurationStatus.RebootRequired,
    Status.UNKNOWN_VARIABLE: v16.ConfigurationStatus.NotSupported,
    Status.UNKNOWN_COMPONENT: v16.ConfigurationStatus.NotSupported,
}


class ConfigurationKeys(Block):
    """The configuration of a station that speaks OCPP 1.6."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        keys = station.variables.keys
        self.configuration = Configuration(station.variables) if keys is None else keys

    @answers(v16.GetConfigurationRequest)
    def get(self, request: v16.GetConfigurationRequest) -> v16.GetConfigurationResponse:
        """Return the keys that are asked for; no list, or an empty one, asks for all of them."""
        if not request.key:
            return v16.GetConfigurationResponse(configuration_key=[_shown(state) for state in self.configuration])
        states = {name: self.configuration.read(name) for name in request.key}
        return v16.GetConfigurationResponse(
            configuration_key=[_shown(state) for state in states.values() if state is not None] or None,
            unknown_key=[name for name, state in states.items() if state is None] or None,
        )

    @answers(v16.ChangeConfigurationRequest)
    def change(self, request: v16.ChangeConfigurationRequest) -> v16.ChangeConfigurationResponse:
        """Set a key: NotSupported for one that is not known, Rejected for a value that it does not take."""
        status, _ = self.configuration.write(request.key, request.value, CSMS)
        return v16.ChangeConfigurationResponse(status=_STATUS.get(status, v16.ConfigurationStatus.Rejected))


def _shown(state: KeyState) -> v16.KeyValue:
    value = None if state.value is None else state.value[:VALUE_LIMIT]
    return v16.KeyValue(key=state.name, readonly=state.read_only, value=value)
