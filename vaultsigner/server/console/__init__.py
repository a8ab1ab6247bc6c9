"""The console at /console: pages for auditors and operators. Owns what is served there; knows nothing of what the API answers."""
