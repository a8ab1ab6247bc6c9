"""Closed vocabularies: exactly the words that requests are told with."""

from itertools import product
from typing import Any

import pytest

from vaultsigner.domain.names import Operation
from vaultsigner.formats.bnb_beacon.message_types import ORDER_TYPES, SIDES, TIMES_IN_FORCE, VOTE_OPTIONS
from vaultsigner.formats.exchange.field_values import one_spelling
from vaultsigner.policy.fields import FIELDS
from vaultsigner.policy.operations import OPERATIONS
from vaultsigner.policy.vocabularies import words_of

BEACON = {"side": SIDES, "order_type": ORDER_TYPES, "time_in_force": TIMES_IN_FORCE, "option": VOTE_OPTIONS}
EXCHANGE = ("side", "time_in_force", "position_side", "margin_type", "reduce_only")
CLOSED = {*BEACON, *EXCHANGE}


@pytest.mark.parametrize("field", EXCHANGE)
def test_the_words_of_exchanges_are_those_that_intents_have(field: str) -> None:
    words = words_of([Operation("exchange.order")], field)
    assert words
    assert [one_spelling(field, word) for word in words] == list(words)


@pytest.mark.parametrize("field", BEACON)
def test_the_words_of_the_beacon_chain_are_those_of_its_messages(field: str) -> None:
    operation = Operation("vote.sign" if field == "option" else "order.sign")
    assert words_of([operation], field) == tuple(BEACON[field].values())


def test_what_is_open_or_not_there_has_no_words() -> None:
    order, exchange = Operation("order.sign"), Operation("exchange.order")
    for field in FIELDS.keys() - CLOSED:
        assert words_of(OPERATIONS, field) == ()
    assert words_of([order], "option") == ()
    assert words_of([exchange], "order_type") == ()
    assert words_of([order], "position_side") == ()
    assert words_of([Operation("open_api.token")], "side") == ()


def test_all_operations_together_have_the_words_of_each() -> None:
    one_by_one: Any = {
        (field, word.upper())
        for operation, field in product(OPERATIONS, CLOSED)
        for word in words_of([operation], field)
    }
    together = {(field, word.upper()) for field in CLOSED for word in words_of(OPERATIONS, field)}
    assert one_by_one == together
    assert {("side", "BUY"), ("time_in_force", "GTX"), ("time_in_force", "GTE")} <= together
