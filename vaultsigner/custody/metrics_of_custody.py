"""What custody tells of itself when it is asked for its numbers. Vault is not asked for any of them."""

import resource
import time

from vaultsigner.custody.metrics_protocol import CustodyMetrics
from vaultsigner.custody.vault.metrics import MeasuredPool
from vaultsigner.custody.vault.reader import VaultReader
from vaultsigner.custody.vault_token.token_source import Keeper

_STARTED_AT_SECONDS = time.time()
_BYTES_PER_KILOBYTE = 1024


def measured(pool: MeasuredPool, reader: VaultReader, token_keeper: Keeper) -> CustodyMetrics:
    """The numbers of this moment. ru_maxrss is in kilobytes (getrusage(2))."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return CustodyMetrics(
        started_at_seconds=_STARTED_AT_SECONDS,
        cpu_seconds=used.ru_utime + used.ru_stime,
        peak_memory_bytes=used.ru_maxrss * _BYTES_PER_KILOBYTE,
        token_ttl_seconds=token_keeper.ttl_seconds,
        vault_reads=reader.reads,
        vault_connections=pool.connections,
        vault_outcomes=pool.outcomes(),
        vault_times=pool.times(),
    )
