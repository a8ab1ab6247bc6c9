"""Strict YAML: what is read, what is refused and where, and that nothing takes long to refuse."""

import json
import re
import time
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.marked_text import unmarked
from tests.work import slowness
from vaultsigner import strict_yaml
from vaultsigner.strict_yaml import Document, Position, YamlValue, parse


def read(text: str | bytes, *, max_bytes: int = 20_000_000) -> Document:
    return parse(text.encode() if isinstance(text, str) else text, max_bytes=max_bytes)


@pytest.fixture(params=["CSafeLoader", "SafeLoader"])
def either_parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """libyaml's parser, and the one of PyYAML itself that takes over where libyaml is missing."""
    monkeypatch.setattr(strict_yaml, "_LOADER", getattr(yaml, request.param))


ACCEPTED: list[tuple[str, YamlValue]] = [
    ("true", True),
    ("false", False),
    ("null", None),
    ("0", 0),
    ("10080", 10080),
    ("-5", -5),
    ("999999999999999999", 999999999999999999),
    ("text", "text"),
    ('"010"', "010"),
    ("'yes'", "yes"),
    ('"2026-11-21"', "2026-11-21"),
    ('"~"', "~"),
    ("127.0.0.1:8000", "127.0.0.1:8000"),
    ("10.0.0.0/8", "10.0.0.0/8"),
    ("fd00::/8", "fd00::/8"),
    ("1.2.3", "1.2.3"),
    ("http://127.0.0.1:8200", "http://127.0.0.1:8200"),
    ("vault:secret/wallets/wallet_1#private_key", "vault:secret/wallets/wallet_1#private_key"),
    ("order.*", "order.*"),
    ("user:*", "user:*"),
    ("trueish", "trueish"),
    ("none", "none"),
    ("Zürich", "Zürich"),
    ('"a\\nb"', "a\nb"),
    ("|\n  one\n  two\n", "one\ntwo\n"),
    ("[]", []),
    ("{}", {}),
    ("[a, 1, [b]]", ["a", 1, ["b"]]),
]


@pytest.mark.usefixtures("either_parser")
@pytest.mark.parametrize(("text", "value"), ACCEPTED, ids=[text for text, _ in ACCEPTED])
def test_values_that_everybody_reads_alike_are_accepted(text: str, value: YamlValue) -> None:
    document = read(f"key: {text}")
    assert document.problems == []
    assert document.complete
    assert document.value == {"key": value}
    assert type(document.value) is dict
    assert type(document.value["key"]) is type(value)


NUMBERS = [
    *(
        "010",
        "00",
        "0_1",
        "0x1f",
        "0X1F",
        "0o7",
        "0O7",
        "0b1",
        "1_000",
        "+1",
        "-0",
        "-010",
        "1000000000000000000",
    ),
    *("1.5", "-1.5", "1.", ".5", "-.5", "+.5", "1e3", "1E3", "1.5e3", "1.5e+3", "5e12", "1_0.5"),
    *("12:30", "12:30:45", "190:20:30.15", "1:2:3:4:5:6:7:8", "-1:30"),
    *(".inf", "-.inf", "+.Inf", ".INF", ".nan", ".NaN"),
]
TRUTH_WORDS = [
    "yes",
    "Yes",
    "YES",
    "no",
    "NO",
    "on",
    "On",
    "OFF",
    "off",
    "y",
    "Y",
    "n",
    "N",
    "True",
    "TRUE",
    "False",
    "FALSE",
]
NULLS = ["~", "Null", "NULL", "nULL"]
DATES = ["2026-11-21", "2026-1-1", "2026-11-21T08:15:30Z", "2026-11-21 08:15:30.5 +1"]
OTHERS = ["=", "<<"]


@pytest.mark.usefixtures("either_parser")
@pytest.mark.parametrize("word", NUMBERS + TRUTH_WORDS + NULLS + DATES + OTHERS)
def test_a_word_that_yaml_would_retype_is_refused_with_what_to_write(word: str) -> None:
    (problem,) = read(f"first: a\nkey: {word}\n").problems
    assert (problem.path, problem.position) == (("key",), Position(2, 6))
    if len(word) <= 12:
        assert f'"{word}" in quotes' in problem.hint
    else:
        assert "it in quotes" in problem.hint


@pytest.mark.parametrize(
    ("word", "advice"),
    [
        ("yes", "write true,"),
        ("On", "write true,"),
        ("n", "write false,"),
        ("FALSE", "write false,"),
        ("~", "write null,"),
    ],
)
def test_the_advice_names_the_plain_word(word: str, advice: str) -> None:
    (problem,) = read(f"key: {word}").problems
    assert problem.hint.startswith(advice)


@pytest.mark.parametrize("key", sorted(strict_yaml.SECRET_KEYS))
def test_a_retyped_word_under_a_secrets_name_is_not_repeated(key: str) -> None:
    (problem,) = read(f"{key}: 0123").problems
    assert "0123" not in problem.message + problem.hint


