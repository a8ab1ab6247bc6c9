"""What only shows when the parts of a configuration are seen together: names that repeat, or that nothing has.

Works on the tree as read, not on models, so that one bad entry hides nothing about the others; what has the wrong type is
left to the models to complain about.
"""

from collections.abc import Mapping

from vaultsigner.config.build import DEFAULT_ENVIRONMENTS
from vaultsigner.config.models import ConfigModel
from vaultsigner.config.problems import KnownWords
from vaultsigner.config.report import Report
from vaultsigner.config.tree import Entry, check_unique, entries, named
from vaultsigner.strict_yaml import YamlPath, YamlValue, shown_key


def check_across(tree: Entry, report: Report) -> None:
    """Every check that needs more than one entry."""
    environments = named(tree.get("environments"))
    # Asked first: later a name may be complained of because it repeats, and then it is known all the same.
    unreadable = any(
        report.complained_of(("wallets", index, "name")) for index, _ in entries(tree.get("wallets"))
    )
    _check_environments(environments, report)
    _check_wallets(tree, environments, report)
    for section, name in (("users", "username"), ("clients", "name")):
        _check_callers(tree, section, name, report, names_complete=not unreadable)
    _check_api_keys(tree, report)
    _check_secrets(tree, report)


def _check_environments(environments: Mapping[str, Entry], report: Report) -> None:
    """Own environments are complete, and no name differs from another only in letter case.

    The old service took every text but `TESTNET` for production, so that `testnet` signed for real money.
    """
    known = list(DEFAULT_ENVIRONMENTS)
    for name, entry in environments.items():
        if name in DEFAULT_ENVIRONMENTS:
            continue
        clash = next((other for other in known if other.lower() == name.lower()), None)
        known.append(name)
        if clash is not None:
            hint = f"use {shown_key(clash, ())}, or a name that nobody takes for it"
            report.add(
                ("environments", name),
                "this name differs from another only in letter case",
                hint,
                at_key=True,
            )
            continue
        for key in ("node_url", "chain_id", "address_prefix"):
            if entry.get(key) is None:
                hint = "an environment of your own needs all of node_url, chain_id and address_prefix"
                report.add(("environments", name, key), f'"{key}" is missing', hint)


def _check_wallets(tree: Entry, environments: Mapping[str, Entry], report: Report) -> None:
    """Names are unique, environments exist, a noted address belongs to the wallet's environment."""
    known = {*DEFAULT_ENVIRONMENTS, *environments}
    words = KnownWords([*DEFAULT_ENVIRONMENTS, *environments])
    first: dict[str, int] = {}
    for index, wallet in entries(tree.get("wallets")):
        path: YamlPath = ("wallets", index)
        check_unique(wallet.get("name"), index, first, (*path, "name"), report)
        name = wallet.get("env_name", "PROD")
        if not isinstance(name, str):
            continue
        if name not in known:
            report.add((*path, "env_name"), "no environment has this name", words.hint(name))
            continue
        prefix, address = _address_prefix(name, environments), wallet.get("address")
        if isinstance(prefix, str) and isinstance(address, str) and not address.startswith(f"{prefix}1"):
            hint = "its addresses begin with another prefix; see address_prefix"
            report.add((*path, "address"), "this address is not of the wallet's environment", hint)


def _address_prefix(name: str, environments: Mapping[str, Entry]) -> YamlValue:
    default = DEFAULT_ENVIRONMENTS.get(name)
    return environments.get(name, {}).get("address_prefix") or (default.address_prefix if default else None)


def _check_callers(tree: Entry, section: str, key: str, report: Report, *, names_complete: bool) -> None:
    """Names are unique; permissions are for wallets that exist, each named once.

    Args:
        section: `users` or `clients`.
        key: what holds the name there.
        names_complete: False where a wallet's name is unusable: that wallet may be the one that a permission means.
    """
    names = [wallet.get("name") for _, wallet in entries(tree.get("wallets"))]
    wallets = dict.fromkeys(name for name in names if isinstance(name, str))
    words = KnownWords(wallets)
    first: dict[str, int] = {}
    for index, caller in entries(tree.get(section)):
        check_unique(caller.get(key), index, first, (section, index, key), report)
        seen: dict[str, int] = {}
        for number, entry in entries(caller.get("wallet_permissions")):
            name = entry.get("wallet_name")
            if not isinstance(name, str):
                continue
            place = (section, index, "wallet_permissions", number, "wallet_name")
            if name not in wallets and names_complete:
                report.add(place, "no wallet has this name", words.hint(name))
            check_unique(name, number, seen, place, report)


def _check_api_keys(tree: Entry, report: Report) -> None:
    """Two clients with one API key could not be told apart."""
    first: dict[str, int] = {}
    for index, client in entries(tree.get("clients")):
        api_key = client.get("api_key")
        if isinstance(api_key, str) and first.setdefault(api_key, index) != index:
            hint = "give each client its own; `vaultsigner clients create` makes one"
            message = f"entry [{first[api_key]}] of this list has this API key already"
            report.add(("clients", index, "api_key"), message, hint)


def _check_secrets(tree: Entry, report: Report) -> None:
    """Nobody outside knows what lies beside a wallet's key, and no two clients know one secret.

    An API key is not among what is signed, so that what one of the two has signed would count as the other's, too.
    """
    keys = [
        wallet.get(kind) for _, wallet in entries(tree.get("wallets")) for kind in ("private_key", "mnemonic")
    ]
    places = {key.partition("#")[0] for key in keys if isinstance(key, str)}
    first: dict[str, int] = {}
    for index, client in entries(tree.get("clients")):
        secret, path = client.get("secret"), ("clients", index, "secret")
        if not isinstance(secret, str) or not secret.startswith("vault:"):
            continue
        if secret.partition("#")[0] in places:
            hint = "`vaultsigner clients create` makes a secret of its own"
            report.add(path, "a wallet's key lies there; a client's secret is known outside", hint)
        elif first.setdefault(secret, index) != index:
            message = f"entry [{first[secret]}] of this list has this secret: requests of one would count as the other's"
            report.add(path, message, "`vaultsigner clients create` makes each client its own")


def check_keys(config: ConfigModel, report: Report) -> None:
    """No two clients have one public key, however it is written, for the same reason; and none has an exchange's.

    Args:
        config: whose keys were read.
        report: takes what is wrong.
    """
    of_exchanges = {exchange.public_key.der for exchange in config.exchanges if exchange.public_key}
    first: dict[bytes, int] = {}
    for index, client in enumerate(config.clients):
        if client.public_key is None:
            continue
        if client.public_key.der in of_exchanges:
            message = "this is an exchange's key: whoever signs with it needs no vaultsigner"
            report.add(
                ("clients", index, "public_key"), message, "have the client make a key pair of its own"
            )
            continue
        other = first.setdefault(client.public_key.der, index)
        if other != index:
            message = f"entry [{other}] of this list has this key: requests of one would count as the other's"
            report.add(
                ("clients", index, "public_key"), message, "have each client make a key pair of its own"
            )
