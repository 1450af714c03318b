"""What differs between firmware generations, each written as its difference; chosen once from FW_VERSION.

Which text belongs to which firmware is published only in part: the contactor bits changed after 0.2.5 (the only texts
without an HVSWITCH module are of that age), the plug lock came with parameter block version 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chargebyte_fw.board import mcu_errors, messages, messages_mcs
from chargebyte_fw.board.declare import Message, OpenEnum, Sender, bits, declared
from chargebyte_fw.board.framing import Frame
from chargebyte_fw.board.messages import (
    ChargeState,
    CpState,
    EstopState,
    FirmwareVersion,
    PpState,
    RcmState,
    SafeStateActive,
    SafeStateReason,
)
