"""EVerest's MQTT protocol: tools of others look in and call commands as if each module were a process of its own."""
