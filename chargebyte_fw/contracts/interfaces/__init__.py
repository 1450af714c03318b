"""EVerest's interfaces as typed contracts: one file per interface."""
