"""ev_board_support_API: a client of MQTT is the board of a car."""

from __future__ import annotations

from chargebyte_fw.contracts.interfaces.ev_board_support import EvBoardSupport
from chargebyte_fw.contracts.types.board_support_common import BspEvent, BspMeasurement
from chargebyte_fw.contracts.types.evse_manager import EVInfo
from chargebyte_fw.kernel.module import provides
from chargebyte_fw.modules.api.everest_api.bridge import Bridge
from chargebyte_fw.modules.api.everest_api.driver import Send, driven_by_client


class ev_board_support_API(Bridge):
    """A client of MQTT is the board of a car."""

    api_type = "ev_board_support"
    errors_at = ("main",)

    main = provides(
        driven_by_client(EvBoardSupport, {name: Send(name) for name in EvBoardSupport.commands}),
        description="The board.",
    )

    def open(self) -> None:
        """Declare what the board reports."""
        self.take("bsp_event", BspEvent, self.main.bsp_event.publish)
        self.take("bsp_measurement", BspMeasurement, self.main.bsp_measurement.publish)
        self.take("ev_info", EVInfo, self.main.ev_info.publish)
