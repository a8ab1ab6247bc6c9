"""Which client a `clients` command means, from its name, a path and the configuration."""

from dataclasses import dataclass
from pathlib import Path

import click

from vaultsigner.cli.client_credentials import Usable, new_api_key, new_name, usable_in
from vaultsigner.cli.held_secrets import place_of
from vaultsigner.cli.key_target import checked_name, place_in_vault
from vaultsigner.cli.overwriting import refuse_shared_place
from vaultsigner.config.caller_fields import KEY_SCHEMES
from vaultsigner.config.problems import UnusableValueError, suggestion
from vaultsigner.config.public_keys import read_public_key
from vaultsigner.config.settings import Client, ClientScheme, KvReference, Settings
from vaultsigner.domain.names import ClientName

USUAL_FOLDER = "secret/clients"
EXAMPLE = "secret/clients/bot-1"


@dataclass(frozen=True, slots=True)
class ClientTarget:
    """A client to be.

    Args:
        name, api_key, scheme: as they stand, or will stand, in config.yml.
        credential: where its secret goes, or the file of its public key.
        key_given: the public key's file is there and its key is good.
        configured: config.yml names this client already.
        usable: what it may be given, for the lines of config.yml.
    """

    name: str
    api_key: str
    scheme: ClientScheme
    credential: KvReference | Path
    key_given: bool
    configured: bool
    usable: Usable


def find_target(
    settings: Settings | None,
    name: str | None,
    scheme: ClientScheme | None,
    path: str | None,
    public_key: Path | None,
    *,
    replace: bool = False,
) -> ClientTarget:
    """The configured client, to give it the secret that it lacks, or another one; else a new one.

    Args:
        replace: another secret in the place of the one that is there, which needs a client whose API key stays.

    Raises:
        click.UsageError: the parts contradict each other or the configuration, or the public key cannot be used.
    """
    client = settings.clients.get(ClientName(name)) if settings and name else None
    if client is not None:
        if replace and client.secret is not None:
            refuse_shared_place(settings, place_of(client.secret), frozenset({client.secret.field}))
        return _configured(client, scheme, path, public_key)
    if replace:
        raise click.UsageError(_nothing_to_replace(settings, name))
    if scheme is None:
        raise click.UsageError("which scheme? Give --scheme hmac, rsa, ed25519 or open_api")
    chosen = checked_name(name) if name is not None else new_name(settings.clients if settings else ())
    return ClientTarget(
        name=chosen,
        api_key=new_api_key(),
        scheme=scheme,
        credential=_credential(chosen, scheme, path, public_key),
        key_given=public_key is not None,
        configured=False,
        usable=usable_in(settings),
    )


def _nothing_to_replace(settings: Settings | None, name: str | None) -> str:
    if settings is None:
        return "--replace gives a client of config.yml another secret, and there is no config.yml that can be used"
    if name is None:
        return "whose secret? --replace needs the client's name"
    hint = suggestion(name, settings.clients)
    return f"{settings.source} has no client of this name, whose secret could be replaced; {hint}"


def _configured(
    client: Client, scheme: ClientScheme | None, path: str | None, public_key: Path | None
) -> ClientTarget:
    if client.secret is None:
        raise click.UsageError(
            f"config.yml has a client {client.name} already, with its public key: there is nothing to make; "
            "another key goes into its place there, and counts after a restart"
        )
    if scheme is not None and scheme != client.scheme:
        raise click.UsageError(
            f"config.yml says {client.name} is of scheme {client.scheme}: leave --scheme out"
        )
    if public_key is not None:
        raise click.UsageError(
            f"a client of scheme {client.scheme} has no public key: leave --public-key out"
        )
    if path is not None and place_in_vault(path, client.secret.field, example=EXAMPLE) != client.secret:
        raise click.UsageError(f"config.yml says {client.secret} for {client.name}: leave --path out")
    return ClientTarget(
        client.name,
        client.api_key,
        client.scheme,
        client.secret,
        key_given=False,
        configured=True,
        usable=Usable(),
    )


def _credential(
    name: str, scheme: ClientScheme, path: str | None, public_key: Path | None
) -> KvReference | Path:
    if scheme not in KEY_SCHEMES:
        if public_key is not None:
            raise click.UsageError(f"a client of scheme {scheme} has no public key: leave --public-key out")
        return place_in_vault(path or f"{USUAL_FOLDER}/{name}", "secret", example=EXAMPLE)
    if path is not None:
        raise click.UsageError(f"a client of scheme {scheme} has no secret in Vault: leave --path out")
    if public_key is None:
        return Path("config") / f"{name}.pem"
    try:
        read_public_key(str(public_key), kind=KEY_SCHEMES[scheme])
    except UnusableValueError as error:
        raise click.UsageError(f"{public_key}: {error.message}; {error.hint}") from None
    return public_key
