"""Stands in for pywallet, whose own requirements no longer build; the signing clients import it but never use it."""
