"""The RPC layer of OCPP-J: text in, events out; what is sent is text. It opens nothing and reads no clock."""
