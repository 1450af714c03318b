"""TLS between car and charger."""
