"""Tests of vaultsigner.audit.verifying."""
