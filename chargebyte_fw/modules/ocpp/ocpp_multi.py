"""OCPPmulti: a charging station of OCPP 1.6 or 2.x, as `Mode` has it, with one device model (EVerest module OCPPmulti)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from chargebyte_fw.contracts.interfaces.auth import Auth
from chargebyte_fw.contracts.interfaces.charger_information import ChargerInformation
from chargebyte_fw.contracts.interfaces.display_message import DisplayMessage
from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.interfaces.evse_security import EvseSecurity
from chargebyte_fw.contracts.interfaces.external_energy_limits import ExternalEnergyLimits
from chargebyte_fw.contracts.interfaces.grid_support import GridSupport
from chargebyte_fw.contracts.interfaces.iso15118_extensions import Iso15118Extensions
from chargebyte_fw.contracts.interfaces.ocpp_data_transfer import OcppDataTransfer
from chargebyte_fw.contracts.interfaces.reservation import Reservation
from chargebyte_fw.contracts.interfaces.system import System
from chargebyte_fw.kernel.module import provides, requires, requires_many, requires_optional
from chargebyte_fw.modules.ocpp.adapters.module import OcppModule
from chargebyte_fw.modules.ocpp.adapters.provided import Cost, Generic, Provider, Transfer, Validator
from chargebyte_fw.modules.ocpp.connection.network import Network
from chargebyte_fw.modules.ocpp.ocpp201 import Ocpp201Config
