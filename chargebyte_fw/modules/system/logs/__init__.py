"""The logs of the charger, for diagnosis: gathered, bounded, packed into one archive."""
