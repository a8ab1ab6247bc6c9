"""The client against a real service: both of it, with every way to show who asks."""
