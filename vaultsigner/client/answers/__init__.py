"""What the service answers, as frozen dataclasses, one module for each family of routes."""
