"""Whether one rule speaks of everything that another speaks of. Where that is not easily seen, the answer is no. Pure."""

from vaultsigner.policy.conditions import Bound, Condition, DecimalIn, FromNetworks, TextIn
from vaultsigner.policy.rules import NamePatterns, Rule

Membership = TextIn | DecimalIn
_UPPER = ("max", "below")


def covers(wide: Rule, narrow: Rule) -> bool:
    """True when every request that `narrow` matches is matched by `wide`, too."""
    if wide.expires is not None and (narrow.expires is None or narrow.expires > wide.expires):
        return False
    asked = {condition.field for condition in narrow.conditions} | {limit.field for limit in narrow.limits}
    return (
        narrow.operations <= wide.operations
        and _covers_names(wide.principals, narrow.principals)
        and _covers_names(wide.targets, narrow.targets)
        and all(limit.field is None or limit.field in asked for limit in wide.limits)
        and all(any(implies(own, other) for own in narrow.conditions) for other in wide.conditions)
    )


def _covers_names(wide: NamePatterns, narrow: NamePatterns) -> bool:
    if wide.everything or narrow.everything:
        return wide.everything
    return narrow.kinds <= wide.kinds and all(wide.match(name) for name in narrow.names | narrow.members)


def implies(strong: Condition, weak: Condition) -> bool:
    """True when whatever meets `strong` meets `weak`. Both are about one field then, so neither is unknown without the other."""
    if strong == weak or strong.field != weak.field:
        return strong == weak
    match strong, weak:
        case (TextIn() | DecimalIn(), TextIn() | DecimalIn()):
            return _membership_implies(strong, weak)
        case (DecimalIn(), Bound()):
            return not strong.negated and all(weak.lets(value) for value in strong.values)
        case (Bound(), Bound()):
            return _bound_implies(strong, weak)
        case (FromNetworks(), FromNetworks()):
            return _networks_imply(strong, weak)
    return False


def _membership_implies(strong: Membership, weak: Membership) -> bool:
    own, other = _values(strong), _values(weak)
    if strong.negated:
        return weak.negated and other <= own
    return not own & other if weak.negated else own <= other


def _values(membership: Membership) -> frozenset[object]:
    """As they are compared: two spellings of one word or address are one value."""
    return frozenset(membership.compared if isinstance(membership, TextIn) else membership.values)


def _bound_implies(strong: Bound, weak: Bound) -> bool:
    if (strong.kind in _UPPER) is not (weak.kind in _UPPER):
        return False
    if strong.bound == weak.bound:
        return strong.kind in ("above", "below") or strong.kind == weak.kind
    return (strong.bound < weak.bound) is (strong.kind in _UPPER)


def _networks_imply(strong: FromNetworks, weak: FromNetworks) -> bool:
    if strong.negated or weak.negated:
        return False
    return all(
        any(one.version == other.version and one.subnet_of(other) for other in weak.networks)  # type: ignore[arg-type]  # same version
        for one in strong.networks
    )


def contradict(one: Condition, other: Condition) -> bool:
    """True when nothing can meet both."""
    if one.field != other.field:
        return False
    match one, other:
        case (Bound(), Bound()):
            return _bounds_contradict(one, other)
        case (DecimalIn(), Bound()):
            return not one.negated and not any(other.lets(value) for value in one.values)
        case (Bound(), DecimalIn()):
            return contradict(other, one)
        case (TextIn() | DecimalIn(), TextIn() | DecimalIn()):
            return _memberships_contradict(one, other)
    return False


def _memberships_contradict(one: Membership, other: Membership) -> bool:
    own, others = _values(one), _values(other)
    if one.negated or other.negated:
        return not (one.negated and other.negated) and (others <= own if one.negated else own <= others)
    return not own & others


def _bounds_contradict(one: Bound, other: Bound) -> bool:
    if (one.kind in _UPPER) is (other.kind in _UPPER):
        return False
    upper, lower = (one, other) if one.kind in _UPPER else (other, one)
    strict = upper.kind == "below" or lower.kind == "above"
    return lower.bound >= upper.bound if strict else lower.bound > upper.bound
