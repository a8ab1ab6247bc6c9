"""JSON that could be read in two ways is refused; numbers keep their characters."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.work import slowness
from vaultsigner.strict_json import JsonDocument, JsonNumber, MalformedJsonError, parse


def refused(body: bytes, *, max_depth: int = 16) -> str:
    with pytest.raises(MalformedJsonError) as caught:
        parse(body, max_depth=max_depth)
    assert caught.value.code == "malformed_body"
    return str(caught.value)


def test_document() -> None:
    document = parse('{"a": [1, -0.50e+3, "1", "ї\\u0456", true, false, null, {}], "b": {"c": ""}} '.encode())
    assert document == {"a": ["1", "-0.50e+3", "1", "їі", True, False, None, {}], "b": {"c": ""}}


def test_number_is_its_own_characters_and_a_text_is_none() -> None:
    parsed = parse(b'[90071992.54740993, 1e-08, 0, "5"]')
    assert isinstance(parsed, list)
    assert parsed[:3] == ["90071992.54740993", "1e-08", "0"]
    assert [isinstance(element, JsonNumber) for element in parsed] == [True, True, True, False]


@pytest.mark.parametrize("body", [b"1", b'"a"', b"null", b"[]", b" {} "])
def test_any_root(body: bytes) -> None:
    assert parse(body) == (json.loads(body) if body != b"1" else "1")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b'{"a"}',
        b"{'a': 1}",
        b'{"a": 1,}',
        b"[1,]",
        b"01",
        b"+1",
        b".5",
        b"1.",
        b"0x10",
        b"1_0",
        "١".encode(),
        b'"a\nb"',
        b'"\\x41"',
        b'"\\u12"',
        b"// 1\n1",
        b"username=a&password=b",
        b"\x00",
    ],
)
def test_what_is_not_json(body: bytes) -> None:
    assert refused(body).startswith("the body is not JSON")


@pytest.mark.parametrize("body", [b"{} {}", b"{}]", b"{}\x00", b"1 2", b"null,"])
def test_text_after_the_document_is_refused(body: bytes) -> None:
    assert "Extra data" in refused(body)


@pytest.mark.parametrize("word", [b"NaN", b"Infinity", b"-Infinity"])
def test_nan_and_infinities_are_refused(word: bytes) -> None:
    assert "is not a JSON number" in refused(b'{"price": ' + word + b"}")


@pytest.mark.parametrize("body", [b'"\xff"', b'"\xc0\xaf"', b'"\xed\xa0\x80"', '"a"'.encode("utf-16")])
def test_what_is_not_utf_8_is_refused(body: bytes) -> None:
    assert refused(body) == "the body is not UTF-8"


def test_byte_order_mark_is_refused() -> None:
    assert "byte order mark" in refused(b"\xef\xbb\xbf{}")


@pytest.mark.parametrize(
    "body",
    [
        b'{"amount": 1, "amount": 2}',
        b'{"amount": 1, "amount": 1}',
        b'{"amount": 1, "\\u0061mount": 2}',
        b'[{"x": {"amount": 1, "b": 2, "amount": null}}]',
    ],
)
def test_duplicate_members_are_refused(body: bytes) -> None:
    assert refused(body) == "the member amount is given twice in one object"


def test_same_name_in_two_objects_is_no_duplicate() -> None:
    assert parse(b'{"a": {"a": {"a": 1}}}') == {"a": {"a": {"a": "1"}}}


def test_duplicate_name_that_may_be_a_secret_is_not_repeated() -> None:
    name = b"3955f430d8372b601f3a70c10a707f94c509fb3c51c1e94ddbb7ab9906cb659d"
    assert refused(b'{"%s": 1, "%s": 2}' % (name, name)) == "a member is given twice in one object"


@pytest.mark.parametrize("escape", ["\\ud800", "\\uDFFF", "\\udc00\\ud800", "\\ud800\\u0041", "\\uD83C"])
@pytest.mark.parametrize("form", ['"%s"', '["a", {"b": "%s"}]', '{"%s": 1}', '{"a": {"x%s": []}}'])
def test_lone_surrogates_are_refused(escape: str, form: str) -> None:
    assert "surrogate" in refused((form % escape).encode())


def test_surrogate_pair_is_one_character() -> None:
    assert parse(b'{"\\ud83c\\udf7a": "\\uD83C\\uDF7A"}') == {"🍺": "🍺"}


def nested(depth: int) -> bytes:
    return b'{"a":[' * (depth // 2) + b"[" * (depth % 2) + b"]" * (depth % 2) + b"]}" * (depth // 2)


@pytest.mark.parametrize("depth", [1, 2, 15, 16])
def test_depth_up_to_the_limit(depth: int) -> None:
    parse(nested(depth))


@pytest.mark.parametrize("depth", [17, 18, 1_000, 200_000])
def test_deep_nesting_is_refused_before_it_reaches_the_parser(depth: int) -> None:
    assert refused(nested(depth)) == "the body is nested deeper than 16 levels"
    assert refused(b"[" * depth) == "the body is nested deeper than 16 levels"


def test_brackets_in_texts_are_not_counted() -> None:
    parse(json.dumps({"a": "[{" * 50, '"\\[': '\\"[[[[[[[[[[[[[[[[[[[[[', "b": "\\"}).encode())
    parse(b"[" + b",".join([b'{"a":[]}'] * 50) + b"]")


def test_depth_hidden_behind_an_escaped_quote_is_counted() -> None:
    assert "deeper" in refused(b'{"a\\\\":' + b"[" * 30 + b"]" * 30 + b"}")


@pytest.mark.parametrize("filler", [b'"' + b'\\"' * 500_000, b"[]" * 500_000, b'"' * 1_000_000])
def test_looking_for_depth_takes_time_in_proportion(filler: bytes) -> None:
    started = time.thread_time()
    refused(b"[" * 8 + b"{" * 8 + filler + b"[")
    assert time.thread_time() - started < 2 * slowness()


def test_number_of_absurd_length_is_refused() -> None:
    assert parse(b"1" * 1000) == "1" * 1000
    for body in (b"1" * 1001, b"1." + b"0" * 1000, b"1e" + b"0" * 1000, b"9" * 1_000_000):
        assert refused(body) == "a number has more than 1000 characters"


def test_error_keeps_nothing_of_the_body() -> None:
    """A log-in's body holds a password, and a kept exception would keep it in memory."""
    for body in (b'{"password": "canary"', b'{"password": "canary\xff"}'):
        with pytest.raises(MalformedJsonError) as caught:
            parse(body)
        assert caught.value.__context__ is None
        assert caught.value.__cause__ is None
        assert "canary" not in str(caught.value)


plain_documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(), inside, max_size=4),
    max_leaves=12,
)


def with_numbers_as_text(document: object) -> JsonDocument:
    match document:
        case list():
            return [with_numbers_as_text(element) for element in document]
        case dict():
            return {name: with_numbers_as_text(value) for name, value in document.items()}
        case bool() | None | str():
            return document
        case _:
            return JsonNumber(document)


@given(plain_documents, st.booleans())
def test_what_python_writes_is_read_as_it_was(document: object, ensure_ascii: bool) -> None:
    body = json.dumps(document, ensure_ascii=ensure_ascii).encode()
    assert parse(body, max_depth=100) == with_numbers_as_text(document)


@given(st.binary(max_size=40) | st.text(alphabet='{}[]":,\\u0d8 1e-.\n', max_size=40).map(str.encode))
def test_arbitrary_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        document = parse(body)
    except MalformedJsonError:
        return
    assert document == with_numbers_as_text(json.loads(body, parse_float=JsonNumber, parse_int=JsonNumber))
