"""Suites that several implementations of one interface run through."""
