"""Wallets with one and the same key. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from vaultsigner.cli.check_report import WalletFinding


def shared_keys(wallets: Iterable[WalletFinding]) -> Iterator[str]:
    """A line for each key that several wallets have: by the key itself where it could be tried, by its reference where not.

    Each of them is a target of its own: a limit per target lets through as much with every one, and who suspends one of them
    because its key leaked has stopped only half.
    """
    listed = list(wallets)
    tried = {wallet.reference: wallet.public_key for wallet in listed if wallet.public_key is not None}
    names: defaultdict[str, list[str]] = defaultdict(list)
    for wallet in listed:
        names[tried.get(wallet.reference, wallet.reference)].append(wallet.name)
    for shared in names.values():
        if len(shared) > 1:
            yield (
                f"wallets {', '.join(shared[:-1])} and {shared[-1]} have the same key: rules, limits per target and suspensions "
                "take them for different targets; give each a key of its own, or suspend and limit them together"
            )
