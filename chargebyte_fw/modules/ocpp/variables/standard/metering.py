"""AlignedDataCtrlr and SampledDataCtrlr: which meter values are sent, and when."""

from __future__ import annotations

from chargebyte_fw.modules.ocpp.variables.declaration import RO, Component

ENERGY = "Energy.Active.Import.Register"

MEASURANDS = (
    "Current.Export",
    "Current.Import",
    "Current.Offered",
    "Display.BatteryEnergyCapacity",
    "Display.ChargingComplete",
    "Display.MaximumSOC",
    "Display.MinimumSOC",
    "Display.PresentSOC",
    "Display.RemainingTimeToTargetSOC",
    "Display.TargetSOC",
    "Energy.Active.Export.Interval",
    "Energy.Active.Export.Register",
    "Energy.Active.Import.Interval",
    "Energy.Active.Import.Register",
    "Energy.Active.Net",
    "Energy.Apparent.Export",
    "Energy.Apparent.Import",
    "Energy.Apparent.Net",
    "Energy.Reactive.Export.Interval",
    "Energy.Reactive.Export.Register",
    "Energy.Reactive.Import.Interval",
    "Energy.Reactive.Import.Register",
    "Energy.Reactive.Net",
    "Frequency",
    "Power.Active.Export",
    "Power.Active.Import",
    "Power.Active.Setpoint",
    "Power.Factor",
    "Power.Offered",
    "Power.Reactive.Export",
    "Power.Reactive.Import",
    "SoC",
    "Temperature",
    "Voltage",
)
"""Measurands that a configuration may ask for: MeasurandEnumType of 2.0.1 and 1.6, and what 2.1 adds of the EV.

The values list of a report has at most 1000 characters.
"""

ALIGNED_DATA = Component("AlignedDataCtrlr")

ALIGNED_DATA_ENABLED = ALIGNED_DATA.boolean(
    "Enabled", True, absent=True, meaning="Clock-aligned meter values are sent."
)
ALIGNED_DATA_AVAILABLE = ALIGNED_DATA.boolean("Available", True, mutability=RO, meaning="They are supported.")
ALIGNED_DATA_INTERVAL = ALIGNED_DATA.integer(
    "Interval", 900, unit="s", minimum=0, required=True, meaning="Time between them, aligned to midnight UTC; 0: none."
)
ALIGNED_DATA_MEASURANDS = ALIGNED_DATA.members(
    "Measurands", (ENERGY, "Voltage"), values=MEASURANDS, required=True, meaning="Measurands outside transactions."
)
ALIGNED_DATA_SEND_DURING_IDLE = ALIGNED_DATA.boolean(
    "SendDuringIdle", False, meaning="Send them only while there is no transaction."
)
ALIGNED_DATA_SIGN_READINGS = ALIGNED_DATA.boolean(
    "SignReadings", False, meaning="Send them signed, where the meter signs."
)
ALIGNED_DATA_TX_ENDED_INTERVAL = ALIGNED_DATA.integer(
    "TxEndedInterval", 60, unit="s", minimum=0, required=True, meaning="Time between values that are kept for the end."
)
ALIGNED_DATA_TX_ENDED_MEASURANDS = ALIGNED_DATA.members(
    "TxEndedMeasurands", (ENERGY,), values=MEASURANDS, required=True, meaning="Measurands kept for the end."
)
ALIGNED_DATA_UPSTREAM_INTERVAL = ALIGNED_DATA.integer(
    "UpstreamInterval", unit="s", minimum=0, since="2.1", shipped=False, meaning="Time between values of a grid meter."
)
ALIGNED_DATA_UPSTREAM_MEASURANDS = ALIGNED_DATA.members(
    "UpstreamMeasurands", values=MEASURANDS, since="2.1", shipped=False, meaning="Measurands of a grid meter."
)

SAMPLED_DATA = Component("SampledDataCtrlr")

SAMPLED_DATA_AVAILABLE = SAMPLED_DATA.boolean(
    "Available", True, mutability=RO, meaning="Sampled meter values are supported."
)
SAMPLED_DATA_ENABLED = SAMPLED_DATA.boolean("Enabled", True, absent=True, meaning="Sampled meter values are sent.")
SAMPLED_DATA_SIGN_READINGS = SAMPLED_DATA.boolean("SignReadings", meaning="Send them signed, where the meter signs.")
SAMPLED_DATA_SIGN_STARTED_READINGS = SAMPLED_DATA.boolean(
    "SignStartedReadings", since="2.1", shipped=False, meaning="Send the value of the start signed."
)
SAMPLED_DATA_SIGN_UPDATED_READINGS = SAMPLED_DATA.boolean(
    "SignUpdatedReadings", since="2.1", shipped=False, meaning="Send the values between start and end signed."
)
SAMPLED_DATA_TX_ENDED_INTERVAL = SAMPLED_DATA.integer(
    "TxEndedInterval", 60, unit="s", minimum=0, required=True, meaning="Time between values that are kept for the end."
)
SAMPLED_DATA_TX_ENDED_MEASURANDS = SAMPLED_DATA.members(
    "TxEndedMeasurands", (ENERGY, "Current.Import"), values=MEASURANDS, required=True, meaning="Measurands of the end."
)
SAMPLED_DATA_TX_STARTED_MEASURANDS = SAMPLED_DATA.members(
    "TxStartedMeasurands",
    (ENERGY, "Current.Import"),
    values=MEASURANDS,
    required=True,
    meaning="Measurands of the start.",
)
SAMPLED_DATA_TX_UPDATED_INTERVAL = SAMPLED_DATA.integer(
    "TxUpdatedInterval",
    120,
    unit="s",
    minimum=0,
    required=True,
    meaning="Time between values of a transaction; 0: none.",
)
SAMPLED_DATA_TX_UPDATED_MEASURANDS = SAMPLED_DATA.members(
    "TxUpdatedMeasurands",
    (ENERGY, "Current.Import", "Voltage", "Power.Active.Import", "Power.Reactive.Import", "Frequency", "SoC"),
    values=MEASURANDS,
    required=True,
    meaning="Measurands of a transaction.",
)
SAMPLED_DATA_REGISTER_VALUES_WITHOUT_PHASES = SAMPLED_DATA.boolean(
    "RegisterValuesWithoutPhases", meaning="Send registers as the sum of the phases alone."
)

COMPONENTS = (ALIGNED_DATA, SAMPLED_DATA)
