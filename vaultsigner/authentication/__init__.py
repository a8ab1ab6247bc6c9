"""Who is asking: passwords, access tokens, signed requests, Open API tokens. Pure; reads no clock and holds no private key."""
