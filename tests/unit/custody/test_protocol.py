"""Frames over a stream that cuts where it likes."""

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaultsigner.custody.frames import (
    MAX_FRAME_BYTES,
    VERSION,
    Frame,
    FrameBuffer,
    FrameError,
    encode_answer,
    encode_error,
    encode_frame,
)
from vaultsigner.custody.protocol import SignBeaconRequest
from vaultsigner.domain.names import Operation, RequestId, WalletName
from vaultsigner.domain.principals import Principal

frames = st.builds(
    Frame, st.integers(0, 255), st.integers(0, 2**64 - 1), st.binary(max_size=2000).map(bytearray)
)


def feed(buffer: FrameBuffer, data: bytes | bytearray) -> list[Frame]:
    room = buffer.room()
    room[: len(data)] = data
    return list(buffer.received(len(data)))


@given(st.lists(frames, max_size=6), st.lists(st.integers(min_value=1, max_value=3000)))
def test_frames_survive_any_cutting(sent: list[Frame], sizes: list[int]) -> None:
    stream = b"".join(encode_frame(frame.code, frame.id, frame.payload) for frame in sent)
    buffer, received = FrameBuffer(), []
    for size in sizes:
        received += feed(buffer, stream[:size])
        stream = stream[size:]
    received += feed(buffer, stream)
    assert received == sent
    assert not any(buffer.room())


def test_the_layout_is_the_one_that_is_written_down() -> None:
    assert encode_frame(2, 7, b"{}").hex() == "0000000c" + "04" + "02" + "0000000000000007" + b"{}".hex()


def test_answers_repeat_code_and_id() -> None:
    good, bad = FrameBuffer(), FrameBuffer()
    (frame,) = feed(good, encode_answer(5, 9, {"vault": "ok"}))
    assert (frame.code, frame.id, json.loads(frame.payload)) == (0x85, 9, {"ok": {"vault": "ok"}})
    (frame,) = feed(bad, encode_error(5, 9, "vault_sealed", "unseal it"))
    assert json.loads(frame.payload) == {"error": {"code": "vault_sealed", "message": "unseal it"}}


@pytest.mark.parametrize(
    "head",
    [
        struct.pack(">IBBQ", 10, VERSION + 1, 1, 1),
        struct.pack(">IBBQ", 10, 0, 1, 1),
        struct.pack(">IBBQ", 9, VERSION, 1, 1),
        struct.pack(">IBBQ", 0, VERSION, 1, 1),
        struct.pack(">IBBQ", MAX_FRAME_BYTES + 1, VERSION, 1, 1),
        struct.pack(">IBBQ", 0xFFFFFFFF, VERSION, 1, 1),
    ],
)
def test_other_versions_and_lengths_are_refused_from_the_head_alone(head: bytes) -> None:
    with pytest.raises(FrameError):
        feed(FrameBuffer(), head)


def test_the_largest_frame_fits() -> None:
    frame = encode_frame(1, 1, b"x" * (MAX_FRAME_BYTES - 10))
    assert [len(each.payload) for each in feed(FrameBuffer(), frame)] == [MAX_FRAME_BYTES - 10]
    with pytest.raises(FrameError):
        encode_frame(1, 1, b"x" * (MAX_FRAME_BYTES - 9))


def test_a_password_is_not_left_in_the_buffer() -> None:
    buffer = FrameBuffer()
    whole = buffer.room().obj
    assert isinstance(whole, bytearray)
    feed(buffer, encode_frame(3, 1, b"password one") + encode_frame(3, 2, b"password two")[:-1])
    assert b"password one" not in whole
    buffer.wipe()
    assert not any(whole)


def test_a_request_to_sign_names_everything_that_is_signed_for() -> None:
    request = SignBeaconRequest(
        request_id=RequestId("r"),
        principal=Principal("user", "sam"),
        access_token="a.b.c",
        operation=Operation("order.sign"),
        wallet=WalletName("wallet_1"),
        message_document={"kind": "freeze", "symbol": "BNB", "amount": 1},
        memo="🍺",
        account_number=2**63 - 1,
        sequence=0,
        ip="2001:db8::7",
        policy="sha256:00",
    )
    assert json.loads(request.payload()) == {
        "request_id": "r",
        "principal": {"kind": "user", "name": "sam"},
        "access_token": "a.b.c",
        "ticket": None,
        "operation": "order.sign",
        "wallet": "wallet_1",
        "message": {"kind": "freeze", "symbol": "BNB", "amount": 1},
        "memo": "🍺",
        "account_number": 2**63 - 1,
        "sequence": 0,
        "source": 0,
        "ip": "2001:db8::7",
        "policy": "sha256:00",
    }
