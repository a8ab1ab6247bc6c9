"""A log-in's certificate on its way to custody, and who is asked for one."""

import pytest

from vaultsigner.authentication.client_certificates import certificate_misfit
from vaultsigner.config.settings import User
from vaultsigner.custody.protocol import (
    AuthenticateRequest,
    certificate_of_log_in,
    log_in_with_certificate,
)
from vaultsigner.custody.question_payloads import read_authenticate
from vaultsigner.domain.names import CertificateDigest, Operation, RequestId, UserName

DIGEST = CertificateDigest("sha256:" + "0f" * 32)
OTHER = CertificateDigest("sha256:" + "1e" * 32)
BODY = b'{"username": "sam", "password": "canary"}'


@pytest.mark.parametrize("body", [BODY, b"", b"x", DIGEST.encode()])
def test_the_body_comes_out_as_it_went_in(body: bytes) -> None:
    payload = log_in_with_certificate(DIGEST, bytearray(body))
    assert certificate_of_log_in(payload) == DIGEST
    assert payload == body


@pytest.mark.parametrize("certificate", [None, DIGEST])
def test_the_question_who_signed_a_request_says_what_was_shown(
    certificate: CertificateDigest | None,
) -> None:
    asked = AuthenticateRequest(
        RequestId("r"),
        "client",
        "vs_1",
        Operation("auth.check"),
        "GET",
        "/",
        b"",
        b"",
        "10.0.0.7",
        certificate,
    )
    assert read_authenticate(bytearray(asked.payload())) == asked


def test_whose_certificate_counts() -> None:
    bound = User(UserName("sam"), "hash", {}, certificates=frozenset({DIGEST}))
    free = User(UserName("kim"), "hash", {})
    assert certificate_misfit(bound, DIGEST) is None
    assert certificate_misfit(bound, OTHER) == "the client certificate is another one"
    assert certificate_misfit(bound, None) == "no client certificate was shown"
    assert certificate_misfit(free, None) is None
    assert certificate_misfit(free, OTHER) is None
