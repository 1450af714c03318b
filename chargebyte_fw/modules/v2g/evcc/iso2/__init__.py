"""ISO 15118-2 on the side of the car."""