CONSTRUCTS = [
    ("anchor", "a: «&x b", "an anchor"),
    ("anchor on a list", "a: «&x [b]", "an anchor"),
    ("anchor on a key", "«&x a: b", "an anchor"),
    ("alias", "a: b\nc: «*a", "an alias"),
    ("alias in a list", "a: [b, «*a]", "an alias"),
    ("alias as key", "a: b\n«*a : c", "not an alias"),
    ("tag", "a: «!!int 5", "a tag"),
    ("tag of one's own", "a: «!secret 5", "a tag"),
    ("bare tag", "a: «! 5", "a tag"),
    ("python tag", "a: «!!python/object/apply:os.system [id]", "a tag"),
    ("merge key", "a:\n  «<<: {b: c}", "merge key"),
    ("second document", "a: b\n«---\nc: d", "a second document"),
    ("directive", "«%YAML 1.1\n---\na: b", "directive"),
    ("repeated key", "a: b\n«a: c", "there twice; the first is in line 1"),
    ("repeated key in quotes", 'a: b\n«"a": c', "there twice"),
    ("repeated key in escapes", 'a: b\n«"\\x61": c', "there twice"),
    ("repeated key further in", "x:\n  - {a: b, «a: c}", "there twice"),
    ("key that is a number", "«1: b", "does not read as text"),
    ("key that is a truth word", "«on: b", "does not read as text"),
    ("key that is null", "«~: b", "does not read as text"),
    ("no key at all", "?«\n: b", "does not read as text"),
    ("list as key", "? «[a, b]\n: c", "not a list"),
    ("mapping as key", "«{a: b}: c", "not a list"),
    ("no value", "a:«\nb: c", "no value"),
    ("no value in a list", "a:\n  -«\n  - b", "no value"),
    ("no value in braces", "{a«, b: c}", "no value"),
    ("text over several lines", "a: «b\n  c", "several lines"),
    ("escaped control character", 'a: «"\\0"', "control or invisible"),
    ("escaped turning mark", 'a: «"\\u202e"', "control or invisible"),
]


@pytest.mark.usefixtures("either_parser")
@pytest.mark.parametrize(
    ("text", "message"), [case[1:] for case in CONSTRUCTS], ids=[case[0] for case in CONSTRUCTS]
)
def test_yamls_comforts_are_refused_at_their_place(text: str, message: str) -> None:
    plain, line, column = unmarked(text)
    (problem,) = read(plain).problems
    assert message in problem.message
    assert problem.position == Position(line, column)
    assert problem.hint


UNREADABLE = [
    ("tab for indentation", "a:\n«\tb: c", "a tab"),
    ("tab elsewhere", "a:«\tb", "a tab"),
    ("a list where keys stand", "a: b\n«- c", "not YAML"),
    ("star without quotes", "a: [*«]", "not YAML"),
    ("control character", "a: «\x01", "U+0001"),
    ("delete", "a: «\x7f", "U+007F"),
    ("line break of YAML 1.1 alone", "a: b«\x85c: d", "U+0085"),
    ("line separator", "a: b«\u2028c: d", "U+2028"),
    ("carriage return on its own", "a: b«\rc: d", "U+000D"),
    ("no-break blank", "a:«\xa0b", "U+00A0"),
    ("turning mark", "a: b # «\u202e", "U+202E"),
    ("byte order mark inside", "a: «\ufeffb", "U+FEFF"),
]


@pytest.mark.parametrize(
    ("text", "message"), [case[1:] for case in UNREADABLE], ids=[case[0] for case in UNREADABLE]
)
def test_what_cannot_be_read_ends_the_reading_at_its_place(text: str, message: str) -> None:
    plain, line, column = unmarked(text)
    document = read(plain)
    (problem,) = document.problems
    assert message in problem.message
    assert problem.position == Position(line, column)
    assert not document.complete


def test_a_star_without_quotes_is_told_how_to_write_it() -> None:
    assert '"*"' in read("a: [*]").problems[0].hint


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xef\xbb\xbfa: b", "byte order mark"),
        ("a: b".encode("utf-16"), "byte order mark"),
        ("a: b".encode("utf-16-le"), "U+0000"),
        (b"a: b\nc: \xff", "not UTF-8"),
        (b"a: \xed\xa0\x80", "not UTF-8"),
        (b"a: [b", "not YAML"),
        (b"a: 'b", "not YAML"),
        (b'a: "\\q"', "not YAML"),
    ],
)
def test_files_that_are_no_utf8_yaml_are_refused(data: bytes, message: str) -> None:
    document = read(data)
    assert message in document.problems[0].message
    assert not document.complete


def test_the_place_of_bytes_that_are_no_utf8_is_told() -> None:
    assert read(b"a: b\nc: \xff").problems[0].position == Position(2, 4)


def test_windows_line_ends_are_fine() -> None:
    document = read(b"a: b\r\nc:\r\n  - d\r\n")
    assert document.problems == []
    assert document.value == {"a": "b", "c": ["d"]}
    assert document.values[("c", 0)] == Position(3, 5)


