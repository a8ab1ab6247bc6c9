"""An anchor in an S3 bucket with object lock, as moto has it."""

import asyncio
import os
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from aiohttp import web
from botocore.exceptions import ClientError

from tests.buckets import ENVIRONMENT, REGION, client_of, make_bucket, running_s3
from tests.signed_chains import CHAIN, KEYS, OTHER_CHAIN, OTHER_KEY, SignedChain, trusts
from tests.witness import serving
from vaultsigner.audit.anchors.anchor import (
    LARGEST_SIZE,
    MOST_DISTRUSTED,
    AnchorConflictError,
    AnchorError,
    name_for,
)
from vaultsigner.audit.anchors.anchoring import Anchoring
from vaultsigner.audit.anchors.bucket import CheckpointBucket
from vaultsigner.audit.anchors.rollback import compare_with_anchors
from vaultsigner.config.anchor_settings import BucketAnchor

PREFIX = "vaultsigner/desk/"


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with running_s3() as url:
        yield url


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def client(s3: str) -> Iterator[Any]:
    client = client_of(s3)
    yield client
    client.close()


@pytest.fixture
def bucket(client: Any, request: pytest.FixtureRequest) -> str:
    name = f"{request.node.name.replace('_', '-')[:50]}-{crc32(request.node.nodeid.encode())}".lower()
    return make_bucket(client, "".join(each for each in name if each.isalnum() or each == "-"))


@asynccontextmanager
async def anchored(s3: str, bucket: str, **other: Any) -> AsyncIterator[CheckpointBucket]:
    given = {"prefix": PREFIX, "region": REGION, "endpoint_url": s3, "retain_days": 30, **other}
    anchor = CheckpointBucket(BucketAnchor("worm", bucket, **given))
    try:
        yield anchor
    finally:
        await anchor.close()


def key_of(size: int, chain: str = CHAIN) -> str:
    return f"{PREFIX}{chain}/{name_for(size)}"


async def test_what_is_kept_is_locked_for_its_time(s3: str, bucket: str, client: Any, tmp_path: Path) -> None:
    (document,) = SignedChain(tmp_path).grown(5).documents
    async with anchored(s3, bucket, mode="compliance", retain_days=3650) as anchor:
        await anchor.publish(document)
    found = client.get_object(Bucket=bucket, Key=key_of(5))
    assert found["Body"].read().decode() == document.text()
    assert found["ObjectLockMode"] == "COMPLIANCE"
    until = found["ObjectLockRetainUntilDate"] - datetime.now(UTC)
    assert timedelta(days=3649) < until <= timedelta(days=3650)
    with pytest.raises(ClientError, match="AccessDenied"):
        client.delete_object(Bucket=bucket, Key=key_of(5), VersionId=found["VersionId"])


async def test_the_newest_of_each_chain(s3: str, bucket: str, tmp_path: Path) -> None:
    one = SignedChain(tmp_path).grown(5, 1, 30, 2)
    other = SignedChain(tmp_path, OTHER_CHAIN).grown(2)
    async with anchored(s3, bucket) as anchor:
        assert (await anchor.held(trusts)).newest == {}
        assert await anchor.seen(one.documents[-1].signed, trusts) == 0
        for document in (*one.documents, *other.documents):
            await anchor.publish(document)
        held = await anchor.held(trusts)
        assert held.distrusted == ()
        assert held.newest == {CHAIN: one.documents[-1].signed, OTHER_CHAIN: other.documents[-1].signed}
        assert await anchor.seen(one.documents[0].signed, trusts) == one.documents[-1].signed.checkpoint.size


