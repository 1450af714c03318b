"""Power supplies, power meters and insulation monitors."""
