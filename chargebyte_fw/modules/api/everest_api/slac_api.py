"""slac_API: a client of MQTT is the charger's powerline modem."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from chargebyte_fw.contracts.interfaces.slac import Slac
from chargebyte_fw.contracts.types.slac import State
from chargebyte_fw.kernel.module import provides
from chargebyte_fw.modules.api.everest_api.bridge import Bridge
from chargebyte_fw.modules.api.everest_api.driver import Send, driven_by_client

MAC = Annotated[str, Meta(pattern=r"^[A-F0-9]{2}(:[A-F0-9]{2}){5}$")]


class slac_API(Bridge):
    """A client of MQTT is the charger's side of SLAC."""

    api_type = "slac"
    errors_at = ("main",)

    main = provides(
        driven_by_client(Slac, {name: Send(name) for name in Slac.commands}), description="The charger's modem."
    )

    def open(self) -> None:
        """Declare what the modem reports."""
        self.take("state", State, self.main.state.publish)
        self.take("dlink_ready", bool, self.main.dlink_ready.publish)
        self.take("request_error_routine", None, lambda _: self.main.request_error_routine.publish(None))
        self.take("ev_mac_address", MAC, self.main.ev_mac_address.publish)
