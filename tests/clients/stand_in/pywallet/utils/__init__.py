"""Holds bip32."""
