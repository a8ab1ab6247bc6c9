"""Signed notes: the published example, our own round trip, and everything that must not pass for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from vaultsigner.domain.signed_notes import NoteError, VerifierKey, read_note, read_verifier_key, sign_note

# The example in the documentation of Go's package golang.org/x/mod/sumdb/note.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETERS_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
SEED = SigningKey(b"test key: signs notes in tests..")
KEY = VerifierKey("test", bytes(SEED.verify_key))


def signed(text: str) -> str:
    return str(sign_note(text, KEY, SEED.sign(text.encode()).signature))


def test_published_example_is_read_and_verified() -> None:
    key = read_verifier_key(PETER)
    note = read_note(PETERS_NOTE)
    assert note.verified_by([KEY, key]) == key
    assert str(note) == PETERS_NOTE
    assert str(key) == PETER


@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"])), min_size=1, max_size=5
    )
)
def test_what_is_signed_is_read_as_it_was(lines: list[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    note = read_note(signed(text))
    assert note.text == text
    assert note.verified_by([KEY]) == KEY


def test_every_changed_character_is_noticed() -> None:
    document = signed("origin\n42\n")
    for place, character in enumerate(document):
        changed = document[:place] + ("x" if character != "x" else "y") + document[place + 1 :]
        try:
            assert read_note(changed).verified_by([KEY]) is None, place
        except NoteError:
            continue


def test_signature_under_another_name_or_id_does_not_count() -> None:
    note = read_note(signed("text\n"))
    other = VerifierKey("other", KEY.public_key)
    assert note.verified_by([other]) is None
    assert read_note(str(note).replace("— test", "— other")).verified_by([KEY, other]) is None


@pytest.mark.parametrize(
    "document",
    [
        "",
        "text\n",
        "text\n\n",
        "text\n— test AAAAAAAA\n",
        "text\n\n— test\n",
        "text\n\n— test AAAA\n",
        "text\n\n— test AAAAAAA\n",
        "text\n\n- test AAAAAAAA\n",
        "text\n\n— te+st AAAAAAAA\n",
        "text\n\n— test AAAAAAAA",
        "text\n\n— test AAAAAAAA\n\n",
        "te\x1b[2Jxt\n\n— test AAAAAAAA\n",
        "te\u2028xt\n\n— test AAAAAAAA\n",
        "text\n\n" + "— test AAAAAAAA\n" * 17,
        "\n\n— test AAAAAAAA\n" + "x" * 70_000,
    ],
)
def test_no_note(document: str) -> None:
    with pytest.raises(NoteError):
        read_note(document)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name+00000000+AA==",
        PETER.replace("c74f20a3", "c74f20a4"),
        PETER.replace("+AR", "+Ah"),
        PETER[:-4],
        "two words+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
)
def test_no_verifier_key(text: str) -> None:
    with pytest.raises(NoteError):
        read_verifier_key(text)


def test_wrong_signature_makes_no_note() -> None:
    with pytest.raises(NoteError):
        sign_note("text\n", KEY, SEED.sign(b"another text\n").signature)
