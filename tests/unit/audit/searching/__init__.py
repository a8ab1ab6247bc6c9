"""Tests of vaultsigner.audit.searching."""
