"""The manager: configuration, discovery, life, MQTT, wire."""
