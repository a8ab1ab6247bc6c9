"""The scanner must see in every document what a parser sees, and refuse what is none."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaultsigner.custody.json_scan import JsonScanError, Wanted, find, has_escapes, text_of

WANTED: Wanted = {"data": {"data": {"key": None}, "meta": None}, "id": None}
PATHS = (("data", "data", "key"), ("data", "meta"), ("id",))

names = st.sampled_from(["data", "key", "meta", "id", "other", 'quo"te', "ü", "bell\x07"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=5),
    max_leaves=20,
)
documents = st.dictionaries(names, values, max_size=5)
layouts = st.sampled_from([{}, {"indent": 2}, {"separators": (",", ":")}, {"ensure_ascii": False}])


def look_up(document: Any, path: tuple[str, ...]) -> list[Any]:
    for name in path:
        if not isinstance(document, dict) or name not in document:
            return []
        document = document[name]
    return [document]


def found_in(text: bytes) -> dict[tuple[str, ...], Any]:
    view = memoryview(bytearray(text))
    return {path: json.loads(bytes(view[start:end])) for path, (start, end) in find(view, WANTED).items()}


@given(documents, layouts)
def test_finds_what_a_parser_finds(document: dict[str, Any], layout: dict[str, Any]) -> None:
    found = found_in(json.dumps(document, **layout).encode("utf-8", "surrogatepass"))
    for path in PATHS:
        assert [found[path]] == look_up(document, path) if path in found else not look_up(document, path)


@given(documents, st.data())
def test_a_damaged_document_is_refused_or_is_one_to_every_parser(
    document: dict[str, Any], data: st.DataObject
) -> None:
    text = bytearray(json.dumps(document).encode())
    text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(1, 127))
    try:
        found = found_in(bytes(text))
    except JsonScanError:
        return
    parsed = json.loads(bytes(text))
    for path, value in found.items():
        assert [value] == look_up(parsed, path)


@given(documents, st.data())
def test_a_truncated_document_is_refused(document: dict[str, Any], data: st.DataObject) -> None:
    text = json.dumps(document).encode()
    with pytest.raises(JsonScanError):
        found_in(text[: data.draw(st.integers(0, len(text) - 1))])


def test_a_name_written_with_escapes_is_the_same_name() -> None:
    assert found_in(rb'{"d\u0061ta": {"meta": 1}}') == {("data", "meta"): 1}


@pytest.mark.parametrize(
    "text",
    [
        b'{"id": 1, "id": 2}',
        rb'{"id": 1, "\u0069d": 2}',
        b'{"data": {"meta": 1}, "data": {"meta": 2}}',
        b'{"data": {"data": {"key": "a", "key": "b"}}}',
    ],
)
def test_a_member_given_twice_is_refused(text: bytes) -> None:
    with pytest.raises(JsonScanError, match="twice"):
        found_in(text)


@pytest.mark.parametrize(
    "text",
    [
        b"", b" ", b"[]", b"null", b'"id"', b"{", b"}", b'{"id"}', b'{"id":}', b'{"id":1,}', b'{,"id":1}', b'{"id":1 "x":2}',
        b'{"id":1}}', b'{"id":1}{"id":2}', b'{"id":01}', b'{"id":+1}', b'{"id":.5}', b'{"id":1.}', b'{"id":NaN}', b'{"id":tru}',
        b"{'id':1}", b'{"id":"\x00"}', b'{"id":"\\x41"}', b'{"id":"\\u12g4"}', b'{"id":[1,]}', b'{"id":[1}', b'{"id":{]}',
        b'{"id":1]', b'{"\xff":1}', b'\xef\xbb\xbf{"id":1}', b'{"id":1}\x00',
    ],
)  # fmt: skip
def test_what_is_no_json_object_is_refused(text: bytes) -> None:
    with pytest.raises(JsonScanError):
        found_in(text)


def test_deep_nesting_is_refused_before_it_can_hurt() -> None:
    with pytest.raises(JsonScanError, match="deep"):
        found_in(b'{"x":' * 100_000)
    with pytest.raises(JsonScanError, match="deep"):
        found_in(b'{"x":' + b"[" * 100_000)


def test_a_megabyte_of_backslashes_takes_no_time() -> None:
    """A pattern that backtracks would not come back from this."""
    with pytest.raises(JsonScanError):
        found_in(b'{"id":"' + b"\\\\" * 500_000 + b'\\"')


def test_errors_repeat_nothing_of_the_document() -> None:
    with pytest.raises(JsonScanError) as caught:
        found_in(b'{"data": {"data": {"key": "deadbeef" "more"}}}')
    assert "deadbeef" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "inside"),
    [
        (b'"abc"', (0, b"abc")),
        (b'""', (0, b"")),
        (b'"a\\n"', (0, b"a\\n")),
        (b"12", None),
        (b"null", None),
        (b"1", None),
    ],
)
def test_only_text_has_an_inside(value: bytes, inside: tuple[int, bytes] | None) -> None:
    view = memoryview(value)
    span = text_of(view, (0, len(value)))
    assert (span and bytes(view[slice(*span)])) == (inside and inside[1])


@pytest.mark.parametrize(
    ("text", "expected"), [(b"", False), (b"plain", False), (b"a\\n", True), (b"\\\\", True)]
)
def test_escapes_are_seen(text: bytes, expected: bool) -> None:
    assert has_escapes(memoryview(text)) is expected