def test_several_problems_are_told_at_once_and_in_order() -> None:
    document = read("a: 010\nb: &x c\na: yes\nd: [1.5, ~]\n")
    assert [(p.path, p.position.line) for p in document.problems] == [
        (("a",), 1),
        (("b",), 2),
        (("a",), 3),
        (("a",), 3),
        (("d", 0), 4),
        (("d", 1), 4),
    ]
    assert document.complete


def test_a_repeated_key_keeps_its_first_value_and_place() -> None:
    document = read("a: {x: 1}\na: {x: 2, y: 3}\n")
    assert document.value == {"a": {"x": 1}}
    assert document.values[("a", "x")] == Position(1, 8)


def test_places_of_keys_and_values() -> None:
    document = read("top:\n  - name: ä\n    list: [a, bb]\n")
    assert document.keys == {
        ("top",): Position(1, 1),
        ("top", 0, "name"): Position(2, 5),
        ("top", 0, "list"): Position(3, 5),
    }
    assert document.values == {
        (): Position(1, 1),
        ("top",): Position(2, 3),
        ("top", 0): Position(2, 5),
        ("top", 0, "name"): Position(2, 11),
        ("top", 0, "list"): Position(3, 11),
        ("top", 0, "list", 0): Position(3, 12),
        ("top", 0, "list", 1): Position(3, 15),
    }


@pytest.mark.parametrize("text", ["", "# nothing but a comment\n"])
def test_an_empty_file_is_null(text: str) -> None:
    document = read(text)
    assert document.value is None
    assert document.problems == []


def test_a_key_that_may_be_a_secret_is_not_repeated() -> None:
    secret = "0123456789abcdef" * 4
    (problem,) = read(f"{secret}: a\n{secret}: b\n").problems
    assert secret not in problem.message + problem.hint


BILLION_LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)
)
BOMBS = {
    "5,000 deep in brackets": b"a: " + b"[" * 5_000,
    "5,000 deep in braces": b"{a: " * 5_000,
    "5,000 deep in dashes": b"- " * 5_000,
    "5,000 deep by indentation": "".join(f"{' ' * i}a:\n" for i in range(5_000)).encode(),
    "10 MB of brackets": b"[" * 10_000_000,
    "10 MB of dashes": b"- " * 5_000_000,
    "10 MB of question marks": b"? " * 5_000_000,
    "10 MB of one word": b"a: " + b"9" * 10_000_000 + b"x y",
    "10 MB of aliases": b"a: [" + b"*a, " * 2_500_000,
    "10 MB of anchors": b"&a " * 3_300_000,
    "10 MB of retyped words": b"a: 010\n" * 1_400_000,
    "billion laughs": BILLION_LAUGHS.encode(),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_quickly(name: str) -> None:
    started = time.thread_time()
    document = read(BOMBS[name])
    assert document.problems or name == "10 MB of one word"
    assert len(document.problems) <= 201
    assert time.thread_time() - started < 5 * slowness()


def test_a_file_over_its_limit_is_refused_unread() -> None:
    document = parse(b"a: b\n" * 1000, max_bytes=4999)
    (problem,) = document.problems
    assert "larger than 4999 bytes" in problem.message
    assert not document.complete


def test_nesting_up_to_the_limit_is_read() -> None:
    assert parse(b"[" * 20 + b"]" * 20, max_bytes=100).problems == []
    (problem,) = parse(b"[" * 21 + b"]" * 21, max_bytes=100).problems
    assert problem.position == Position(1, 21)


CORE_12 = re.compile(
    r"null|Null|NULL|~||true|True|TRUE|false|False|FALSE|[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"
    r"|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
"""YAML 1.2.2, section 10.3.2: what the core schema takes for anything but text."""


@given(st.text(alphabet="0123456789abefnostuxyzINFTLUY+-_.:~=<", min_size=1, max_size=14))
def test_accepted_text_is_text_in_yaml_1_1_and_1_2(word: str) -> None:
    document = read(f"- {word}")
    if document.problems or not isinstance(document.value, list) or not isinstance(document.value[0], str):
        return
    assert yaml.safe_load(f"- {word}") == [word]
    assert CORE_12.fullmatch(word) is None


@given(st.binary(max_size=60))
def test_no_bytes_make_the_reader_fail(data: bytes) -> None:
    document = read(data)
    assert document.complete or document.problems


JSON_TEXT = st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=8)
JSON_VALUE: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | JSON_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(JSON_TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(JSON_VALUE)
def test_json_is_read_as_what_it_says(value: Any) -> None:
    document = read(json.dumps(value))
    assert document.problems == []
    assert document.value == value


@pytest.mark.parametrize(
    ("key", "plain"),
    [
        ("access_token_expiry_minutes", True),
        ("a" * 19, True),
        ("a" * 20, False),
        ("ab-" * 13, True),
        ("ab-" * 14, False),
        ("correct horse", False),
        ("", False),
    ],
)
def test_only_keys_that_look_like_names_are_repeated(key: str, plain: bool) -> None:
    assert strict_yaml.is_plain_name(key) is plain
