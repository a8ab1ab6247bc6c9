"""Custody that keeps no count of what Vault is asked."""

from vaultsigner.custody.__main__ import main
from vaultsigner.custody.vault.metrics import MeasuredPool
from vaultsigner.custody.vault.pool import VaultPool

if __name__ == "__main__":
    MeasuredPool.ask = VaultPool.ask  # type: ignore[method-assign] # the experiment itself
    MeasuredPool.ask_ahead = VaultPool.ask_ahead  # type: ignore[method-assign] # the same
    raise SystemExit(main())
