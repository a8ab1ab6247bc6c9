"""Keys of reviewers: each form that they come in, and what is none."""

from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.unit.audit.signed_log import OURS, THEIRS, in_the_name_of, signed_log
from vaultsigner.audit.verifying.findings import Kind
from vaultsigner.audit.verifying.trust import TrustError, judge, read_key, read_trust_file, trust_file
from vaultsigner.domain.signed_notes import VerifierKey

PUBLIC = Ed25519PublicKey.from_public_bytes(OURS.key.public_key)
DER = PUBLIC.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
PEM = PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
OTHER_KIND = generate_private_key(SECP256R1()).public_key()


@pytest.mark.parametrize(
    "text",
    [str(OURS.key), f"  {OURS.key}\n", PEM, b64encode(OURS.key.public_key).decode(), b64encode(DER).decode()],
    ids=["vkey", "blanks", "pem", "base64", "der"],
)
def test_a_key_in_any_of_its_forms(text: str) -> None:
    assert read_key(text) == OURS.key


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no public key"),
        ("nonsense!", "no public key"),
        (b64encode(b"x" * 31).decode(), "no public key"),
        (str(OURS.key).replace(OURS.key.id.hex(), "00000000"), "miscopied"),
        (str(VerifierKey("somebody/else", OURS.key.public_key)), "no public key"),
        (PEM.replace("MC", "MD"), "no public key"),
        (OTHER_KIND.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(), "another kind"),
    ],
    ids=["empty", "nonsense", "short", "miscopied", "name", "pem", "curve"],
)
def test_what_is_no_key(text: str, said: str) -> None:
    with pytest.raises(TrustError, match=said):
        read_key(text)


def test_a_trust_file_is_read_as_it_is_written() -> None:
    text = trust_file((OURS.key, THEIRS.key), "two keys")
    assert text.startswith("# two keys\nvaultsigner/audit+")
    assert read_trust_file(f"\n  # more\n{text}\n") == (OURS.key, THEIRS.key)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# nothing\n", "no key in it"),
        (f"{OURS.key}\nrubbish\n", "line 2"),
        (f"\n{VerifierKey('somebody', OURS.key.public_key)}\n", "line 2: a key of checkpoints is named"),
    ],
)
def test_what_is_no_trust_file(text: str, said: str) -> None:
    with pytest.raises(TrustError, match=said):
        read_trust_file(text)


def test_whose_signature_it_is() -> None:
    signed = signed_log().anchored[0].signed
    assert judge(signed, (THEIRS.key, OURS.key)) is None
    unknown = judge(signed, (THEIRS.key,))
    assert unknown is not None
    assert unknown.kind is Kind.KEY_UNKNOWN
    assert OURS.key.id.hex() in unknown.words
    bad = judge(in_the_name_of(OURS, THEIRS, signed.checkpoint), (OURS.key,))
    assert bad is not None
    assert bad.kind is Kind.SIGNATURE_BAD
