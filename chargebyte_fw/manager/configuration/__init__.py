"""The configuration: EVerest's YAML read with places, overlaid, checked as a whole, turned into module plans."""
