"""Thin endpoints: unpack, ask, pack."""
