"""Texts for the display, prices and costs (functional blocks I and O; California Pricing of 1.6)."""
