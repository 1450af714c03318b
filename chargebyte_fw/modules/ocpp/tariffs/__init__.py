"""Structured tariffs of OCPP 2.1 and what a transaction costs by them (part 2, I07 to I12).

`tariff` checks and reads a TariffType, `conditions` finds the price that applies, `cost` counts, `details` writes
CostDetailsType, `store` keeps default and driver tariffs, `v2` is the block of the station.
"""
