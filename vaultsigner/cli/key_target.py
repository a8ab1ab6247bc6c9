"""Which secret a `keys` command means, from a wallet's name, a path and the configuration."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import click

from vaultsigner.cli.key_material import KeyKind
from vaultsigner.config.fields import read_name
from vaultsigner.config.problems import ConfigProblems, UnusableValueError, suggestion
from vaultsigner.config.references import read_kv_reference
from vaultsigner.config.settings import KvReference, Settings, Wallet
from vaultsigner.domain.names import WalletName

USUAL_FOLDER = "secret/wallets"
EXAMPLE = "secret/wallets/wallet_1"
Named = Literal["wallet", "exchange", "Open API app"]


@dataclass(frozen=True, slots=True)
class KeyTarget:
    """A wallet's name, where its key goes and what it is; `wallet` is None while config.yml does not name it."""

    name: str
    reference: KvReference
    kind: KeyKind
    wallet: Wallet | None


def find_target(
    settings: Settings | None, name: str | None, path: str | None, kind: KeyKind | None
) -> KeyTarget:
    """The configured wallet's reference; else the path given; else `secret/wallets/NAME`.

    Raises:
        click.UsageError: neither a name nor a path, or they contradict the configuration.
    """
    wallet = settings.wallets.get(WalletName(name)) if settings and name else None
    if wallet is not None:
        return _configured(wallet, path, kind)
    if path is None and name is None:
        raise click.UsageError("which key? Give the wallet's name, or --path secret/wallets/wallet_1")
    chosen: KeyKind = kind or "private_key"
    reference = place_in_vault(path or f"{USUAL_FOLDER}/{name}", chosen, example=EXAMPLE)
    return KeyTarget(name or reference.path.rpartition("/")[2], reference, chosen, None)


def why_not_configured(
    found: Settings | ConfigProblems | None, kind: Named, name: str, place: str, *, configured: bool
) -> str | None:
    """Why a secret does not go where config.yml says, in a line; None where it does, or where there is no config.yml.

    Args:
        found: the configuration, or what is wrong with it. One that still holds keys in clear cannot be used, and this is how
            they get into Vault.
        kind: what the secret belongs to.
        name: of that.
        place: where it goes, as a clause.
        configured: config.yml names it.
    """
    if isinstance(found, ConfigProblems):
        count = len(found.problems)
        problems = f"{count} problem{'' if count == 1 else 's'}"
        return f"note: config.yml cannot be used yet ({problems}; `vaultsigner check` lists them); {place}"
    if found is None or configured:
        return None
    known: dict[Named, Iterable[str]] = {
        "wallet": found.wallets,
        "exchange": found.exchanges,
        "Open API app": found.open_api,
    }
    return f"note: {found.source} has no {kind} {name} ({suggestion(name, known[kind])}); {place}"


def config_lines(target: KeyTarget, address: str) -> str:
    """What to paste under `wallets:`.

    Args:
        address: of the environment named in the lines, TESTNET.
    """
    return (
        f"  - name: {target.name}\n"
        f"    {target.kind}: {target.reference}\n"
        f"    env_name: TESTNET            # or PROD\n"
        f"    address: {address}\n"
        f"    ip_whitelist: [127.0.0.1]\n"
        f"    permissions: [trade]         # of: trade, transfer, freeze, resync, vote\n"
    )


def _configured(wallet: Wallet, path: str | None, kind: KeyKind | None) -> KeyTarget:
    field = wallet.key.field
    if path is not None and place_in_vault(path, field, example=EXAMPLE) != wallet.key:
        raise click.UsageError(f"the configuration says {wallet.key} for {wallet.name}: leave --path out")
    if kind is not None and kind != wallet.key_kind:
        raise click.UsageError(
            f"the configuration says {wallet.name} is a {wallet.key_kind}: leave --kind out"
        )
    return KeyTarget(wallet.name, wallet.key, wallet.key_kind, wallet)


def checked_name(name: str) -> str:
    """A name that config.yml could have.

    Raises:
        click.UsageError: it is none.
    """
    try:
        return read_name(name)
    except UnusableValueError as error:
        raise click.UsageError(f"{error.message}; {error.hint}") from None


def place_in_vault(path: str, field: str, *, example: str) -> KvReference:
    """What an operator typed as `--path`, by the same grammar as in config.yml, so that what is written here can be named there.

    Args:
        path: mount and path; `vault:` before it and `#...` behind it are taken off.
        field: of the secret.
        example: a path that would be right, for the hint.

    Raises:
        click.UsageError: config.yml could not name it.
    """
    place = path.removeprefix("vault:").partition("#")[0].strip("/")
    try:
        reference = read_kv_reference(f"vault:{place}#{field}", example=example)
    except UnusableValueError:
        raise click.UsageError(
            f"{path!r} is no path that config.yml can name: write mount and path, like {example}, "
            "of letters, digits and . _ - alone"
        ) from None
    if reference.path.startswith("data/"):
        raise click.UsageError(f"leave `data/` out of the path: write it like {example}")
    return reference
