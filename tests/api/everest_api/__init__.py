"""Tests of EVerest's API modules."""
