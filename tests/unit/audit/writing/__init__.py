"""Tests of vaultsigner.audit.writing."""
