"""What `vault setup` binds the role of custody's log-in to, as options of the command."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click


@dataclass(frozen=True, slots=True)
class LogInOptions:
    """Who may log in as the role. What is empty stays as it is in Vault; a new role needs what its method is bound by.

    Args:
        period: how long a token lives after its last renewal, as Vault writes it.
    """

    period: str
    bound_cidrs: tuple[str, ...] = ()
    service_accounts: tuple[str, ...] = ()
    kubernetes_host: str | None = None
    kubernetes_ca_cert: Path | None = None
    bound_subject: str | None = None
    bound_audiences: tuple[str, ...] = ()
    bound_claims: tuple[str, ...] = ()
    jwt_public_keys: tuple[Path, ...] = ()
    oidc_discovery_url: str | None = None
    trusted_certificate: Path | None = None
    iam_principals: tuple[str, ...] = ()


_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_OPTIONS = (
    click.option(
        "--bound-cidr",
        "bound_cidrs",
        multiple=True,
        metavar="NETWORK",
        help="Tokens and secret ids count from there alone. May be repeated.",
    ),
    click.option(
        "--service-account",
        "service_accounts",
        multiple=True,
        metavar="NAMESPACE/NAME",
        help="kubernetes: whose pods may log in. May be repeated.",
    ),
    click.option("--kubernetes-host", metavar="URL", help="kubernetes: where Vault asks for token reviews."),
    click.option(
        "--kubernetes-ca-cert", type=_FILE, help="kubernetes: PEM file of that address's authority."
    ),
    click.option("--bound-subject", metavar="SUB", help="jwt: the subject that may log in."),
    click.option(
        "--bound-audience",
        "bound_audiences",
        multiple=True,
        metavar="AUD",
        help="jwt, kubernetes: the audience that tokens must be for.",
    ),
    click.option(
        "--bound-claim",
        "bound_claims",
        multiple=True,
        metavar="NAME=VALUE",
        help="jwt: a claim that tokens must have. May be repeated.",
    ),
    click.option(
        "--jwt-public-key",
        "jwt_public_keys",
        multiple=True,
        type=_FILE,
        help="jwt: PEM file of a key that the issuer signs with. May be repeated.",
    ),
    click.option("--oidc-discovery-url", metavar="URL", help="jwt: the issuer, where it publishes its keys."),
    click.option(
        "--trusted-certificate",
        type=_FILE,
        help="cert: PEM file of an authority whose certificates may log in. Default: the one certificate of config.yml alone.",
    ),
    click.option(
        "--iam-principal",
        "iam_principals",
        multiple=True,
        metavar="ARN",
        help="aws: the AWS role that may log in. May be repeated.",
    ),
)


def log_in_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add them all; the command, which has a `period` of its own, receives them as `log_in`."""

    @functools.wraps(command)
    def with_options(period: str, **others: object) -> None:
        names = [name for name in LogInOptions.__dataclass_fields__ if name != "period"]
        given = {name: others.pop(name) for name in names}
        command(period=period, log_in=LogInOptions(period, **given), **others)  # type: ignore[arg-type] # click's types

    decorated: Callable[..., None] = with_options
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated
