"""Network of OCPP 2.x: slots, which SetNetworkProfile and SetVariables fill (B09, B10)."""

from __future__ import annotations

from functools import partial
from typing import Any

from chargebyte_fw.modules.ocpp.connection.configured import priority, profile, slots
from chargebyte_fw.modules.ocpp.connection.network import CSMS, Network
from chargebyte_fw.modules.ocpp.connection.settings import Profile, shortcoming
from chargebyte_fw.modules.ocpp.messages.v2.provisioning import (
    NetworkConnectionProfileType,
    SetNetworkProfileRequest,
    SetNetworkProfileResponse,
    SetNetworkProfileStatusEnumType,
)
from chargebyte_fw.modules.ocpp.messages.v2.types.common import StatusInfoType
from chargebyte_fw.modules.ocpp.provisioning.events import SecurityEventRaised
from chargebyte_fw.modules.ocpp.station import Station, answers
from chargebyte_fw.modules.ocpp.variables import Variable
from chargebyte_fw.modules.ocpp.variables.model import Change
from chargebyte_fw.modules.ocpp.variables.standard import communication as comm

OF_A_PROFILE: tuple[Variable[Any], ...] = (
    comm.NETWORK_URL,
    comm.NETWORK_SECURITY_PROFILE,
    comm.NETWORK_IDENTITY,
    comm.NETWORK_BASIC_AUTH_PASSWORD,
)
"""What makes a slot a profile; without them it is free."""


class Network2(Network):
    """The same for 2.x: slots, which SetNetworkProfile and SetVariables fill (B09, B10)."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        station.variables.guard(comm.NETWORK_CONFIGURATION_PRIORITY, self._check_priority)
        for slot in slots(station.variables):
            for variable in comm.NETWORK.declared:
                station.variables.guard(variable.at(slot=slot), partial(self._check_slot, slot, variable.id.name))

    def password_changed(self, change: Change) -> None:
        """A new password for every slot takes the place of that of the slot in use."""
        if not change.entry.id.component.instance and self.slot is not None:
            self.station.variables.clear(comm.NETWORK_BASIC_AUTH_PASSWORD.at(slot=self.slot))
        super().password_changed(change)

    def remove_lower(self) -> None:
        """Remove profiles below the security profile that a CSMS has accepted, unless it may go back ([A05.FR.06])."""
        variables = self.station.variables
        found = {slot: profile(variables, slot, self.station.version) for slot in slots(variables)}
        lower = {slot for slot, one in found.items() if one is not None and self._is_downgrade(one.security_profile)}
        for slot in lower:
            for variable in OF_A_PROFILE:
                variables.clear(variable.at(slot=slot))
        if lower & set(priority(variables)):
            left = tuple(str(slot) for slot in priority(variables) if slot not in lower)
            variables.set(comm.NETWORK_CONFIGURATION_PRIORITY, left)

    def _check_priority(self, text: str) -> str:
        """Every slot that is listed must be complete (B09.FR.02)."""
        listed = [part.strip() for part in text.split(",")]
        if not all(part.isdecimal() for part in listed):
            return "InvalidNetworkConf"
        for slot in map(int, listed):
            known = profile(self.station.variables, slot, self.station.version)
            if known is None or self._fault(known):
                return "InvalidNetworkConf"
            if known.security_profile == 1 < self.station.variables.get(comm.SECURITY_PROFILE):
                return "NoSecurityDowngrade"  # [A05.FR.09]
        return ""

    def _check_slot(self, slot: int, name: str, text: str) -> str:
        """A slot that is in use, or may be at any time, is not changed piece by piece."""
        if slot == self.slot or slot in priority(self.station.variables):
            return "PriorityNetworkConf"
        if name == comm.NETWORK_SECURITY_PROFILE.id.name and text.isdecimal():
            if self._is_downgrade(int(text)):
                return "NoSecurityDowngrade"
            if self._lacks(int(text)):
                return "InvalidNetworkConf"
        return ""

    def _is_downgrade(self, security_profile: int) -> bool:
        active = self.station.variables.get(comm.SECURITY_PROFILE)
        if security_profile >= active:
            return False
        may = self.station.variables.get(comm.ALLOW_SECURITY_PROFILE_DOWNGRADE)
        return not may or (active >= 2 > security_profile)  # never from TLS to a connection without

    def _lacks(self, security_profile: int) -> bool:
        known = self.credentials
        return (security_profile >= 2 and not known.csms_root) or (
            security_profile == 3 and not known.client_certificate
        )

    def _fault(self, one: Profile) -> str:
        """Return why a profile cannot be used (ocpp.md 4.1, slot rules)."""
        scheme = one.url.partition("://")[0].lower()
        if scheme not in ("ws", "wss") or (scheme == "wss") != (one.security_profile >= 2):
            return f"{one.url} does not fit to security profile {one.security_profile}"
        if self._lacks(one.security_profile):
            return f"a certificate for security profile {one.security_profile} is not installed"
        return shortcoming(one, self.settings(), self.credentials)

    @answers(SetNetworkProfileRequest)
    def set_network_profile(self, request: SetNetworkProfileRequest) -> SetNetworkProfileResponse:
        """Fill a slot as a whole (B09)."""
        slot, data = request.configuration_slot, request.connection_data
        if slot not in slots(self.station.variables):
            return _refused("InvalidConfSlot", f"there is no slot {slot}")
        if self._is_downgrade(data.security_profile):
            return _refused("NoSecurityDowngrade", f"security profile {data.security_profile}")
        known = profile(self.station.variables, slot, self.station.version)
        password = data.basic_auth_password or self.station.variables.find(comm.BASIC_AUTH_PASSWORD) or ""
        wanted = Profile(
            slot,
            data.ocpp_csms_url,
            data.identity or self.station.variables.get(comm.IDENTITY) or "",
            data.security_profile,
            password.encode() or (known.password if known is not None else None),
            transport=data.ocpp_transport.value,
        )
        if fault := self._fault(wanted):
            return _refused("InvalidNetworkConf", fault)
        self._store(slot, data)
        self.station.notify(SecurityEventRaised("ReconfigurationOfSecurityParameters", f"NetworkConfiguration {slot}"))
        return SetNetworkProfileResponse(status=SetNetworkProfileStatusEnumType.Accepted)

    def _store(self, slot: int, data: NetworkConnectionProfileType) -> None:
        variables = self.station.variables
        variables.set(comm.NETWORK_URL.at(slot=slot), data.ocpp_csms_url, CSMS)
        variables.set(comm.NETWORK_SECURITY_PROFILE.at(slot=slot), data.security_profile, CSMS)
        variables.set(comm.NETWORK_INTERFACE.at(slot=slot), data.ocpp_interface.value, CSMS)
        variables.set(comm.NETWORK_TRANSPORT.at(slot=slot), data.ocpp_transport.value, CSMS)
        variables.set(comm.NETWORK_MESSAGE_TIMEOUT.at(slot=slot), data.message_timeout_s, CSMS)
        if data.ocpp_version is not None:
            variables.set(comm.NETWORK_OCPP_VERSION.at(slot=slot), data.ocpp_version.value, CSMS)
        if data.identity is not None:
            variables.set(comm.NETWORK_IDENTITY.at(slot=slot), data.identity, CSMS)
        if data.basic_auth_password is not None:
            variables.set(comm.NETWORK_BASIC_AUTH_PASSWORD.at(slot=slot), data.basic_auth_password, CSMS)
        variables.set(comm.NETWORK_APN_ENABLED.at(slot=slot), data.apn is not None, CSMS)
        variables.set(comm.NETWORK_VPN_ENABLED.at(slot=slot), data.vpn is not None, CSMS)
        if data.apn is not None:
            variables.set(comm.NETWORK_APN.at(slot=slot), data.apn.apn, CSMS)
            variables.set(comm.NETWORK_APN_AUTHENTICATION.at(slot=slot), data.apn.apn_authentication.value, CSMS)
            if data.apn.apn_user_name is not None:
                variables.set(comm.NETWORK_APN_USER_NAME.at(slot=slot), data.apn.apn_user_name, CSMS)
            if data.apn.apn_password is not None:
                variables.set(comm.NETWORK_APN_PASSWORD.at(slot=slot), data.apn.apn_password, CSMS)
        if data.vpn is not None:
            variables.set(comm.NETWORK_VPN_SERVER.at(slot=slot), data.vpn.server, CSMS)
            variables.set(comm.NETWORK_VPN_USER.at(slot=slot), data.vpn.user, CSMS)
            variables.set(comm.NETWORK_VPN_PASSWORD.at(slot=slot), data.vpn.password, CSMS)
            variables.set(comm.NETWORK_VPN_KEY.at(slot=slot), data.vpn.key, CSMS)
            variables.set(comm.NETWORK_VPN_TYPE.at(slot=slot), data.vpn.type.value, CSMS)


def _refused(code: str, text: str) -> SetNetworkProfileResponse:
    info = StatusInfoType(reason_code=code, additional_info=text[:1024])
    return SetNetworkProfileResponse(status=SetNetworkProfileStatusEnumType.Rejected, status_info=info)
