"""Puts the custody process together and runs it until it is told to end."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import structlog

from vaultsigner import config, policy
from vaultsigner.authentication.bearer import TokenChecker
from vaultsigner.config.settings import Settings
from vaultsigner.custody.admission import Admission
from vaultsigner.custody.beacon_signing import BeaconSigner
from vaultsigner.custody.checkpoint_signing import CheckpointSigner
from vaultsigner.custody.exchange_secrets import ExchangeSecrets
from vaultsigner.custody.exchange_signing import ExchangeSigner
from vaultsigner.custody.log_in import LogIn
from vaultsigner.custody.monitor import Monitor
from vaultsigner.custody.open_api import OpenApi
from vaultsigner.custody.policy_sets import PolicySets
from vaultsigner.custody.process_edge import log_failure, report_loop_failure
from vaultsigner.custody.questions import Custody
from vaultsigner.custody.request_proofs import RequestProofs
from vaultsigner.custody.tickets import Tickets
from vaultsigner.custody.transit_signing import TransitSigner
from vaultsigner.custody.used_signatures import UsedSignatures
from vaultsigner.custody.vault.calls import ed25519_keys
from vaultsigner.custody.vault.endpoint import endpoint_of
from vaultsigner.custody.vault.held_token import HeldToken
from vaultsigner.custody.vault.key_presence import KeyFinder
from vaultsigner.custody.vault.metrics import MeasuredPool
from vaultsigner.custody.vault.reader import VaultReader
from vaultsigner.custody.vault_token.token_source import Keeper, Unkept, token_source
from vaultsigner.errors import ConfigError, VaultsignerError
from vaultsigner.policy import PolicySet

_log = structlog.get_logger()


def run(
    config_file: Path,
    listen_descriptor: int,
    token_descriptor: int | None,
    *,
    keepsake_descriptor: int | None = None,
    look_only: bool = False,
    config_digest: str | None = None,
    clock_ms: Callable[[], int] | None = None,
    after_crash: bool = False,
) -> int:
    """Serve until SIGTERM; the process's exit status.

    Args:
        config_file: config.yml.
        listen_descriptor: a Unix stream socket that is bound and listens. Whoever opened it keeps it, so that connections
            made while custody restarts wait in its queue.
        token_descriptor: the file that holds the Vault token, opened for reading.
        keepsake_descriptor: a socket with memory that outlives this process; see `keepsake_memory.hand_over`.
        look_only: use up nothing that is good for one use, such as a wrapped secret id.
        config_digest: what config.yml must be, as `Settings.digest` has it; None: whatever it is.
        clock_ms: milliseconds since 1970, for the windows of signed requests; None: the system's.
        after_crash: whether a custody process of the same service has ended before this one, with what it remembered.
    """
    try:
        settings = config.load(config_file, os.environ)
        policies = policy.load(settings.policies)
        _check_unchanged(str(config_file), settings.digest, config_digest)
        listener = socket.socket(fileno=listen_descriptor)
        vault = token_source(settings.vault, token_descriptor, keepsake_descriptor, look_only=look_only)
        clock_ms = clock_ms or system_clock_ms
        asyncio.run(_serve(settings, policies, listener, vault, clock_ms, after_crash=after_crash))
    except VaultsignerError as error:
        log_failure("not_started", error)
        return 1
    return 0


def _check_unchanged(what: str, found: str, expected: str | None) -> None:
    """A crash must not be a way to have other rules or permissions count: only a restart of the whole service is.

    Raises:
        ConfigError: it is not what it was.
    """
    if expected not in (None, found):
        raise ConfigError(f"{what} changed since vaultsigner started: restart vaultsigner")


def system_clock_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def build(
    settings: Settings,
    policies: PolicySet,
    token: HeldToken,
    clock_ms: Callable[[], int] = system_clock_ms,
    *,
    keeper: Keeper | None = None,
    after_crash: bool = False,
) -> Custody:
    """All of custody, not yet serving. Needs a running event loop.

    Args:
        keeper: looks after the token; None: nobody has to.

    Raises:
        ConfigError: Vault cannot be reached in the way that the configuration says.
    """
    pool = MeasuredPool(endpoint_of(settings.vault), token)
    reader = VaultReader(pool)
    tokens = TokenChecker(
        settings.users,
        partial(ed25519_keys, pool, settings.access_token_key),
        seconds=time.time,
        monotonic=time.monotonic,
    )
    tickets, used = Tickets(clock_ms), UsedSignatures(clock_ms, after_crash=after_crash)
    sets = PolicySets(settings.policies, policies)
    admission = Admission(sets, reader, tokens, tickets=tickets, used=used, clock_ms=clock_ms)
    secrets = ExchangeSecrets(reader, TransitSigner(pool))
    return Custody(
        settings=settings,
        policies=sets,
        pool=pool,
        reader=reader,
        admission=admission,
        signer=BeaconSigner(settings, reader, admission),
        exchange_signer=ExchangeSigner(settings, admission, secrets, tickets, clock_ms),
        open_api=OpenApi(settings, reader, admission, tickets, clock_ms=clock_ms),
        proofs=RequestProofs(settings, sets, reader, tickets, used, clock_ms=clock_ms),
        log_in=LogIn(settings, pool),
        checkpoints=CheckpointSigner(settings.audit.checkpoint_key, pool),
        token_keeper=keeper or Unkept(),
        key_finder=KeyFinder(settings, pool),
    )


async def _serve(
    settings: Settings,
    policies: PolicySet,
    listener: socket.socket,
    vault: tuple[HeldToken, Keeper],
    clock_ms: Callable[[], int],
    *,
    after_crash: bool,
) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(report_loop_failure)
    token, keeper = vault
    custody = build(settings, policies, token, clock_ms, keeper=keeper, after_crash=after_crash)
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    # The terminal sends Ctrl-C to the whole group. The launcher decides when custody ends: after the server.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connections: set[Monitor] = set()
    server = await loop.create_unix_server(lambda: Monitor(custody, connections), sock=listener)
    keeping = loop.create_task(keeper.run())
    _log.info(
        "custody_ready", wallets=len(settings.wallets), policy=policies.digest, vault=settings.vault.address
    )
    await stop.wait()
    keeping.cancel()
    server.close()
    custody.pool.close()
    await keeper.end()
    _log.info("custody_stopped")
