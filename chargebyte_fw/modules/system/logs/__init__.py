"""What the charger tells of itself for diagnosis: gathered, bounded, packed into one archive."""
