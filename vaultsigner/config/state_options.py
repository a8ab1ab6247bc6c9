"""What fits which state: tokens of AWS IAM in the place of a password, and what is known of its standbys."""

from typing import Literal, get_args

from vaultsigner.config.problems import UnusableValueError, suggestion
from vaultsigner.config.state_urls import is_postgresql, parse_postgresql

ReplicationKind = Literal["asynchronous", "synchronous"]
_KINDS: tuple[ReplicationKind, ...] = get_args(ReplicationKind)
_EXAMPLE = "postgresql://vaultsigner@<instance>.rds.amazonaws.com:5432/vaultsigner?sslmode=verify-full&sslrootcert=/path/of/global-bundle.pem"
_ONE_HOST = "write the instance's own endpoint, which leads to the new primary after a fail-over"
_NO_PASSWORD = "take it out: each connection gets a token of its own"  # noqa: S105 - advice, no password


def read_replication(text: str) -> ReplicationKind:
    """What is known of the standbys.

    Raises:
        UnusableValueError: it is neither.
    """
    for kind in _KINDS:
        if text == kind:
            return kind
    raise UnusableValueError("there is no such replication", suggestion(text, _KINDS))


def check_state_options(url: str, *, aws_iam: bool, replication: ReplicationKind) -> None:
    """Whether what stands beside `state.url` means anything there.

    Args:
        aws_iam: whether tokens of AWS IAM take the place of a password.
        replication: what is known of the standbys.

    Raises:
        UnusableValueError: it does not.
    """
    if not is_postgresql(url):
        if aws_iam or replication != "asynchronous":
            name = "aws_iam" if aws_iam else "replication"
            raise UnusableValueError(
                f"{name} is for PostgreSQL, and the state is an SQLite file", "remove it"
            )
        return
    if aws_iam:
        _check_iam(url)


def _check_iam(url: str) -> None:
    """A token is a password: only the right server may see it, and it is made for one host, one port and one user."""
    found = parse_postgresql(url)
    if found.sslmode != "verify-full":
        raise UnusableValueError("aws_iam without sslmode=verify-full", f"write it like {_EXAMPLE}")
    if len(found.hosts) != 1 or found.hosts[0].startswith("/"):
        raise UnusableValueError("aws_iam needs exactly one host in the URL", _ONE_HOST)
    if not found.user:
        raise UnusableValueError("aws_iam needs the user in the URL", f"write it like {_EXAMPLE}")
    if found.password or "passfile" in found.parameters:
        raise UnusableValueError("aws_iam beside a password", _NO_PASSWORD)
