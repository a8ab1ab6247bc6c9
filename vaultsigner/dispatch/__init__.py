"""Talking to chain nodes: only those that config names."""
