"""Authorization: the local list, the cache, and the order in which they and the CSMS are asked (functional block C).

`Known` is what an answer of the CSMS has about a token, in either generation; `cache` and `local_list` keep it.
`v16.py` and `v2.py` are the blocks.
"""

from chargebyte_fw.modules.ocpp.authorization.known import Known, folded

__all__ = ["Known", "folded"]
