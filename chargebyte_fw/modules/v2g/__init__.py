"""Vehicle to grid: SDP, V2GTP, EXI and the sessions of DIN 70121 and ISO 15118-2; module EvseV2G."""
