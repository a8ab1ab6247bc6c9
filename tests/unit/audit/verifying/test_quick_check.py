"""The quick check takes no line that the strict one refuses, and goes on exactly as it does."""

import json
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.audit.long_log import CHAIN, long_log
from vaultsigner.audit.chain import DamagedChainError, Head, seal, verify_lines
from vaultsigner.audit.verifying import quick_check
from vaultsigner.audit.verifying.quick_check import ChainFollower, is_plain_outline
from vaultsigner.domain.names import JsonValue

NAMES = st.text(st.sampled_from('abz:"\\{}[],0\x7f\u2028é'), max_size=6)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
HEAD = Head(CHAIN, 41, "ab" * 32, 1_795_000_000_000_000)
PLAIN: dict[str, JsonValue] = {"kind": "control", "number": 7, "text": "plain", "none": None, "list": []}


def resealed(body: str) -> bytes:
    """A line with a correct hash, whatever the body is."""
    return f'{body[:-1]},"hash":"{sha256(body.encode()).hexdigest()}"}}\n'.encode()


def strictly(line: bytes, before: Head) -> Head | str:
    try:
        head = verify_lines((line,), before)
    except DamagedChainError as error:
        return error.damage
    assert head is not None
    return head


def quickly(line: bytes, before: Head, follower: ChainFollower | None = None) -> Head | str:
    follower = follower or ChainFollower(before)
    try:
        follower.take(line)
    except DamagedChainError as error:
        assert follower.head == before
        return error.damage
    return follower.head


def plain_taken(line: bytes, before: Head) -> bool:
    """Whether the line needed no second look."""
    return ChainFollower(before)._took_plain(line)


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_a_record_is_followed_as_the_strict_check_does(members: dict[str, JsonValue]) -> None:
    line, head = seal(members, HEAD, HEAD.time_us + 5)
    assert quickly(line, HEAD) == strictly(line, HEAD) == head


@settings(max_examples=300)
@given(st.dictionaries(NAMES, VALUES, max_size=3), st.data())
def test_a_changed_record_with_a_correct_hash_is_judged_alike(
    members: dict[str, JsonValue], data: st.DataObject
) -> None:
    line, _ = seal({**PLAIN, **members}, HEAD, HEAD.time_us + 5)
    body = line[:-76].decode() + "}"
    begin = data.draw(st.integers(0, len(body) - 1))
    end = data.draw(st.integers(begin, min(len(body), begin + 3)))
    put = data.draw(st.text(st.sampled_from('":,{}[]0179-.e \\a\x7f'), max_size=3))
    changed = resealed(body[:begin] + put + body[end:])
    for times in (1, quick_check.SEEN_BEFORE_A_PATTERN + 1):  # its outline is known now; it is a pattern now
        follower = accustomed(line, times)
        assert quickly(changed, HEAD, follower) == strictly(changed, HEAD)


def accustomed(line: bytes, times: int) -> ChainFollower:
    """A follower that has seen a line that continues `HEAD` so many times."""
    follower = ChainFollower(HEAD)
    for _ in range(times):
        follower.take(line)
        follower._be_at(HEAD)
    return follower


@pytest.mark.parametrize(
    "change",
    [
        ("plain", "pl\x7fain"),
        ("plain", "pl\tain"),
        ("plain", "pl\u00e9in"),
        (":7,", ":07,"),
        (":7,", ":-0,"),
        (":7,", ":7.00,"),
        (":7,", ": 7,"),
        (":7,", ":7e0,"),
        (":7,", ":123456789012345678.5,"),
        ('"text":"plain"', '"text":"plain","text":"plain"'),
        ('"kind"', '"zind"'),
        ('"v":1', '"v":01'),
        ('"v":1', '"v":10'),
        ('"v":1', '"v":"1"'),
        ('"seq":42', '"seq":"42"'),
        ('"seq":42', '"seq":43'),
        ('"seq":42', '"seq":42,"seq":42'),
        ("Z", "z"),
        ("T11:06:40", "T24:00:00"),
        (f'"chain":"{CHAIN}"', f'"chain":"{CHAIN}","chain":"x"'),
    ],
)
def test_what_is_no_canonical_record_is_not_taken(change: tuple[str, str]) -> None:
    line, _ = seal(PLAIN, HEAD, HEAD.time_us + 5)
    assert plain_taken(line, HEAD)
    changed = resealed((line[:-76].decode() + "}").replace(*change, 1))
    assert changed != line
    assert not plain_taken(changed, HEAD)
    assert isinstance(quickly(changed, HEAD), str)
    assert quickly(changed, HEAD) == strictly(changed, HEAD)
    assert quickly(changed, HEAD, with_pattern(line)) == strictly(changed, HEAD)


def with_pattern(line: bytes) -> ChainFollower:
    """A follower that knows the line's outline as a pattern."""
    follower = accustomed(line, quick_check.SEEN_BEFORE_A_PATTERN)
    (pattern,) = follower._patterns
    assert pattern.match(line)
    return follower


