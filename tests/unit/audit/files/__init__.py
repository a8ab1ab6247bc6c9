"""Tests of vaultsigner.audit.files."""
