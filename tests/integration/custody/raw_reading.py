"""A program for `test_tls`: signs with a key from Vault through custody's own reader, on Python's usual allocator.

Arguments: Vault's address, its CA certificate, the token's file. Says `done` on standard output, then waits for its input to end.
"""

import asyncio
import os
import sys
from pathlib import Path

from vaultsigner.config.settings import KvReference
from vaultsigner.config.vault_settings import TokenFileAuth, VaultSettings
from vaultsigner.custody.secp256k1 import sign_digest
from vaultsigner.custody.secret_view import SecretView
from vaultsigner.custody.signing_key import key_from_hex
from vaultsigner.custody.vault.endpoint import endpoint_of
from vaultsigner.custody.vault.pool import VaultPool
from vaultsigner.custody.vault.reader import VaultReader
from vaultsigner.custody.vault_token.token_file import VaultToken

# Not imported from `fake_vault`: that holds the key which must not be found here.
REFERENCE = KvReference("secret", "wallets/wallet_1", "private_key")
READS = 5
READERS = 20


def sign(secret: SecretView) -> bytes:
    return sign_digest(secret.derive(key_from_hex).scalar, b"d" * 32)


async def main(address: str, ca_cert: str, token: str) -> None:
    settings = VaultSettings(address, TokenFileAuth(Path(token)), ca_cert=Path(ca_cert))
    pool = VaultPool(endpoint_of(settings), VaultToken(None, Path(token)))
    # Readers of their own, for one would share its reads: many connections, each with OpenSSL's buffers.
    readers = [VaultReader(pool) for _ in range(READERS)]
    for _ in range(READS):
        await asyncio.gather(*(reader.with_secret(REFERENCE, sign) for reader in readers))
    print("done", flush=True)
    os.read(sys.stdin.fileno(), 1)  # nothing more may happen here that would write over what was left behind


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
