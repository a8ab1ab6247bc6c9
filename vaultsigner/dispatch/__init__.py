"""Talking to chain nodes and exchanges: only those that config names."""
