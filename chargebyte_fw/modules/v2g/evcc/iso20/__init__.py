"""ISO 15118-20 on the side of the car: AC, DC and megawatt charging, also in both directions."""
