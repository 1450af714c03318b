"""DummyV2G: a V2G stack without cars."""

from __future__ import annotations

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.kernel.module import Module, provides
from chargebyte_fw.sim.idle import idle


class DummyV2G(Module):
    """Takes the place of a V2G stack where no car communicates: its commands do nothing."""

    main = provides(idle(Iso15118Charger, update_supported_app_protocols=True), description="No V2G stack.")
