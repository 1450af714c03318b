"""DER control of OCPP 2.1: what the grid operator wants of stations and cars that feed in (functional block R).

`controls` decides which control holds when several compete, `rules` which are taken at all, `conversion` makes them
directives for the module that provides `grid_support`; `v2.py` is the block.
"""
