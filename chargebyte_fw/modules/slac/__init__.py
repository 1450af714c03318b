"""SLAC (ISO 15118-3): find the car at the other end of this very cable and share a network key with it."""
