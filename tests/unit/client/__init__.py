"""The client without a service: what it signs, what it tries again, what it shows."""
