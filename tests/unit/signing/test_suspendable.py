"""What a configuration has that can be suspended."""

import pytest

from tests.unit.cli.sample import sample_client, sample_exchange, sample_settings, sample_wallet
from vaultsigner.signing.json_bodies import UnusableBodyError
from vaultsigner.signing.suspensions import suspendable, suspension_of
from vaultsigner.state.suspensions import SuspensionKind

KNOWN = suspendable(
    sample_settings(
        sample_wallet("hot", "hot"),
        clients=[sample_client("bot", "bot")],
        exchanges=[sample_exchange("main", "transit:transit/main")],
    )
)


@pytest.mark.parametrize(("kind", "name"), [("wallet", "hot"), ("client", "bot"), ("exchange", "main")])
def test_what_the_configuration_names_can_be_suspended(kind: SuspensionKind, name: str) -> None:
    found = suspension_of(KNOWN, kind, name, "drill", by="ops", at_ms=1)
    assert (found.kind, found.name) == (kind, name)


@pytest.mark.parametrize(
    ("kind", "name", "hint"),
    [
        ("exchange", "mian", "no exchange has this name; did you mean main?"),
        ("exchange", "hot", "no exchange has this name; known here: main"),
        ("user", "bot", "no user has this name; there is none yet"),
    ],
)
def test_in_an_emergency_a_mistyped_name_does_not_pass_for_done(
    kind: SuspensionKind, name: str, hint: str
) -> None:
    with pytest.raises(UnusableBodyError, match=hint.replace("?", r"\?")):
        suspension_of(KNOWN, kind, name, "drill", by="ops", at_ms=1)
