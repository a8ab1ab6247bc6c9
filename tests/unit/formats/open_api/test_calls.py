"""A call to the Open API is one text, which stands for one call."""

import pytest

from vaultsigner.formats.open_api.calls import (
    LONGEST_BODY,
    LONGEST_TEXT,
    OpenApiCall,
    OpenApiCallError,
    user_data_call,
    user_data_target,
)
from vaultsigner.formats.open_api.intent import DECRYPT, TOKEN, open_api_intent


@pytest.mark.parametrize(
    ("method", "path", "query", "wrong"),
    [
        ("get", "/a", "", "method"),
        ("", "/a", "", "method"),
        ("GET ", "/a", "", "method"),
        ("GET\n", "/a", "", "method"),
        ("GET", "", "", "path"),
        ("GET", "a", "", "path"),
        ("GET", "https://elsewhere/a", "", "path"),
        ("GET", "/a?b=1", "", "path"),
        ("GET", "/a#b", "", "path"),
        ("GET", "/a b", "", "path"),
        ("GET", "/a\nb", "", "path"),
        ("GET", "/é", "", "path"),
        ("GET", "/" + "a" * LONGEST_TEXT, "", "path"),
        ("GET", "/a", "b c", "query"),
        ("GET", "/a", "b\n", "query"),
        ("GET", "/a", "b#c", "query"),
        ("GET", "/a", "é", "query"),
        ("GET", "/a", "b" * (LONGEST_TEXT + 1), "query"),
    ],
)
def test_what_no_request_line_carries_is_no_call(method: str, path: str, query: str, wrong: str) -> None:
    with pytest.raises(OpenApiCallError) as caught:
        OpenApiCall(method, path, query)
    assert caught.value.member == wrong


def test_every_other_character_is_taken() -> None:
    plain = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) != "#")
    call = OpenApiCall("PATCH", "/" + plain.replace("?", ""), plain, b"\xff\n\x00")
    assert call.query == plain


def test_a_body_may_not_be_too_long() -> None:
    assert OpenApiCall("POST", "/a", "", bytes(LONGEST_BODY)).body
    with pytest.raises(OpenApiCallError):
        OpenApiCall("POST", "/a", "", bytes(LONGEST_BODY + 1))


def test_no_two_calls_have_one_digest() -> None:
    calls = [
        OpenApiCall("GET", "/a"),
        OpenApiCall("POST", "/a"),
        OpenApiCall("GET", "/a/"),
        OpenApiCall("GET", "/a", "b"),
        OpenApiCall("GET", "/ab"),
        OpenApiCall("GET", "/a", "", b"b"),
        OpenApiCall("GET", "/a", "", b"\n"),
    ]
    assert len({call.digest for call in calls}) == len(calls)
    assert OpenApiCall("GET", "/a", "b", b"c").digest == OpenApiCall("GET", "/a", "b", b"c").digest


def test_user_data_is_signed_with_a_closing_slash_and_asked_for_without() -> None:
    call = user_data_call("heldoutApp01", "dGVzdC10b2tlbg")
    assert (call.method, call.body) == ("GET", b"")
    assert (
        f"{call.path}?{call.query}" == "/mp-api/v1/apps/heldoutApp01/user-open-data/?openData=dGVzdC10b2tlbg"
    )
    target = user_data_target("heldoutApp01", "dGVzdC10b2tlbg")
    assert target == "/mp-api/v1/apps/heldoutApp01/user-open-data?openData=dGVzdC10b2tlbg"


def test_no_data_token_leads_to_another_call() -> None:
    call = user_data_call("../x", "a b&openData=c#/é=")
    assert call.path == "/mp-api/v1/apps/..%2Fx/user-open-data/"
    assert call.query == "openData=a%20b%26openData%3Dc%23%2F%C3%A9%3D"
    assert user_data_target("../x", "a b").endswith("..%2Fx/user-open-data?openData=a%20b")


def test_policies_see_the_endpoint_of_a_token_and_nothing_of_what_is_decrypted() -> None:
    intent = open_api_intent(TOKEN, "mini-app", OpenApiCall("GET", "/a", "secret=1"))
    assert (intent.target, intent.items) == ("open_api:mini-app", ({"endpoint": "GET /a"},))
    assert open_api_intent(DECRYPT, "mini-app").items == ({},)
