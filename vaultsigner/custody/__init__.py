"""The only place where keys exist: its own hardened process, and the client that talks to it."""
