"""Between a station and the stack: commands and variables out, facts and requests in. Every OCPP module uses them."""
