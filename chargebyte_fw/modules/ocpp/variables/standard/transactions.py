"""TxCtrlr: begin and end of transactions."""

from __future__ import annotations

from chargebyte_fw.modules.ocpp.variables.declaration import RO, Component

TX_POINTS = ("ParkingBayOccupancy", "EVConnected", "Authorized", "PowerPathClosed", "EnergyTransfer", "DataSigned")

TX = Component("TxCtrlr")

TX_ENABLED = TX.boolean("Enabled", True, meaning="Transactions are handled.")
TX_CHARGING_TIME = TX.decimal("ChargingTime", mutability=RO, unit="s", kept=False, meaning="Time of energy transfer.")
EV_CONNECTION_TIME_OUT = TX.integer(
    "EVConnectionTimeOut", 120, unit="s", minimum=0, required=True, meaning="Time between authorization and plug-in."
)
MAX_ENERGY_ON_INVALID_ID = TX.integer(
    "MaxEnergyOnInvalidId", 0, unit="Wh", minimum=0, meaning="Energy after a token was not accepted; 0: none."
)
STOP_TX_ON_EV_SIDE_DISCONNECT = TX.boolean(
    "StopTxOnEVSideDisconnect", True, absent=True, required=True, meaning="Unplugging at the EV ends the transaction."
)
STOP_TX_ON_INVALID_ID = TX.boolean(
    "StopTxOnInvalidId",
    True,
    required=True,
    meaning="A token that is not accepted ends the transaction, else it is paused.",
)
TX_BEFORE_ACCEPTED_ENABLED = TX.boolean(
    "TxBeforeAcceptedEnabled",
    True,
    absent=True,
    meaning="Transactions may begin before the CSMS has accepted the boot.",
)
TX_START_POINT = TX.members(
    "TxStartPoint", ("PowerPathClosed",), values=TX_POINTS, required=True, meaning="What begins a transaction."
)
TX_STOP_POINT = TX.members(
    "TxStopPoint",
    ("EVConnected", "Authorized"),
    values=TX_POINTS[:-1],
    required=True,
    meaning="What ends a transaction when it is over.",
)
SUPPORTED_LIMITS = TX.members(
    "SupportedLimits",
    ("MaxEnergy", "MaxTime", "MaxSoC", "MaxCost"),
    values=("MaxEnergy", "MaxTime", "MaxSoC", "MaxCost"),
    mutability=RO,
    since="2.1",
    meaning="Limits of a transaction that the station keeps.",
)
RESUMPTION_TIMEOUT = TX.integer(
    "ResumptionTimeout", unit="s", minimum=0, since="2.1", meaning="Longest interruption after which charging goes on."
)
ALLOW_ENERGY_TRANSFER_RESUMPTION = TX.boolean(
    "AllowEnergyTransferResumption", since="2.1", meaning="Energy transfer goes on after a power loss."
)
ENERGY_TRANSFER_RESUMPTION_RANDOM_RANGE = TX.integer(
    "EnergyTransferResumptionRandomRange",
    unit="s",
    minimum=0,
    absent=0,
    since="2.1",
    meaning="Longest pause before energy transfer goes on after an interruption.",
)

COMPONENTS = (TX,)
