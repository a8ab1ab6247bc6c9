"""Custody's Vault token and what looks after it, as the configuration says."""

import os
from typing import Protocol

import structlog

from vaultsigner.config.vault_settings import TokenFileAuth, VaultSettings
from vaultsigner.custody.vault.held_token import HeldToken
from vaultsigner.custody.vault.session import VaultSession
from vaultsigner.custody.vault_token.keepsake import Keepsake
from vaultsigner.custody.vault_token.keepsake_memory import take_over
from vaultsigner.custody.vault_token.log_in_keeper import LogInKeeper
from vaultsigner.custody.vault_token.log_in_methods import log_in_method
from vaultsigner.custody.vault_token.logged_in_token import LoggedInToken
from vaultsigner.custody.vault_token.token_file import VaultToken
from vaultsigner.custody.vault_token.token_keeper import TokenKeeper

_log = structlog.get_logger()


class Keeper(Protocol):
    """Looks after a token."""

    @property
    def ttl_seconds(self) -> int | None:
        """How long the token still lives; None where it does not end, or nothing is known yet."""

    @property
    def problem(self) -> str | None:
        """What is wrong with the token, and what to do; None while nothing is known to be."""

    async def run(self) -> None:
        """Look after the token until cancelled."""

    async def end(self) -> None:
        """The process ends: give up what nobody else should use. Must not raise."""


class Unkept:
    """For a token that needs no looking after. See `Keeper`."""

    ttl_seconds: int | None = None
    problem: str | None = None

    async def run(self) -> None:
        """Nothing to do."""

    async def end(self) -> None:
        """Nothing to do."""


def token_source(
    vault: VaultSettings,
    token_descriptor: int | None,
    keepsake_descriptor: int | None,
    *,
    look_only: bool = False,
) -> tuple[HeldToken, Keeper]:
    """The token, and its keeper that has yet to run.

    Args:
        token_descriptor: the file that holds the token, opened for reading, where the configuration names one.
        keepsake_descriptor: a socket from `keepsake_memory.hand_over`; see `keepsake`.
        look_only: use up nothing that is good for one use.

    Raises:
        ConfigError: Vault cannot be reached in the way that the configuration says.
    """
    session = VaultSession(vault)
    if isinstance(vault.auth, TokenFileAuth):
        file_token = VaultToken(token_descriptor, vault.auth.path)
        return file_token, TokenKeeper(session, file_token)
    token, keepsake = LoggedInToken(), _keepsake(keepsake_descriptor)
    method = log_in_method(vault.auth, vault, session, keepsake, look_only=look_only)
    return token, LogInKeeper(session, token, method, keepsake, name=vault.auth.method)


def _keepsake(descriptor: int | None) -> Keepsake:
    """Without one custody still works; only a crash then costs a log-in."""
    if descriptor is None:
        return Keepsake(None)
    try:
        memory = take_over(descriptor)
        try:
            return Keepsake(memory)
        finally:
            os.close(memory)  # mapped memory stays
    except (OSError, ValueError) as error:
        _log.warning("no_keepsake", error=type(error).__name__)
        return Keepsake(None)
