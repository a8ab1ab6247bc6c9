"""Answers arrive in pieces of any size, and some are not answers."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaultsigner.custody.vault.http_answer import BUFFER_BYTES, HttpAnswer, HttpAnswerError


def plain(body: bytes, *more: bytes) -> bytes:
    head = [b"HTTP/1.1 200 OK", b"Content-Type: application/json", b"Content-Length: %d" % len(body), *more]
    return b"\r\n".join([*head, b"", body])


def chunked(*chunks: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


def feed(answer: HttpAnswer, data: bytes) -> bool:
    answer.room()[: len(data)] = data
    return answer.received(len(data))


def feed_pieces(answer: HttpAnswer, data: bytes, cuts: list[int]) -> bool:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    complete = [feed(answer, data[start:end]) for start, end in pairwise(places)]
    assert not any(complete[:-1])
    return complete[-1]


@given(st.binary(max_size=3000), st.lists(st.integers(min_value=0), max_size=8))
def test_a_plain_answer_in_any_pieces(body: bytes, cuts: list[int]) -> None:
    answer = HttpAnswer()
    assert feed_pieces(answer, plain(body), cuts)
    assert (answer.status, bytes(answer.body), answer.keep_alive) == (200, body, True)


@given(
    st.lists(st.binary(min_size=1, max_size=500), max_size=6), st.lists(st.integers(min_value=0), max_size=12)
)
def test_chunks_in_any_pieces_become_one_body(chunks: list[bytes], cuts: list[int]) -> None:
    answer = HttpAnswer()
    assert feed_pieces(answer, chunked(*chunks), cuts)
    assert bytes(answer.body) == b"".join(chunks)


def test_one_byte_at_a_time() -> None:
    answer = HttpAnswer()
    data = chunked(b"ab", b"c" * 40)
    assert [feed(answer, data[i : i + 1]) for i in range(len(data))] == [False] * (len(data) - 1) + [True]
    assert bytes(answer.body) == b"ab" + b"c" * 40


@given(st.binary(min_size=16, max_size=600))
def test_nothing_is_left_in_the_buffer(body: bytes) -> None:
    """Not where it arrived, and not where chunks were moved to."""
    answer = HttpAnswer()
    for data in (plain(body), chunked(body[:8], body[8:])):
        assert feed(answer, data)
        whole = answer.room().obj
        assert isinstance(whole, bytearray)
        answer.forget()
        assert not any(whole)
        assert not answer.begun


def test_nothing_is_left_after_a_refusal() -> None:
    answer = HttpAnswer()
    with pytest.raises(HttpAnswerError):
        feed(answer, b"secret but not HTTP\r\n\r\n")
    answer.forget()
    assert not any(answer.room())


def test_one_object_serves_a_connection_for_life() -> None:
    answer = HttpAnswer()
    for body in (b"first", b"x" * 1000, b""):
        assert feed(answer, plain(body))
        assert bytes(answer.body) == body
        answer.forget()


def test_connection_close_is_seen() -> None:
    answer = HttpAnswer()
    assert feed(answer, plain(b"{}", b"Connection: Close"))
    assert not answer.keep_alive


def test_an_answer_without_content() -> None:
    answer = HttpAnswer()
    assert feed(answer, b"HTTP/1.1 204 No Content\r\nCache-Control: no-store\r\n\r\n")
    assert (answer.status, len(answer.body)) == (204, 0)


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1e2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\n folded: 2\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Encoding: gzip\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTrailer: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 20,
    ],
)
def test_what_is_no_usable_answer_is_refused(data: bytes) -> None:
    with pytest.raises(HttpAnswerError):
        feed(HttpAnswer(), data)


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 2\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nContent-Length: 2",
        b"Content-Length: 2\r\nContent-Length: 3",
        b"Content-Length: 2\r\nContent-Length: 2",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    ],
)
def test_smuggled_answer_is_refused(framing: bytes) -> None:
    with pytest.raises(HttpAnswerError, match="ambiguous"):
        feed(HttpAnswer(), b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n{}")


@pytest.mark.parametrize("answer", [plain(b"{}"), chunked(b"{}")])
def test_bytes_after_an_answer_are_refused(answer: bytes) -> None:
    with pytest.raises(HttpAnswerError, match="follows"):
        feed(HttpAnswer(), answer + b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    "data",
    [
        plain(b"x" * BUFFER_BYTES)[:BUFFER_BYTES],
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * (BUFFER_BYTES - 20),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n",
    ],
)
def test_an_answer_larger_than_the_buffer_is_refused(data: bytes) -> None:
    with pytest.raises(HttpAnswerError, match="larger"):
        feed(HttpAnswer(), data[:BUFFER_BYTES])