def test_a_pattern_is_what_its_outline_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other values of every form: taken by the pattern alone, and by the strict check."""
    line, _ = seal({**PLAIN, "nested": {"a": "", "b": 0, "c": -7, "d": [{"e": "x"}]}}, HEAD, HEAD.time_us)
    follower = with_pattern(line)
    monkeypatch.setattr(follower, "_match_by_outline", lambda _: None)
    for text, number in (("", 0), ("!#[]{}:,~", 10**18 - 1), (7, "seven"), ("0", 1)):
        nested: dict[str, JsonValue] = {"a": text, "b": number, "c": -7, "d": [{"e": text}]}
        members: dict[str, JsonValue] = {**PLAIN, "number": number, "text": text, "nested": nested}
        changed, head = seal(members, HEAD, HEAD.time_us + 59_999_999)
        assert follower._took_plain(changed), changed
        assert follower.head == head == strictly(changed, HEAD)
        follower._be_at(HEAD)
    wrongs: tuple[JsonValue, ...] = (-1, 10**18, "é", '"', "\\", None, 1.5)  # type: ignore[assignment]  # ours have no fractions
    for wrong in wrongs:
        changed, _ = seal({**PLAIN, "number": wrong, "nested": nested}, HEAD, HEAD.time_us)
        assert not follower._took_plain(changed), changed


def test_records_in_turns_are_known_by_their_patterns(monkeypatch: pytest.MonkeyPatch) -> None:
    log = long_log(CHAIN, 400)
    follower = ChainFollower(Head(CHAIN))
    for line in log.lines[:200]:
        follower.take(line)
    looked: list[bytes] = []
    monkeypatch.setattr(follower, "_match_by_outline", looked.append)
    for line in log.lines[200:]:
        follower.take(line)
    assert follower.head == log.heads[-1]
    assert all(b"\\" in line or b"unknown_members" in line for line in looked)


def test_places_inside_another_member_do_not_count() -> None:
    """The chain's own members are those of the record, not of what is in it."""
    inner: dict[str, JsonValue] = {
        "prev": HEAD.hash,
        "seq": 42,
        "chain": CHAIN,
        "time": "2026-11-20T00:00:00.000000Z",
        "v": 1,
    }
    line, _ = seal({"details": inner}, Head(CHAIN, 7, "cd" * 32, 0), 1_795_000_000_000_000)
    assert not plain_taken(line, HEAD)
    assert (
        quickly(line, HEAD)
        == strictly(line, HEAD)
        == "out of order: the number does not follow the record before"
    )


@pytest.mark.parametrize("chain", ['a","seq":42,"x":"', "é", "a\\", "a:b"])
def test_a_chain_of_any_name_is_followed(chain: str) -> None:
    line, head = seal(PLAIN, Head(chain), 5)
    assert quickly(line, Head(chain)) == head


@pytest.mark.parametrize(
    "outline",
    [
        b'{"chain":0,"prev":0,"seq":0,"time":0}',
        b'{"a":{"v":0},"chain":0,"prev":0,"seq":0,"time":0}',
        b'{"a":{"v":0},"chain":0,"prev":0,"seq":0,"time":0,"v":0}',
        b'{"a:":0,"chain":0,"prev":0,"seq":0,"time":0,"v":0}',
        b'{"a":["b:"],"chain":0,"prev":0,"seq":0,"time":0,"v":0}',
        b'{"a":["\\n"],"chain":0,"prev":0,"seq":0,"time":0,"v":0}',
        b'{"prev":0,"chain":0,"seq":0,"time":0,"v":0}',
        b'[{"chain":0,"prev":0,"seq":0,"time":0,"v":0}]',
        b'{"chain":0,"prev":0,"seq":0,"time":0,"v":0',
        b"[" * 100_000,
    ],
)
def test_outlines_that_say_too_little_are_not_relied_on(outline: bytes) -> None:
    assert is_plain_outline(b'{"a":[],"chain":0,"prev":0,"seq":0,"time":0,"v":0}')
    assert not is_plain_outline(outline)


def test_a_whole_log_is_followed_and_most_of_it_without_a_second_look() -> None:
    log = long_log()
    follower, plain = ChainFollower(Head(CHAIN)), 0
    for line, head in zip(log.lines, log.heads, strict=True):
        plain += plain_taken(line, follower.head)
        follower.take(line)
        assert follower.head == head
    # Every fifth record has a text with a backslash.
    assert plain == len(log.lines) * 4 // 5


def test_outlines_are_not_kept_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick_check, "OUTLINES_KEPT", 8)
    follower = ChainFollower(Head(CHAIN))
    head = Head(CHAIN)
    for number in range(100):
        line, head = seal({f"name{number}": ""}, head, 5)
        follower.take(line)
    assert follower.head == head
    assert len(follower._outlines) <= 8


def test_the_outline_of_a_line_is_what_is_left_without_its_values() -> None:
    line, _ = seal(PLAIN, HEAD, HEAD.time_us)
    body = line[:-76] + b"}"
    outline = quick_check._VALUE.sub(b":0", body)
    assert json.loads(outline) == {
        **dict.fromkeys(json.loads(body), 0),
        "none": None,
        "list": [],
    }


def test_a_hash_or_a_link_that_does_not_fit_is_not_taken() -> None:
    line, _ = seal(PLAIN, HEAD, HEAD.time_us)
    altered = line.replace(b'"text":"plain"', b'"text":"plaid"')
    unlinked, _ = seal(PLAIN, Head(CHAIN, HEAD.seq, "cd" * 32, HEAD.time_us), HEAD.time_us)
    for follower in (ChainFollower(HEAD), with_pattern(line)):
        for wrong in (altered, unlinked):
            assert not follower._took_plain(wrong)
            assert quickly(wrong, HEAD, follower) == strictly(wrong, HEAD)
