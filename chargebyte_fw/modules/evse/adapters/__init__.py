"""Between the machines and the module's interfaces: what comes in becomes an event, what goes out is an effect."""
