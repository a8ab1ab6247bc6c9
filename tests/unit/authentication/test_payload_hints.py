"""A hint says which other text a client seems to sign. It is never a way in."""

import pytest

from tests.unit.authentication.request_vectors import NOW_MS, fits_of, judged, sign
from vaultsigner.authentication.payload_hints import payload_hint

NOW = str(NOW_MS).encode()
FITS = fits_of("hmac_test")
JSON = b'{"note":"%27"}'


def hinted(signed_text: bytes, query: bytes, body: bytes = b"", *, form: bool = False) -> str | None:
    signature = sign("hmac_test", signed_text).encode()
    tail = b"&signature=" + signature
    query, body = (query, body + tail) if form else (query + tail, body)
    assert isinstance(judged(query, body, FITS), str)
    return payload_hint(query, body, lambda payload: FITS(payload, signature))


def test_each_rule_is_recognised() -> None:
    time = b"&timestamp=" + NOW
    assert hinted(b"a=1" + time, b"a=1" + time, JSON) == "query-only"
    assert hinted(b"a='1'" + time + JSON.replace(b"%27", b"'"), b"a=%271%27" + time, JSON) == "apostrophe"
    assert hinted(b"a=it's+%2B" + time, b"a=it%27s+%2B" + time) == "apostrophe"
    assert hinted(b"a=x +y" + time, b"a=x+%2By" + time) == "decoded"
    assert hinted(b"a=x +y" + time + JSON, b"a=x+%2By" + time, JSON) == "decoded"
    assert hinted(b"a=x y" + time, b"", b"a=x+y" + time, form=True) == "decoded"
    assert (
        hinted(b"a=x y&symbol=%5B%22A%22%5D" + time, b"a=x+y&symbol=%5B%22A%22%5D" + time)
        == "decoded-but-symbol"
    )
    assert (
        hinted(b"symbol=A%20B&a=x y" + time, b"", b"symbol=A%20B&a=x+y" + time, form=True)
        == "decoded-but-symbol"
    )


def test_query_signed_alone_beside_a_form_is_recognised() -> None:
    assert hinted(b"timestamp=" + NOW, b"timestamp=" + NOW, b"a=1") == "query-only"


@pytest.mark.parametrize("signed_text", [b"", b"a=2", b"timestamp=1"])
def test_another_text_gives_no_hint(signed_text: bytes) -> None:
    assert hinted(signed_text, b"symbol=%27&timestamp=" + NOW, JSON) is None


@pytest.mark.parametrize(
    "text", [b"timestamp=" + NOW, b"symbol=A&timestamp=" + NOW, b"symbol=%5B&timestamp=" + NOW]
)
@pytest.mark.parametrize("body", [b"", JSON])
def test_what_is_signed_by_the_rule_needs_no_hint(text: bytes, body: bytes) -> None:
    signature = sign("hmac_test", text + body).encode()
    query = text + b"&signature=" + signature
    assert payload_hint(query, body, lambda payload: FITS(payload, signature)) is None
