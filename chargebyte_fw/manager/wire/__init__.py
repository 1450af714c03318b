"""EVerest's MQTT protocol: tools and programs use the modules as if each were a process of its own."""
