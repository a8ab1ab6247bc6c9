"""vaultsigner: a remote signer whose keys stay in Vault and whose every answer is on the record."""

__version__ = "0.1.0"
