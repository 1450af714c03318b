"""Network of OCPP 1.6: one slot, whose security profile the CSMS may raise (security white paper A05)."""

from __future__ import annotations

from functools import partial

from chargebyte_fw.modules.ocpp.connection.configured import profile
from chargebyte_fw.modules.ocpp.connection.network import CSMS, Network
from chargebyte_fw.modules.ocpp.connection.settings import ConnectionSettings, shortcoming, with_security_profile
from chargebyte_fw.modules.ocpp.station import Station, events, receives
from chargebyte_fw.modules.ocpp.station import effects as do
from chargebyte_fw.modules.ocpp.variables import Variable
from chargebyte_fw.modules.ocpp.variables.model import Change
from chargebyte_fw.modules.ocpp.variables.standard import communication as comm
from chargebyte_fw.modules.ocpp.variables.standard.legacy import SWITCH_SECURITY_PROFILE_TIMEOUT

TABLE, KEY = "SECURITY_PROFILE", "former"
"""Kept while another security profile is being tried: one that cannot connect must not outlive a power loss."""


class Network16(Network):
    """The same for 1.6: one slot, whose security profile the CSMS may raise."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._former: int | None = None

    @property
    def _variable(self) -> Variable[int]:
        return comm.NETWORK_SECURITY_PROFILE.at(slot=self.options.slot_16)

    @receives(events.Loaded)
    def loaded(self, event: events.Loaded) -> None:
        """Use the former security profile where the last run ended while another one was being tried."""
        self.station.variables.guard(self._variable, self._check)
        data = event.tables.get(TABLE, {}).get(KEY)
        if data is not None:
            former = int(data) if data.isdigit() else 0
            self.station.variables.set(self._variable, former)
            self.station.save(TABLE, KEY, None)

    def _check(self, text: str) -> str:
        """A security profile needs its preconditions; without them ChangeConfiguration is rejected (security A05)."""
        known = profile(self.station.variables, self.options.slot_16, self.station.version)
        if known is None or not text.isdecimal():
            return ""
        return shortcoming(with_security_profile(known, int(text)), self.settings(), self.credentials)

    def settings(self) -> ConnectionSettings:
        """Return the settings; while the security profile is being switched, with the former one."""
        found = super().settings()
        one = found.profiles.get(self.options.slot_16)
        if self._former is None or one is None:
            return found
        return found.with_profile(with_security_profile(one, self._former))

    def _changed(self, change: Change) -> None:
        if (
            change.source == CSMS
            and change.entry.id.folded == self._variable.id.folded
            and change.attribute == "Actual"
        ):
            self._former = self.security_profile
            self.station.save(TABLE, KEY, self._former)
            self.station.after_answer(partial(self._switch, int(change.after or 0)))
        super()._changed(change)

    def _switch(self, security_profile: int) -> None:
        timeout_s = float(self.station.variables.get(SWITCH_SECURITY_PROFILE_TIMEOUT))
        self.station.effect(do.SwitchSecurityProfile(security_profile, timeout_s))

    @receives(events.SecurityProfileSwitched)
    def switched(self, event: events.SecurityProfileSwitched) -> None:
        """Keep the new security profile, or go back to the former one."""
        self._former = None
        self.station.save(TABLE, KEY, None)
        if not event.succeeded:
            self.station.variables.set(self._variable, event.security_profile)
        self._configure()
