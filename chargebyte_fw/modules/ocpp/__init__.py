"""OCPP 1.6, 2.0.1 and 2.1 on the station's side: EVerest's modules `OCPP`, `OCPP201` and `OCPPmulti` on one core.

| package | job |
| --- | --- |
| `messages` | every message of each version, declared once |
| `rpc`, `queue`, `connection` | frames, what waits to be sent, the way to a CSMS; pure, `link` opens the WebSocket |
| `station` | what functional blocks are and how they meet the queue and the stack |
| `variables` | the device model, and OCPP 1.6's keys as a view of it |
| `transactions`, `authorization`, `smart_charging`, `availability`, ... | the functional blocks |

A functional block is one package. What both generations share stands in it once; `v16.py` and `v2.py` have what
differs.
The modules belong to group `cloud`: a car charges without them.
"""
