"""DIN SPEC 70121 on the side of the charger."""
