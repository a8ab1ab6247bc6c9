"""Every secret that a configuration names, and where it lies. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from vaultsigner.config.settings import KvReference, Settings, TransitReference

OF_CLIENT = "the secret of client"
Place = tuple[str, str]
"""Mount and path of a KV secret."""


@dataclass(frozen=True, slots=True)
class HeldSecret:
    """One of them: `the key of` wallet_1, `the secret of client` bot-1."""

    what: str
    name: str
    reference: KvReference | TransitReference


def held_secrets(settings: Settings) -> Iterator[HeldSecret]:
    """In the order of the configuration."""
    for wallet in settings.wallets.values():
        yield HeldSecret("the key of", wallet.name, wallet.key)
    for client in settings.clients.values():
        if client.secret is not None:
            yield HeldSecret(OF_CLIENT, client.name, client.secret)
    for exchange in settings.exchanges.values():
        yield HeldSecret("the secret of exchange", exchange.name, exchange.secret)
    for app in settings.open_api.values():
        yield HeldSecret("the secret key of Open API app", app.name, app.secret_key)
        if app.private_key is not None:
            yield HeldSecret("the private key of Open API app", app.name, app.private_key)


def kv_references(settings: Settings) -> tuple[KvReference, ...]:
    """The secrets in KV, each path once."""
    found = (held.reference for held in held_secrets(settings))
    return tuple(
        {place_of(reference): reference for reference in found if isinstance(reference, KvReference)}.values()
    )


def place_of(reference: KvReference) -> Place:
    """Mount and path."""
    return reference.mount, reference.path


def kept_beside(settings: Settings, place: Place, written: frozenset[str]) -> tuple[HeldSecret, ...]:
    """What lies at a path in another field than those that are written."""
    return tuple(
        held
        for held in held_secrets(settings)
        if isinstance(held.reference, KvReference)
        and place_of(held.reference) == place
        and held.reference.field not in written
    )
