"""Which secret a command means."""

import click
import pytest

from tests.unit.cli.sample import sample_exchange, sample_settings
from vaultsigner.cli.exchange_target import ExchangeTarget, find_target, read_place
from vaultsigner.config.settings import KvReference, TransitReference

MAIN = sample_exchange("main", "transit:keys/main")
CONFIGURED = sample_settings(exchanges=[MAIN])


def test_a_configured_exchange_needs_its_name_alone() -> None:
    expected = ExchangeTarget("main", "hmac", TransitReference("keys", "main"), MAIN)
    assert find_target(CONFIGURED, "main", None, None) == expected
    assert find_target(CONFIGURED, "main", "hmac", "transit:keys/main") == expected


@pytest.mark.parametrize("settings", [None, CONFIGURED])
def test_another_goes_to_transit_unless_told_otherwise(settings: object) -> None:
    known = CONFIGURED if settings else None
    assert find_target(known, "new", "rsa", None).reference == TransitReference("transit", "new")
    assert find_target(known, "new", "rsa", "transit:a/b").reference == TransitReference("a", "b")
    assert find_target(known, "new", "rsa", "vault:kv/x#y").reference == KvReference("kv", "x", "y")
    assert find_target(known, "new", "rsa", "vault:kv/x").reference == KvReference("kv", "x", "secret")


@pytest.mark.parametrize(
    ("name", "scheme", "path", "told"),
    [
        ("new", None, None, "which scheme?"),
        ("a b", "hmac", None, "no usable name"),
        ("main", "rsa", None, "of scheme hmac: leave --scheme out"),
        ("main", None, "transit:keys/other", "leave --path out"),
        ("main", None, "vault:keys/main", "leave --path out"),
    ],
)
def test_contradictions_are_told(name: str, scheme: str | None, path: str | None, told: str) -> None:
    with pytest.raises(click.UsageError, match=told):
        find_target(CONFIGURED, name, scheme, path)  # type: ignore[arg-type]  # of the option's choices


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("secret/x", "begin with the kind of place: transit:transit/binance-main, or vault:secret"),
        ("transit:x", "transit:<mount>/<key>"),
        ("transit:a/b/c", "transit:<mount>/<key>"),
        ("vault:x", "no path that config.yml can name"),
        ("vault:secret/data/x", "leave `data/` out"),
        ("vault:secret/a b", "no path that config.yml can name"),
        ("vault:secret/x#a b", "no path that config.yml can name"),
    ],
)
def test_a_place_that_config_could_not_name_is_told(path: str, told: str) -> None:
    with pytest.raises(click.UsageError, match=told):
        read_place(path)
