"""Rates of the simulated power stage and insulation monitor."""

PUBLISH_INTERVAL_S = 0.5
"""Measured values are published at least this often."""
RAMP_STEP_S = 0.05
"""While the output moves, measured values are published this often."""
VOLTAGE_SLEW_V_PER_S = 4000.0
CURRENT_SLEW_A_PER_S = 200.0
SELF_TEST_S = 3.0
"""How long the self test of the insulation monitor takes."""
