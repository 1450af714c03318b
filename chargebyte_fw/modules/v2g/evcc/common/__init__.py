"""What the sessions of DIN SPEC 70121 and ISO 15118-2 have in common on the side of the car."""
