"""What counts as having typed a path."""

import pytest

from vaultsigner.cli.overwriting import names_place


@pytest.mark.parametrize(
    "typed", ["transit/main", "transit:transit/main", "vault:transit/main", "vault:transit/main#secret"]
)
def test_a_place_is_named_bare_or_as_in_the_configuration(typed: str) -> None:
    assert names_place(typed, "transit/main")


@pytest.mark.parametrize(
    "typed",
    ["", "yes", "main", "transit/other", "transit:transit/other", "transit/main#secret", "kv:transit/main"],
)
def test_everything_else_names_it_not(typed: str) -> None:
    assert not names_place(typed, "transit/main")
