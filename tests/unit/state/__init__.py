"""Tests of the state engines, one engine a module; what all engines promise is in tests/contract/state."""
