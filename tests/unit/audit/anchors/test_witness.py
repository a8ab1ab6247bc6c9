"""An anchor at a witness over HTTPS, which has its own idea of the rules; and at what is none."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.serialization import Encoding

from tests.integration.dispatch.certificates import Authority, new_authority
from tests.signed_chains import CHAIN, KEY, OTHER_KEY, SignedChain, copied, trusts, verifier
from tests.witness import Witness as OtherWitness
from tests.witness import application, serving
from vaultsigner.audit.anchors.anchor import AnchorConflictError, AnchorError, AnchorSizeError
from vaultsigner.audit.anchors.rollback import compare_with_anchors
from vaultsigner.audit.anchors.witness import Witness
from vaultsigner.config.anchor_settings import WitnessAnchor
from vaultsigner.domain.checkpoints import AnchorDocument

ORIGIN = f"vaultsigner/audit/{CHAIN}"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return new_authority()


@pytest.fixture
def ca_cert(authority: Authority, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    path.write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    return path


@pytest.fixture
def tls(authority: Authority, tmp_path: Path) -> ssl.SSLContext:
    return authority.serving("localhost", tmp_path)


@pytest.fixture
def other() -> OtherWitness:
    return OtherWitness(bytes(KEY.verify_key))


@pytest.fixture
async def anchor(other: OtherWitness, tls: ssl.SSLContext, ca_cert: Path) -> AsyncIterator[Witness]:
    async with serving(application(other), tls) as port:
        anchor = Witness(WitnessAnchor("w", f"https://localhost:{port}/vaultsigner", ca_cert))
        yield anchor
        await anchor.close()


@asynccontextmanager
async def answering(app: web.Application, wait_seconds: float = 60) -> AsyncIterator[Witness]:
    """What is no witness, on this machine, without TLS."""
    async with serving(app, None) as port:
        anchor = Witness(WitnessAnchor("w", f"http://127.0.0.1:{port}"), wait_seconds)
        yield anchor
        await anchor.close()


def fixed(status: int, text: str = "", content_type: str = "text/plain", **headers: str) -> web.Application:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(
            status=status, body=text.encode(), headers={"Content-Type": content_type, **headers}
        )

    app = web.Application()
    app.router.add_post("/add-checkpoint", answer)
    return app


async def test_every_checkpoint_of_a_chain(anchor: Witness, other: OtherWitness, tmp_path: Path) -> None:
    """Whatever the sizes: the other side checks each proof by itself."""
    for document in SignedChain(tmp_path).grown(*range(1, 12), 64, 63, 1).documents:
        await anchor.publish(document)
        assert other.size(ORIGIN) == document.signed.checkpoint.size


async def test_a_proof_that_is_none_is_refused_as_a_fork(
    anchor: Witness, other: OtherWitness, tmp_path: Path
) -> None:
    first, second = SignedChain(tmp_path).grown(5, 7).documents
    await anchor.publish(first)
    spoiled = replace(second, path=(*second.path[:-1], b"\0" * 32))
    with pytest.raises(AnchorConflictError, match=r"ROLLBACK OR FORK: .*another history of chain"):
        await anchor.publish(spoiled)
    assert other.size(ORIGIN) == 5


async def test_publishing_twice_is_well(anchor: Witness, tmp_path: Path) -> None:
    first, second = SignedChain(tmp_path).grown(5, 7).documents
    for document in (first, first, second, second):
        await anchor.publish(document)


@pytest.mark.parametrize("first_version", [True, False])
async def test_another_history_of_the_same_size_is_a_conflict(
    anchor: Witness, other: OtherWitness, tmp_path: Path, first_version: bool
) -> None:
    other.first_version = first_version
    (first,) = SignedChain(tmp_path / "a").grown(5).documents
    (second,) = SignedChain(tmp_path / "b", note="other ").grown(5).documents
    await anchor.publish(first)
    with pytest.raises(AnchorConflictError):
        await anchor.publish(second)
    with pytest.raises(AnchorConflictError):
        await anchor.seen(second.signed, trusts)


async def test_another_size_is_told(anchor: Witness, tmp_path: Path) -> None:
    first, second, third = SignedChain(tmp_path).grown(5, 7, 9).documents
    assert await anchor.seen(first.signed, trusts) == 0
    for document, size in ((second, 0), (third, 0)):
        with pytest.raises(AnchorSizeError) as caught:
            await anchor.publish(document)
        assert caught.value.size == size
    for document in (first, second):
        await anchor.publish(document)
    with pytest.raises(AnchorSizeError) as caught:
        await anchor.publish(first)
    assert caught.value.size == 13
    assert await anchor.seen(first.signed, trusts) == 13
    assert await anchor.seen(third.signed, trusts) == 13
    assert await anchor.seen(second.signed, trusts) == 13


async def test_a_key_or_an_origin_that_it_does_not_know(
    anchor: Witness, other: OtherWitness, tmp_path: Path
) -> None:
    chain = SignedChain(tmp_path)
    chain.grow(5)
    with pytest.raises(AnchorError, match=r"\(status 403\); have its keeper add that origin with the key"):
        await anchor.publish(chain.checkpoint(OTHER_KEY))
    other.origins = {"another"}
    with pytest.raises(AnchorError, match=rf"does not know {ORIGIN}, .*\(status 404\)"):
        await anchor.publish(SignedChain(tmp_path / "b").grown(5).documents[0])


async def test_an_older_copy_of_the_record_shows(anchor: Witness, tmp_path: Path) -> None:
    """It keeps no document that could be asked for; it is offered what the record has."""
    record = tmp_path / "audit"
    chain = SignedChain(record).grown(5)
    copy = copied(record, tmp_path / "copy")
    chain.grown(5)
    for document in chain.documents:
        await anchor.publish(document)
    keys = (verifier(),)
    assert (await compare_with_anchors(record, (anchor,), keys)).rollbacks == ()
    copied(copy, record)
    (rollback,) = (await compare_with_anchors(record, (anchor,), keys)).rollbacks
    assert (rollback.chain, rollback.size) == (CHAIN, 11)
    assert "the newest checkpoint here is of 5 records" in str(rollback)
    SignedChain(tmp_path / "anew", note="other ").grown(5, 5)
    (rollback,) = (await compare_with_anchors(tmp_path / "anew", (anchor,), keys)).rollbacks
    assert "the 11 records here are others" in str(rollback)


async def test_a_record_without_what_the_witness_lacks_is_no_rollback(
    anchor: Witness, tmp_path: Path
) -> None:
    record = tmp_path / "audit"
    await anchor.publish(SignedChain(record).grown(5, 5, 5).documents[0])
    comparison = await compare_with_anchors(record, (anchor,), (verifier(),))
    assert not comparison.rollbacks
    assert not comparison.unanswered


async def test_a_new_chain_whose_name_its_keeper_cannot_have_entered_yet_is_no_reason_not_to_start(
    anchor: Witness, other: OtherWitness, tmp_path: Path
) -> None:
    other.origins = set()
    SignedChain(tmp_path).grown(5)
    comparison = await compare_with_anchors(tmp_path, (anchor,), (verifier(),))
    assert comparison.obstacles(()) == ()
    (unanswered,) = comparison.unanswered
    assert f"does not know {ORIGIN}" in unanswered.problem


async def test_a_record_with_another_s_signatures_is_one(
    anchor: Witness, other: OtherWitness, tmp_path: Path
) -> None:
    chain = SignedChain(tmp_path)
    chain.grow(5)
    chain.checkpoint(OTHER_KEY)
    comparison = await compare_with_anchors(tmp_path, (anchor,), (verifier(),))
    (obstacle,) = comparison.obstacles(())
    assert "or not the key that signs it (status 403)" in obstacle


async def test_a_certificate_of_an_unknown_authority(
    other: OtherWitness, tls: ssl.SSLContext, tmp_path: Path
) -> None:
    (document,) = SignedChain(tmp_path).grown(5).documents
    async with serving(application(other), tls) as port:
        anchor = Witness(WitnessAnchor("w", f"https://localhost:{port}/vaultsigner"))
        with pytest.raises(AnchorError, match="name its file as ca_cert"):
            await anchor.publish(document)
        await anchor.close()
    assert not other.asked


async def test_a_file_of_an_authority_that_comes_late(
    other: OtherWitness, tls: ssl.SSLContext, ca_cert: Path, tmp_path: Path
) -> None:
    (document,) = SignedChain(tmp_path / "audit").grown(5).documents
    late, authority = tmp_path / "late.pem", ca_cert.read_bytes()  # noqa: ASYNC240 - it does not block for long
    async with serving(application(other), tls) as port:
        anchor = Witness(WitnessAnchor("w", f"https://localhost:{port}/vaultsigner", late))
        with pytest.raises(AnchorError, match="the file named as ca_cert cannot be read"):
            await anchor.publish(document)
        late.write_text("nothing")
        with pytest.raises(AnchorError, match="the file named as ca_cert holds no certificate"):
            await anchor.publish(document)
        late.write_bytes(authority)
        await anchor.publish(document)
        await anchor.close()


@pytest.fixture
def document(tmp_path: Path) -> AnchorDocument:
    return SignedChain(tmp_path / "audit").grown(5).documents[0]


COSIGNED = "— witness.example/w1 " + "A" * 92 + "\n"
NONE_AT_ALL: list[tuple[web.Application, str]] = [
    (fixed(200, "<html>Please log in</html>"), "without a witness's signature of it"),
    (fixed(200, ""), "without a witness's signature of it"),
    (fixed(200, COSIGNED + "and more\n"), "without a witness's signature of it"),
    (fixed(200, "x" * 10_000_000), "its answer has no end"),
    (
        fixed(302, "", Location="https://elsewhere.example/"),
        r"it redirects \(status 302\), which is not followed",
    ),
    (fixed(307, "", Location="/add-checkpoint"), r"it redirects \(status 307\)"),
    (fixed(400), "see whether it speaks C2SP tlog-witness"),
    (fixed(429), "status 429"),
    (fixed(500, "secret trace"), "status 500; see its own log"),
    (fixed(204), "status 204"),
    (web.Application(), r"does not know vaultsigner/audit/.*\(status 404\)"),
]


@pytest.mark.parametrize("number", range(len(NONE_AT_ALL)))
async def test_what_is_no_witness(document: AnchorDocument, number: int) -> None:
    app, words = NONE_AT_ALL[number]
    async with answering(app) as anchor:
        with pytest.raises(AnchorError, match=words) as caught:
            await anchor.publish(document)
    assert not isinstance(caught.value, AnchorConflictError | AnchorSizeError)
    assert "secret trace" not in str(caught.value)


@pytest.mark.parametrize("body", ["", "5", "05\n", "-5\n", "5\n5\n", "5" * 30 + "\n"])
async def test_a_size_that_is_none_is_a_conflict_without_one(document: AnchorDocument, body: str) -> None:
    async with answering(fixed(409, body, "text/x.tlog.size")) as anchor:
        with pytest.raises(AnchorConflictError):
            await anchor.publish(document)


async def test_what_hangs_up_or_hangs(document: AnchorDocument) -> None:
    going = asyncio.Event()

    async def hang_up(request: web.Request) -> web.StreamResponse:
        assert request.transport
        request.transport.close()
        return web.Response()

    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"old")
        assert request.transport
        request.transport.close()
        return response

    async def hang(_: web.Request) -> web.StreamResponse:
        await going.wait()
        return web.Response()

    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while not going.is_set():
            await response.write(b"x")
            await asyncio.sleep(0.01)
        return response

    for answer, wait_seconds, words in (
        (hang_up, 60.0, "it hung up"),
        (cut, 60.0, "it hung up"),
        (hang, 0.2, "no answer in time"),
        (drip, 0.2, "no answer in time"),
    ):
        app = web.Application()
        app.router.add_post("/add-checkpoint", answer)
        async with answering(app, wait_seconds) as anchor:
            with pytest.raises(AnchorError, match=words):
                await anchor.publish(document)
            going.set()
        going.clear()


async def test_nobody_there_and_no_http(document: AnchorDocument) -> None:
    anchor = Witness(WitnessAnchor("w", "http://127.0.0.1:9"))
    with pytest.raises(AnchorError, match="it cannot be reached; see whether it runs"):
        await anchor.publish(document)
    await anchor.close()

    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SSH-2.0-x\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    async with server:
        anchor = Witness(WitnessAnchor("w", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"))
        with pytest.raises(AnchorError, match="what it says is not HTTP"):
            await anchor.publish(document)
        await anchor.close()


async def test_a_proxy_of_the_environment_is_not_used(
    document: AnchorDocument, other: OtherWitness, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    app = web.Application()
    app.router.add_post("/add-checkpoint", other.add_checkpoint)
    async with answering(app) as anchor:
        await anchor.publish(document)


async def test_a_probe_leaves_nothing_behind(anchor: Witness, other: OtherWitness) -> None:
    assert "answers; whether it knows the key shows with the first checkpoint" in await anchor.probe()
    assert other.newest == {}
    async with answering(web.Application()) as wrong:
        with pytest.raises(AnchorError, match="there is no witness at this address"):
            await wrong.probe()
    async with answering(fixed(200, "hello")) as wrong:
        with pytest.raises(AnchorError, match="status 200"):
            await wrong.probe()
