"""Values that no request has: told at the very word, with the nearest that is one, and with what comes of it."""

from pathlib import Path

import pytest

from tests.unit.policy.test_addresses import HEX, RECEIVER, SEGWIT
from tests.unit.policy.written import policies_with
from vaultsigner.policy.lints import lints
from vaultsigner.policy.loader import load_with_places

ORDERS = "operations: [order.*]"
SENDS = "operations: [transfer.*]"
WITHDRAWS = "operations: [exchange.withdraw]"


def told(directory: Path, *rules: str, head: str = "") -> list[str]:
    policies = policies_with(directory, *rules, head=head)
    places = load_with_places(directory)[1]
    found = lints(policies, places=places)
    return [f"{str(each).removeprefix(f'{directory}/desk.yml:')}" for each in found]


@pytest.mark.parametrize(
    ("operations", "when", "said"),
    [
        (ORDERS, "side: {equals: buyy}", "did you mean buy?"),
        (ORDERS, "side: {in: [buy, long]}", "known here: buy, sell"),
        (ORDERS, "order_type: {equals: MARKET}", "known here: LIMIT"),
        (ORDERS, "time_in_force: {equals: GTC}", "known here: GTE, IOC"),
        ("operations: [vote.sign]", "option: {equals: Yess}", "did you mean Yes?"),
        ("operations: [exchange.order]", "side: {equals: SEL}", "did you mean SELL?"),
        (
            "operations: [exchange.order]",
            "time_in_force: {equals: FOC}",
            "known here: GTC, IOC, FOK, GTX, GTD, RPI, GTE_GTC",
        ),
        ("operations: [exchange.order]", "position_side: {equals: long}", "did you mean LONG?"),
        ("operations: [exchange.order]", "reduce_only: {equals: 'TRUE'}", "did you mean true?"),
        ("operations: [exchange.settings]", "margin_type: {equals: ISOLATE}", "did you mean ISOLATED?"),
        ("operations: [exchange.*, order.*]", "time_in_force: {equals: GTEE}", "did you mean GTE?"),
        ("operations: [exchange.*, order.*]", "side: {not_in: [none]}", "known here: buy, sell"),
    ],
)
def test_a_word_outside_a_closed_vocabulary_is_told(
    tmp_path: Path, operations: str, when: str, said: str
) -> None:
    (found,) = told(tmp_path, f"{{id: r, effect: allow, {operations}, when: {{{when}}}}}")
    field = when.partition(":")[0]
    assert f"rule r: no request has this {field}, so the rule " in found
    assert found.endswith(said)


@pytest.mark.parametrize(
    ("operations", "when"),
    [
        (ORDERS, "side: {in: [buy, SELL]}"),
        (ORDERS, "order_type: {equals: limit}"),
        (ORDERS, "time_in_force: {in: [gte, IOC]}"),
        ("operations: [vote.*]", "option: {not_in: [nowithveto, Abstain]}"),
        ("operations: [exchange.order]", "side: {equals: buy}"),
        ("operations: [exchange.order]", "position_side: {in: [LONG, BOTH]}, reduce_only: {equals: 'true'}"),
        ("operations: [exchange.order]", "type: {equals: TRAILING_STOP_MARKET_OF_TOMORROW}"),
        ("operations: [exchange.order]", "time_in_force: {equals: GTX}"),
        ("operations: [exchange.*, order.*]", "time_in_force: {in: [GTE, GTC]}"),
        ("operations: [exchange.order]", "order_type: {equals: MARKET}"),
        (ORDERS, "symbol: {equals: WHATEVER}"),
    ],
)
def test_a_word_of_any_operation_that_the_rule_covers_is_not_told(
    tmp_path: Path, operations: str, when: str
) -> None:
    assert not told(tmp_path, f"{{id: r, effect: allow, {operations}, when: {{{when}}}}}")


@pytest.mark.parametrize(
    ("effect", "operator", "so"),
    [
        ("allow", "in", "so the rule never matches by it"),
        ("deny", "in", "so the rule denies nothing by it"),
        ("allow", "not_in", "so the rule keeps nothing out by it"),
        ("deny", "not_in", "so the rule lets nothing through by it"),
    ],
)
def test_what_comes_of_it_is_told(tmp_path: Path, effect: str, operator: str, so: str) -> None:
    rule = f"{{id: r, effect: {effect}, {ORDERS}, when: {{side: {{{operator}: [byu]}}}}}}"
    (found,) = told(tmp_path, rule)
    assert so in found


