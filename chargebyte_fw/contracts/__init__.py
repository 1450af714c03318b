"""The language of the house: EVerest's interfaces, types and errors, declared once, typed."""
