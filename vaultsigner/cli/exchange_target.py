"""Which secret an `exchanges` command means, from an exchange's name, a place in Vault and the configuration."""

from dataclasses import dataclass

import click

from vaultsigner.cli.exchange_material import public_pem
from vaultsigner.cli.key_target import checked_name, place_in_vault
from vaultsigner.config.problems import UnusableValueError
from vaultsigner.config.references import read_transit_reference
from vaultsigner.config.settings import Exchange, ExchangeScheme, KvReference, Settings, TransitReference
from vaultsigner.domain.names import ExchangeName

USUAL_MOUNT = "transit"
EXAMPLE = "transit:transit/binance-main"
KV_EXAMPLE = "secret/exchanges/binance-main"


@dataclass(frozen=True, slots=True)
class ExchangeTarget:
    """An exchange's name, how it has requests signed, and where its secret goes.

    `exchange` is None while config.yml does not name it.
    """

    name: str
    scheme: ExchangeScheme
    reference: KvReference | TransitReference
    exchange: Exchange | None


def find_target(
    settings: Settings | None, name: str, scheme: ExchangeScheme | None, path: str | None
) -> ExchangeTarget:
    """As configured; else the scheme and the place given, or Transit.

    Raises:
        click.UsageError: there is no scheme, or they contradict the configuration.
    """
    exchange = settings.exchanges.get(ExchangeName(name)) if settings else None
    if exchange is not None:
        return _configured(exchange, scheme, path)
    if scheme is None:
        raise click.UsageError(
            "which scheme? Give --scheme hmac, rsa or ed25519, as the exchange knows the key"
        )
    chosen = checked_name(name)
    return ExchangeTarget(chosen, scheme, read_place(path or f"transit:{USUAL_MOUNT}/{chosen}"), None)


def _configured(exchange: Exchange, scheme: ExchangeScheme | None, path: str | None) -> ExchangeTarget:
    if scheme is not None and scheme != exchange.scheme:
        raise click.UsageError(
            f"config.yml says {exchange.name} is of scheme {exchange.scheme}: leave --scheme out"
        )
    if path is not None and read_place(path) != exchange.secret:
        raise click.UsageError(f"config.yml says {exchange.secret} for {exchange.name}: leave --path out")
    return ExchangeTarget(exchange.name, exchange.scheme, exchange.secret, exchange)


def read_place(path: str) -> KvReference | TransitReference:
    """What an operator typed as `--path`: `transit:mount/key`, or `vault:mount/path#field`; the field may be left out.

    Raises:
        click.UsageError: config.yml could not name it.
    """
    if path.startswith("transit:"):
        try:
            return read_transit_reference(path, example=EXAMPLE)
        except UnusableValueError as error:
            raise click.UsageError(f"--path: {error.message}; {error.hint}") from None
    if path.startswith("vault:"):
        return place_in_vault(path, path.partition("#")[2] or "secret", example=f"vault:{KV_EXAMPLE}")
    raise click.UsageError(f"--path: begin with the kind of place: {EXAMPLE}, or vault:{KV_EXAMPLE}")


def config_lines(target: ExchangeTarget, public_key: bytes | None) -> str:
    """What to paste under `exchanges:`.

    Args:
        public_key: DER, where there is one.
    """
    pem = "" if public_key is None else public_pem(public_key).rstrip().replace("\n", "\n      ")
    return (
        f"  - name: {target.name}\n"
        f"    base_url: https://api.binance.com    # or another of the exchange's, e.g. https://fapi.binance.com for futures\n"
        f'    api_key: ""                          # as the exchange shows it; no secret\n'
        f"    scheme: {target.scheme}\n"
        f"    secret: {target.reference}\n" + (f"    public_key: |\n      {pem}\n" if pem else "")
    )
