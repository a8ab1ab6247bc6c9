"""What must hold for any rules at all, with conditions, limits and approvals."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from ipaddress import IPv4Address, ip_network

from hypothesis import given
from hypothesis import strategies as st

from vaultsigner.domain.circumstances import Circumstances
from vaultsigner.domain.decisions import Approvals, Decision
from vaultsigner.domain.intents import Intent
from vaultsigner.domain.principals import Principal
from vaultsigner.policy import PolicySet, Rule
from vaultsigner.policy.conditions import Bound, Condition, DecimalIn, FromNetworks, TextIn
from vaultsigner.policy.facts import Question
from vaultsigner.policy.limits import LimitRule
from vaultsigner.policy.operations import OPERATIONS
from vaultsigner.policy.rules import NamePatterns
from vaultsigner.policy.times import DuringTime

PEOPLE, WALLETS, SYMBOLS = ("a", "b", "c"), ("v", "w"), ("BNB", "BTC", "ETH")
VALUES = ("0", "0.5", "1", "2.5", "100", "12345.678")
DECIMALS = st.sampled_from(VALUES).map(Decimal)
OPERATION = st.sampled_from((*OPERATIONS[:3], *OPERATIONS[-2:]))


def names(kind: str, known: tuple[str, ...]) -> st.SearchStrategy[NamePatterns]:
    """Everything, a kind, some by name, some through a group."""
    some = st.frozensets(st.sampled_from(known).map(lambda name: f"{kind}:{name}"))
    return st.builds(
        NamePatterns,
        everything=st.booleans(),
        kinds=st.sampled_from((frozenset[str](), frozenset({kind}))),
        names=some,
        groups=st.just(frozenset[str]()),
        members=some,
    )


CONDITION: st.SearchStrategy[Condition] = st.one_of(
    st.builds(TextIn, st.just("symbol"), st.frozensets(st.sampled_from(SYMBOLS), min_size=1), st.booleans()),
    st.builds(DecimalIn, st.just("amount"), st.frozensets(DECIMALS, min_size=1), st.booleans()),
    st.builds(
        Bound,
        st.sampled_from(("amount", "notional", "price")),
        st.sampled_from(("max", "min", "above", "below")),
        DECIMALS,
    ),
    st.builds(FromNetworks, st.just((ip_network("10.0.0.0/8"),)), st.booleans()),
    st.builds(
        DuringTime,
        st.frozensets(st.integers(0, 6), min_size=1),
        st.sampled_from((0, 480, 1320)),
        st.sampled_from((360, 1080, 1440)),
        st.sampled_from(("UTC", "Europe/Zurich")),
    ),
)
LIMIT = st.one_of(
    st.builds(LimitRule, st.just("count"), st.none(), st.just(Decimal(5)), st.just(60), st.just("principal")),
    st.builds(
        LimitRule, st.just("sum"), st.just("amount"), st.just(Decimal(5)), st.just(60), st.just("target")
    ),
)
RULE = st.builds(
    Rule,
    id=st.just(""),
    effect=st.sampled_from(("allow", "deny")),
    principals=names("user", PEOPLE),
    targets=names("wallet", WALLETS),
    operations=st.frozensets(OPERATION, min_size=1),
    place=st.none(),
    conditions=st.lists(CONDITION, max_size=3).map(tuple),
    limits=st.lists(LIMIT, max_size=2).map(tuple),
    approvals=st.sampled_from((None, None, Approvals(1, ("user:a",), 60))),
    expires=st.sampled_from((None, None, datetime(2026, 11, 20, tzinfo=UTC).date())),
).map(lambda rule: rule if rule.effect == "allow" else replace(rule, limits=(), approvals=None, expires=None))
RULES = st.lists(RULE, max_size=6).map(
    lambda rules: [replace(rule, id=f"r{number}") for number, rule in enumerate(rules)]
)
MORE = RULES.map(lambda rules: [replace(rule, id=f"more-{rule.id}") for rule in rules])
ITEM = st.fixed_dictionaries(
    {},
    optional={
        "symbol": st.sampled_from((*SYMBOLS, "")),
        "amount": st.sampled_from((*VALUES, "NaN", "-1")),
        "price": st.sampled_from(VALUES),
        "quantity": st.sampled_from((*VALUES, "x")),
    },
)
ITEMS = st.lists(ITEM, min_size=1, max_size=3)
MOMENT = st.integers(0, 7 * 24 * 60).map(
    lambda minutes: datetime(2026, 11, 18, tzinfo=UTC) + timedelta(minutes=minutes)
)
KNOWN = st.builds(
    Circumstances, st.sampled_from((IPv4Address("10.0.0.1"), IPv4Address("203.0.113.9"))), MOMENT
)
Request = tuple[Principal, Intent, Circumstances | None]
REQUEST = st.builds(
    lambda who, operation, wallet, items, circumstances: (
        Principal("user", who),
        Intent(operation, f"wallet:{wallet}", tuple(items)),
        circumstances,
    ),
    st.sampled_from((*PEOPLE, "nobody")),
    OPERATION,
    st.sampled_from((*WALLETS, "other")),
    ITEMS,
    st.one_of(st.none(), KNOWN),
)


def decide(rules: list[Rule], request: Request) -> Decision:
    return PolicySet("sha256:0", tuple(rules)).evaluate(*request)


@given(RULES, REQUEST)
def test_the_index_changes_nothing(rules: list[Rule], request: Request) -> None:
    """By the words of the documentation, rule by rule."""
    found = [rule for rule in rules if rule.match(Question(*request)).matched]
    denying = [rule.id for rule in found if rule.effect == "deny"]
    at_once = [rule.id for rule in found if rule.effect == "allow" and rule.approvals is None]
    after_approvals = [rule.id for rule in found if rule.effect == "allow" and rule.approvals is not None]
    decided = decide(rules, request)
    assert decided.rule == next(iter([*denying, *at_once, *after_approvals]), None)
    assert decided.allowed == (bool(at_once or after_approvals) and not denying)
    assert (decided.approvals is not None) == (decided.rule in after_approvals)


@given(RULES, st.lists(REQUEST, min_size=2, max_size=6))
def test_what_was_asked_before_changes_nothing(rules: list[Rule], requests: list[Request]) -> None:
    asked = PolicySet("sha256:0", tuple(rules))
    for request in (*requests, *reversed(requests)):
        assert asked.evaluate(*request) == decide(rules, request)


@given(RULES, MORE, REQUEST)
def test_another_deny_rule_never_allows_more(rules: list[Rule], more: list[Rule], request: Request) -> None:
    if not decide(rules, request).allowed:
        assert not decide(rules + [rule for rule in more if rule.effect == "deny"], request).allowed


@given(RULES, MORE, REQUEST)
def test_another_allow_rule_never_denies_more(rules: list[Rule], more: list[Rule], request: Request) -> None:
    before = decide(rules, request)
    if before.allowed:
        after = decide(rules + [rule for rule in more if rule.effect == "allow"], request)
        assert after.allowed
        assert before.approvals is not None or after.approvals is None


@given(RULES.flatmap(lambda rules: st.tuples(st.just(rules), st.permutations(rules))), REQUEST)
def test_the_order_of_rules_changes_only_which_is_named(
    orders: tuple[list[Rule], list[Rule]], request: Request
) -> None:
    first, second = (decide(order, request) for order in orders)
    assert first.effect == second.effect
    assert (first.approvals is None) == (second.approvals is None)
    assert (first.rule is None) == (second.rule is None)


@given(REQUEST)
def test_no_rules_deny_everything(request: Request) -> None:
    assert decide([], request) == Decision("deny", None, "sha256:0", "no rule matches")


@given(RULES, REQUEST, KNOWN)
def test_not_knowing_where_from_and_when_never_allows_more(
    rules: list[Rule], request: Request, known: Circumstances
) -> None:
    principal, intent, _ = request
    if decide(rules, (principal, intent, None)).allowed:
        assert decide(rules, (principal, intent, known)).allowed


@given(RULES, REQUEST, st.sampled_from(("symbol", "amount", "price")))
def test_leaving_a_field_out_never_allows_more(rules: list[Rule], request: Request, field: str) -> None:
    principal, intent, circumstances = request
    items = tuple({name: value for name, value in item.items() if name != field} for item in intent.items)
    if decide(rules, (principal, replace(intent, items=items), circumstances)).allowed:
        assert decide(rules, request).allowed


@given(RULES, REQUEST, ITEM)
def test_one_more_payment_never_allows_more(
    rules: list[Rule], request: Request, item: dict[str, str]
) -> None:
    principal, intent, circumstances = request
    longer = replace(intent, items=(*intent.items, item))
    if decide(rules, (principal, longer, circumstances)).allowed:
        assert decide(rules, request).allowed


def respelled(value: str, spelling: int) -> str:
    """The same decimal in other words; what is no decimal stays as it is."""
    if not value[:1].isdigit():
        return value
    number = Decimal(value)
    whole = int(number * 10**8)
    return (
        f"{number:.8f}",
        f"{whole}e-8",
        f"{whole}E-08",
        f"000{value}",
        f"{number:E}",
        f"{value}." if "." not in value else f"{value}00",
    )[spelling]


@given(RULES, REQUEST, st.lists(st.integers(0, 5), min_size=9, max_size=9))
def test_the_spelling_of_decimals_changes_nothing(
    rules: list[Rule], request: Request, spellings: list[int]
) -> None:
    principal, intent, circumstances = request
    chosen = iter(spellings)
    items = tuple(
        {
            name: respelled(str(value), next(chosen)) if name != "symbol" else value
            for name, value in item.items()
        }
        for item in intent.items
    )
    assert decide(rules, (principal, replace(intent, items=items), circumstances)) == decide(rules, request)


@given(st.lists(st.from_regex(r"[0-9]{1,12}(\.[0-9]{1,12})?(e-?[0-9]{1,2})?", fullmatch=True), min_size=1))
def test_sums_are_exact(amounts: list[str]) -> None:
    rule = Rule(
        "r",
        "allow",
        NamePatterns(everything=True),
        NamePatterns(everything=True),
        frozenset(OPERATIONS),
        limits=(LimitRule("sum", "amount", Decimal(1), 60, "rule"),),
    )
    intent = Intent(OPERATIONS[0], "wallet:w", tuple({"amount": amount} for amount in amounts))
    (limit,) = decide([rule], (Principal("user", "a"), intent, None)).limits
    assert Fraction(limit.use) == sum(Fraction(amount) for amount in amounts)
