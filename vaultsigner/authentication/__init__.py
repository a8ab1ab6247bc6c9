"""Who is asking: passwords and access tokens. Pure; reads no clock and holds no private key."""