def test_each_wrong_word_is_told_where_it_stands(tmp_path: Path) -> None:
    rule = "{id: r, effect: deny, operations: [order.*], when: {side: {in: [buy, byu, zell]}}}"
    found = told(tmp_path, rule)
    columns = [str(5 + rule.index(word)) for word in ("byu", "zell")]
    assert [each.split(":")[:2] for each in found] == [["4", column] for column in columns]


def test_a_wrong_address_in_a_list_is_told_once_and_where_the_list_stands(tmp_path: Path) -> None:
    wrong = RECEIVER.replace("q", "p", 1)
    rule = f"{{id: r1, effect: deny, {SENDS}, when: {{to_address: {{in: $bad}}}}}}"
    again = rule.replace("r1", "r2").replace("}}}", "}, symbol: {equals: BNB}}}")
    found = told(tmp_path, again, rule, head=f"lists: {{bad: [{RECEIVER}, {wrong}]}}")
    column = len("lists: {bad: [") + len(RECEIVER) + len(", ") + 1
    (about,) = [each for each in found if "checksum" in each]
    assert about.startswith(
        f"2:{column}: rule r2: the checksum of this address does not hold, so the rule denies"
    )


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (RECEIVER.upper(), "write it in small letters"),
        (RECEIVER.capitalize(), "write it in small letters"),
        (RECEIVER[:-1], "a character is wrong, missing or too many: copy it anew"),
        (
            SEGWIT,
            "no network of ours has this address, so the rule denies nothing by it; addresses begin with bnb1 or tbnb1",
        ),
        ("treasury", "no address that a transfer can go to"),
    ],
)
def test_an_address_that_no_transfer_goes_to_is_told(tmp_path: Path, written: str, said: str) -> None:
    rule = f"{{id: r, effect: deny, {SENDS}, when: {{to_address: {{equals: {written}}}}}}}"
    (found,) = told(tmp_path, rule)
    assert said in found
    assert found.startswith(f"4:{5 + rule.index(written)}: ")


def test_a_list_for_several_chains_is_told_only_where_it_has_nothing_for_this_one(tmp_path: Path) -> None:
    rule = f"{{id: r, effect: deny, {SENDS}, when: {{to_address: {{in: $many}}}}}}"
    assert not told(tmp_path, rule, head=f"lists: {{many: ['{HEX}', {RECEIVER}]}}")
    assert len(told(tmp_path, rule, head=f"lists: {{many: ['{HEX}', '0x1234']}}")) == 1


def test_addresses_of_withdrawals_may_be_of_any_chain(tmp_path: Path) -> None:
    rule = f"{{id: r, effect: deny, {WITHDRAWS}, when: {{address: {{in: [ADDRESSES]}}}}}}"
    assert not told(tmp_path, rule.replace("ADDRESSES", f"{SEGWIT}, '{HEX}', somewhere"))
    found = told(tmp_path, rule.replace("ADDRESSES", f"{SEGWIT.upper()}, {SEGWIT[:-1]}"))
    assert ["small letters" in each for each in found] == [True, False]
    assert ["checksum" in each for each in found] == [False, True]


def test_networks_of_the_configuration_are_networks(tmp_path: Path) -> None:
    rule = f"{{id: r, effect: deny, {SENDS}, when: {{to_address: {{equals: desk1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnz93v58}}}}}}"
    policies = policies_with(tmp_path, rule)
    assert len(lints(policies)) == 1
    assert not lints(policies, prefixes={"bnb", "tbnb", "desk"})


def test_no_message_repeats_what_may_be_a_secret_in_the_wrong_place(tmp_path: Path) -> None:
    secret = "c0ffee" * 10 + "cafe"
    rules = (
        f"{{id: a, effect: deny, {SENDS}, when: {{to_address: {{equals: {secret}}}}}}}",
        f"{{id: b, effect: deny, {ORDERS}, when: {{side: {{equals: {secret}}}}}}}",
    )
    found = told(tmp_path, *rules)
    assert len(found) == 2
    assert secret not in "".join(found)
