"""The HTTP layer's pure parts."""
