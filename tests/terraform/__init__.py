"""terraform/: what it plans, and what it makes at an AWS stand-in."""
