"""The status of a charger: what it answers about itself, and the picture that a tool makes of it, over any carrier."""
