"""Checkpoints of the record are signed here, with a Transit key that signs nothing else.

Custody remembers the last state of each chain that it signed, and signs a later one only once it is proved that the chain grew
from there. So whoever takes the server over cannot have a rewritten record signed while custody runs.
"""

import asyncio
import time
from collections.abc import Callable

from vaultsigner.config.settings import TransitReference
from vaultsigner.custody.checkpoint_protocol import CheckpointSigned, ProofNeeded, SignCheckpointRequest
from vaultsigner.custody.vault.calls import ed25519_keys, transit_sign
from vaultsigner.custody.vault.pool import VaultPool
from vaultsigner.domain.checkpoints import KEY_NAME, Checkpoint, SignedCheckpoint, consistent
from vaultsigner.domain.signed_notes import NoteError, VerifierKey, sign_note
from vaultsigner.errors import CustodyError

FURTHEST_AHEAD_US = 600_000_000
MOST_CHAINS = 1_000
"""A directory has as many as there were processes at one time. To forget one would be to sign another history of it."""


class CheckpointSigner:
    """Signs checkpoints.

    Args:
        key: None: there is no such key in the configuration, and nothing is signed.
        clock_us: microseconds since 1970.
    """

    def __init__(
        self,
        key: TransitReference | None,
        pool: VaultPool,
        clock_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._key = key
        self._pool = pool
        self._clock_us = clock_us
        self._signed: dict[str, Checkpoint] = {}
        # One at a time: two that grow from the same state could be two histories.
        self._turn = asyncio.Lock()

    async def keys(self) -> tuple[VerifierKey, ...]:
        """The keys by which checkpoints are checked, the newest last; none where none is configured.

        Raises:
            CustodyError: Vault cannot be asked, or has no such key.
        """
        if self._key is None:
            return ()
        keys = await ed25519_keys(self._pool, self._key)
        return tuple(VerifierKey(KEY_NAME, public_key) for public_key in keys.values())

    async def sign(self, request: SignCheckpointRequest) -> CheckpointSigned | ProofNeeded:
        """Sign a chain's state, if it grew from the last one that was signed.

        Raises:
            CustodyError: there is no key; Vault cannot be asked; or the chain is another than the one that was signed
                (`checkpoint_forked`): somebody wrote it anew.
        """
        if self._key is None:
            raise CustodyError("checkpoint_key_missing", "audit.checkpoint_key is not in the configuration")
        async with self._turn:
            time_us = self._time_us(request)
            checkpoint = Checkpoint(request.chain, request.size, request.root, request.head, time_us)
            needed = self._check(checkpoint, request)
            if needed is not None:
                return needed
            signed = await self._sign(self._key, checkpoint)
            self._signed[checkpoint.chain] = checkpoint
        return signed

    def _time_us(self, request: SignCheckpointRequest) -> int:
        """Of a chain it never goes back, as the records' own does not; the server's word counts within ten minutes."""
        now_us, last = self._clock_us(), self._signed.get(request.chain)
        asked_us = request.not_before_us if request.not_before_us <= now_us + FURTHEST_AHEAD_US else 0
        return max(now_us, asked_us, last.time_us if last is not None else 0)

    def _check(self, checkpoint: Checkpoint, request: SignCheckpointRequest) -> ProofNeeded | None:
        last = self._signed.get(checkpoint.chain)
        if last is None and len(self._signed) >= MOST_CHAINS:
            raise CustodyError(
                "too_many_chains",
                f"custody has signed {MOST_CHAINS} chains of the record since it started, and takes no other: restart it, "
                "and find out where they come from",
            )
        if last is None:
            return None
        if checkpoint.size < last.size:
            raise _forked(
                checkpoint,
                f"it had {last.size} records when it was signed last, and has {checkpoint.size} now",
            )
        if checkpoint.size == last.size:
            if (checkpoint.root, checkpoint.head) != (last.root, last.head):
                raise _forked(checkpoint, f"its first {last.size} records are not those that were signed")
            return None
        if request.old_size != last.size:
            return ProofNeeded(last.size)
        if not consistent(last.size, last.root, checkpoint, request.path):
            raise _forked(checkpoint, f"it did not grow from the {last.size} records that were signed last")
        return None

    async def _sign(self, key: TransitReference, checkpoint: Checkpoint) -> CheckpointSigned:
        version, public_key = list((await ed25519_keys(self._pool, key)).items())[-1]
        text = checkpoint.text()
        made = await transit_sign(self._pool, key, version, text.encode("ascii"))
        try:
            note = sign_note(text, VerifierKey(KEY_NAME, public_key), made.signature)
        except NoteError:
            raise CustodyError("vault_unavailable", f"Vault's signature with {key} makes no sense") from None
        return CheckpointSigned(SignedCheckpoint(checkpoint, note), made.vault_request_id)


def _forked(checkpoint: Checkpoint, why: str) -> CustodyError:
    return CustodyError(
        "checkpoint_forked", f"chain {checkpoint.chain} of the record was changed, and is not signed: {why}"
    )
