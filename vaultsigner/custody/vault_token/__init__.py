"""How custody comes by its Vault token and keeps it: out of a file, or by logging in; and what of it outlives a crash."""