@pytest.mark.parametrize("seed", range(3))
async def test_the_newest_among_many_in_few_questions(
    s3: str, bucket: str, client: Any, tmp_path: Path, seed: int
) -> None:
    dice = random.Random(seed)  # noqa: S311 - the same numbers each time
    sizes = sorted({dice.randrange(1, 10 ** dice.randrange(1, 12)) for _ in range(dice.randrange(1, 30))})
    for size in sizes:
        client.put_object(Bucket=bucket, Key=key_of(size), Body=b"?")
    client.put_object(Bucket=bucket, Key=f"{PREFIX}{CHAIN}/zzz", Body=b"?")
    async with anchored(s3, bucket) as anchor:
        asked = []
        with anchor._opened() as own:
            own.meta.events.register("before-call.s3.*", lambda **_: asked.append(1))
            assert anchor._largest_visible(own, CHAIN, 10**20) == sizes[-1]
            assert len(asked) < 200
            for place in {0, len(sizes) // 2, len(sizes) - 1}:
                expected = sizes[place - 1] if place else 0
                assert anchor._largest_visible(own, CHAIN, sizes[place]) == expected


async def test_publishing_twice_is_well(s3: str, bucket: str, client: Any, tmp_path: Path) -> None:
    (document,) = SignedChain(tmp_path).grown(5).documents
    async with anchored(s3, bucket) as anchor:
        await anchor.publish(document)
        await anchor.publish(document)
    assert len(client.list_object_versions(Bucket=bucket)["Versions"]) == 1


async def test_another_history_is_a_conflict_and_changes_nothing(
    s3: str, bucket: str, client: Any, tmp_path: Path
) -> None:
    (first,) = SignedChain(tmp_path / "a").grown(5).documents
    (second,) = SignedChain(tmp_path / "b", note="other ").grown(5).documents
    async with anchored(s3, bucket) as anchor:
        await anchor.publish(first)
        with pytest.raises(AnchorConflictError, match=r"ROLLBACK OR FORK: .*keeps another history of chain"):
            await anchor.publish(second)
    (version,) = client.list_object_versions(Bucket=bucket)["Versions"]
    found = client.get_object(Bucket=bucket, Key=key_of(5), VersionId=version["VersionId"])
    assert found["Body"].read().decode() == first.text()


async def test_a_delete_marker_hides_nothing(s3: str, bucket: str, client: Any, tmp_path: Path) -> None:
    """Whoever may delete can hide a locked object from a plain listing, and could then have it written anew."""
    chain = SignedChain(tmp_path / "a").grown(5, 5)
    (_, other) = SignedChain(tmp_path / "b", note="other ").grown(5, 5).documents
    async with anchored(s3, bucket) as anchor:
        for document in chain.documents:
            await anchor.publish(document)
        client.delete_object(Bucket=bucket, Key=key_of(11))
        assert [each["Key"] for each in client.list_objects_v2(Bucket=bucket)["Contents"]] == [key_of(5)]
        assert (await anchor.held(trusts)).newest == {CHAIN: chain.documents[-1].signed}
        with pytest.raises(AnchorConflictError):
            await anchor.publish(other)
        await anchor.publish(chain.documents[-1])


async def test_what_is_hidden_altogether_is_found(s3: str, bucket: str, client: Any, tmp_path: Path) -> None:
    chain = SignedChain(tmp_path / "a").grown(5, 5, 5)
    async with anchored(s3, bucket) as anchor:
        for document in chain.documents:
            await anchor.publish(document)
        for size in (17, 11, 5):
            client.delete_object(Bucket=bucket, Key=key_of(size))
            held = await anchor.held(trusts)
            assert held.newest == {CHAIN: chain.documents[-1].signed}
            assert held.distrusted == ()


async def test_a_newer_version_does_not_count(s3: str, bucket: str, client: Any, tmp_path: Path) -> None:
    chain = SignedChain(tmp_path / "a").grown(5)
    (other,) = SignedChain(tmp_path / "b", note="other ").grown(5).documents
    async with anchored(s3, bucket) as anchor:
        await anchor.publish(chain.documents[0])
        client.put_object(Bucket=bucket, Key=key_of(5), Body=other.text().encode())
        assert (await anchor.held(trusts)).newest == {CHAIN: chain.documents[0].signed}
        with pytest.raises(AnchorConflictError):
            await anchor.publish(other)


async def test_forged_documents_are_told_and_hide_nothing(
    s3: str, bucket: str, client: Any, tmp_path: Path
) -> None:
    chain = SignedChain(tmp_path / "a").grown(5)
    forged = SignedChain(tmp_path / "b", note="other ")
    forged.grow(50)
    async with anchored(s3, bucket) as anchor:
        await anchor.publish(chain.documents[0])
        client.put_object(Bucket=bucket, Key=key_of(50), Body=forged.checkpoint(OTHER_KEY).text().encode())
        client.put_object(Bucket=bucket, Key=key_of(60), Body=b"x" * 200_000)
        held = await anchor.held(trusts)
    assert held.newest == {CHAIN: chain.documents[0].signed}
    large, unsigned = held.distrusted
    assert "it is too large" in large
    assert f"s3://{bucket}/{key_of(50)}" in unsigned
    assert "no key that is trusted signed it" in unsigned


async def test_any_number_of_forged_documents_is_not_taken_for_nothing(
    s3: str, bucket: str, client: Any, tmp_path: Path
) -> None:
    chain = SignedChain(tmp_path / "a").grown(5)
    async with anchored(s3, bucket) as anchor:
        await anchor.publish(chain.documents[0])
        for number in range(1, 3):
            client.put_object(Bucket=bucket, Key=key_of(LARGEST_SIZE + number), Body=b"?")
        held = await anchor.held(trusts)
        assert held.newest == {CHAIN: chain.documents[0].signed}
        # Of the first, moto says nothing: it takes what stands behind a marker that is nobody's name for that marker itself.
        place = f"s3://{bucket}/{key_of(LARGEST_SIZE + 2)}"
        assert f"{place}: no chain has as many records as its name says" in held.distrusted
        for size in range(1000, 1000 + MOST_DISTRUSTED):
            client.put_object(Bucket=bucket, Key=key_of(size), Body=b"?")
        held = await anchor.held(trusts)
        assert held.newest == {}
        (problem,) = held.unanswered
        assert f"its {MOST_DISTRUSTED} newest documents of chain {CHAIN} cannot be trusted" in problem
        assert f"the first is s3://{bucket}/{key_of(999 + MOST_DISTRUSTED)} (version " in problem
        with pytest.raises(AnchorError, match="cannot be trusted, and hide"):
            await anchor.seen(chain.documents[0].signed, trusts)


async def test_a_bucket_of_another_key_is_not_taken_for_nothing(s3: str, bucket: str, tmp_path: Path) -> None:
    chain = SignedChain(tmp_path)
    chain.grow(5)
    async with anchored(s3, bucket) as anchor:
        await anchor.publish(chain.checkpoint(OTHER_KEY))
        (problem,) = (await anchor.held(trusts)).unanswered
    assert f"none of its 1 checkpoints of chain {CHAIN} is signed by a key of audit.checkpoint_key" in problem


async def test_a_bucket_without_a_lock_is_no_anchor(s3: str, client: Any, tmp_path: Path) -> None:
    make_bucket(client, "unlocked", lock=False)
    (document,) = SignedChain(tmp_path).grown(5).documents
    async with anchored(s3, "unlocked") as anchor:
        for ask in (anchor.publish(document), anchor.probe()):
            with pytest.raises(AnchorError, match="the bucket unlocked has no object lock"):
                await ask
    assert "Contents" not in client.list_objects_v2(Bucket="unlocked")


async def test_a_probe_leaves_nothing_behind(s3: str, bucket: str, client: Any) -> None:
    async with anchored(s3, bucket) as anchor:
        words = await anchor.probe()
    assert words == (
        f"s3://{bucket}/{PREFIX} can be written to, is locked for 30 days (compliance), and keeps checkpoints of 0 chains"
    )
    assert "Versions" not in client.list_object_versions(Bucket=bucket)
    assert "Uploads" not in client.list_multipart_uploads(Bucket=bucket)


async def test_what_is_wrong_is_told_with_what_to_do(s3: str, tmp_path: Path) -> None:
    (document,) = SignedChain(tmp_path).grown(5).documents
    async with anchored(s3, "no-such-bucket") as anchor:
        for ask in (anchor.publish(document), anchor.held(trusts), anchor.probe()):
            with pytest.raises(
                AnchorError, match=r"\(NoSuchBucket\); there is no such bucket: correct its name"
            ):
                await ask


async def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vaultsigner.audit.anchors.bucket.ATTEMPTS", 1)
    async with anchored("http://127.0.0.1:9", "some-bucket") as anchor:
        with pytest.raises(AnchorError, match="S3 cannot be reached there; see endpoint_url"):
            await anchor.held(trusts)


async def test_no_credentials(s3: str, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    async with anchored(s3, bucket) as anchor:
        with pytest.raises(AnchorError, match="there are no AWS credentials"):
            await anchor.held(trusts)


async def test_a_proxy_of_the_environment_is_not_used(
    s3: str, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    async with anchored(s3, bucket) as anchor:
        assert (await anchor.held(trusts)).newest == {}


async def test_without_boto3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore.exceptions", None)
    async with anchored("http://127.0.0.1:9", "some-bucket") as anchor:
        with pytest.raises(AnchorError, match=r"pip install 'vaultsigner\[s3\]'"):
            await anchor.held(trusts)


async def test_a_start_catches_up(s3: str, bucket: str, tmp_path: Path) -> None:
    chain = SignedChain(tmp_path).grown(5, 5, 5)
    async with anchored(s3, bucket) as anchor:
        await anchor.publish(chain.documents[0])
        async with Anchoring((anchor,), tmp_path, KEYS) as sent:
            await sent.catch_up()
            await sent.delivered()
            (status,) = sent.status()
            assert (status.kind, status.problem) == ("bucket", None)
            assert status.last == chain.documents[-1].signed.checkpoint
    async with anchored(s3, bucket) as anchor:
        assert await anchor.seen(chain.documents[0].signed, trusts) == 17
        comparison = await compare_with_anchors(tmp_path / "lost", (anchor,), KEYS)
        assert [rollback.name for rollback in comparison.rollbacks] == [f"{CHAIN}:17"]


def fixed(status: int, text: str, **headers: str) -> web.Application:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=text, headers=headers)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    return app


@pytest.mark.parametrize(
    ("status", "text", "words"),
    [
        (200, "<html>Please log in", r"S3 refuses \(500\)"),
        (200, "<a/>", None),
        (500, "secret trace", r"S3 refuses \(500\)"),
        (403, "", r"S3 refuses \(403\); the credentials need s3:PutObject"),
    ],
)
async def test_what_is_not_s3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, text: str, words: str | None
) -> None:
    """Also where a listing is well-formed and says nothing, nothing counts as kept: the lock is asked for first."""
    monkeypatch.setattr("vaultsigner.audit.anchors.bucket.ATTEMPTS", 1)
    (document,) = SignedChain(tmp_path).grown(5).documents
    async with (
        serving(fixed(status, text, Location="http://127.0.0.1:9/"), None) as port,
        anchored(f"http://127.0.0.1:{port}", "some-bucket") as anchor,
    ):
        if words is None:
            assert (await anchor.held(trusts)).newest == {}
        else:
            await refused(anchor.held(trusts), words)
        await refused(anchor.publish(document), words or "no object lock")
        await refused(anchor.probe(), words or "no object lock")


async def refused(asked: Awaitable[object], words: str) -> None:
    with pytest.raises(AnchorError, match=words) as caught:
        await asked
    assert "secret trace" not in str(caught.value)


async def test_s3_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vaultsigner.audit.anchors.bucket.ATTEMPTS", 1)
    monkeypatch.setattr("vaultsigner.audit.anchors.bucket.READ_SECONDS", 0.2)
    going = asyncio.Event()

    async def hang(_: web.Request) -> web.Response:
        await going.wait()
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", hang)
    async with serving(app, None) as port, anchored(f"http://127.0.0.1:{port}", "some-bucket") as anchor:
        with pytest.raises(AnchorError, match="S3 does not answer in time"):
            await anchor.held(trusts)
        going.set()
