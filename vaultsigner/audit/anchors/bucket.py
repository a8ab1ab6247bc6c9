"""An S3 bucket with object lock: what is written there nobody deletes before its time.

A delete without a version hides an object behind a delete marker, also where it is locked, and a later put adds a version. So
everything is read by its versions, and the oldest counts. Source: Amazon S3 User Guide, "Locking objects with Object Lock".
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from vaultsigner.audit.anchors.anchor import (
    LARGEST_DOCUMENT,
    LARGEST_SIZE,
    MOST_DISTRUSTED,
    AnchorError,
    Found,
    Held,
    Kind,
    Trusts,
    held_of,
    name_for,
    newest_of,
    require_same,
    size_in,
)
from vaultsigner.audit.anchors.calls import Calls
from vaultsigner.audit.files.file_names import is_chain
from vaultsigner.config.anchor_settings import BucketAnchor
from vaultsigner.domain.checkpoints import AnchorDocument, Checkpoint, SignedCheckpoint

CONNECT_SECONDS = 5
READ_SECONDS = 10
ATTEMPTS = 3
_Client = Any
"""boto3 publishes no types."""


class CheckpointBucket:
    """`<prefix><chain>/<size>.checkpoint`, with credentials from where AWS's own tools find them."""

    kind: Kind = "bucket"

    def __init__(
        self, settings: BucketAnchor, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.name = settings.name
        self.required = settings.required
        self._settings = settings
        self._place = f"s3://{settings.bucket}/{settings.prefix}"
        self._now = now
        self._calls = Calls(f"anchor {settings.name}")
        self._client: _Client = None
        self._locked = False

    async def held(self, trusts: Trusts) -> Held:
        """See `Anchor`."""
        chains = await self._calls.make(self._chains)
        return held_of(
            {chain: await self._calls.make(partial(self._found, chain, trusts)) for chain in chains}
        )

    async def seen(self, own: SignedCheckpoint, trusts: Trusts) -> int:
        """See `Anchor`."""
        found = await self._calls.make(lambda: self._found(own.checkpoint.chain, trusts))
        return found.size()

    async def publish(self, document: AnchorDocument) -> None:
        """See `Anchor`."""
        await self._calls.make(lambda: self._publish(document))

    async def keeps(self, _checkpoint: Checkpoint) -> bool:
        """See `Anchor`."""
        return True

    async def probe(self) -> str:
        """See `Anchor`."""
        return await self._calls.make(self._probe)

    async def close(self) -> None:
        """See `Anchor`."""
        await self._calls.close()
        if self._client is not None:
            self._client.close()
            self._client = None

    def _chains(self) -> list[str]:
        with self._opened() as client:
            pages = client.get_paginator("list_object_versions").paginate(
                Bucket=self._settings.bucket, Prefix=self._settings.prefix, Delimiter="/"
            )
            steps = [found["Prefix"] for page in pages for found in page.get("CommonPrefixes", ())]
        names = (step.removeprefix(self._settings.prefix).rstrip("/") for step in steps)
        return sorted(name for name in names if is_chain(name))

    def _found(self, chain: str, trusts: Trusts) -> Found:
        with self._opened() as client:
            return newest_of(chain, self._kept(client, chain), self._too_large(client, chain), trusts)

    def _kept(self, client: _Client, chain: str) -> Iterator[tuple[int, str, bytes]]:
        """Every version of every document, the largest size first, and of each size the oldest first."""
        below = LARGEST_SIZE + 1
        while below:
            visible = self._largest_visible(client, chain, below)
            for size in sorted(self._written_from(client, chain, visible, below), reverse=True):
                key = self._key(chain, size)
                for version in self._versions(client, key):
                    place = f"s3://{self._settings.bucket}/{key} (version {version})"
                    yield size, place, self._read(client, key, version)
            below = visible

    def _too_large(self, client: _Client, chain: str) -> list[str]:
        """Places of what has a larger size than any chain, if not of all."""
        page = client.list_object_versions(
            Bucket=self._settings.bucket,
            Prefix=f"{self._settings.prefix}{chain}/",
            KeyMarker=self._key(chain, LARGEST_SIZE),
            MaxKeys=MOST_DISTRUSTED,
        )
        keys = {found["Key"] for found in page.get("Versions", ())}
        return [f"s3://{self._settings.bucket}/{key}" for key in sorted(keys) if self._size(chain, key)]

    def _written_from(self, client: _Client, chain: str, size: int, below: int) -> set[int]:
        """Of `size` (0: of all) and what is larger: under what anything was ever written, also where it is hidden now."""
        pages = client.get_paginator("list_object_versions").paginate(
            Bucket=self._settings.bucket,
            Prefix=f"{self._settings.prefix}{chain}/",
            **({"KeyMarker": self._key(chain, size)} if size else {}),
        )
        keys = {found["Key"] for page in pages for found in page.get("Versions", ())}
        sizes = {self._size(chain, key) for key in keys} | {size}
        return {each for each in sizes if each and size <= each < below}

    def _largest_visible(self, client: _Client, chain: str, below: int) -> int:
        """The largest size in a plain listing, in few questions however much there is; 0: none."""
        largest, step = 0, 1
        while True:
            found = self._next_visible(client, chain, largest + step, below)
            if found:
                largest, step = found, step * 2
            elif step > 1:
                step //= 2
            else:
                # Nothing stands further on than the very next.
                found = self._next_visible(client, chain, largest, below)
                return found or largest

    def _next_visible(self, client: _Client, chain: str, after: int, below: int) -> int:
        """The smallest size larger than `after`, and smaller than `below`, in a plain listing; 0: there is none."""
        key = self._key(chain, after)
        while True:
            page = client.list_objects_v2(
                Bucket=self._settings.bucket,
                Prefix=f"{self._settings.prefix}{chain}/",
                StartAfter=key,
                MaxKeys=1,
            )
            if not page.get("Contents"):
                return 0
            key = page["Contents"][0]["Key"]
            size = self._size(chain, key)
            if size:
                return size if size < below else 0

    def _size(self, chain: str, key: str) -> int:
        """In the key of a checkpoint; 0: it is that of something else."""
        size = size_in(key.rpartition("/")[2]) or 0
        return size if key == self._key(chain, size) else 0

    def _versions(self, client: _Client, key: str) -> list[str]:
        """Of an object, the oldest first; delete markers are none."""
        pages = client.get_paginator("list_object_versions").paginate(
            Bucket=self._settings.bucket, Prefix=key
        )
        found = [version for page in pages for version in page.get("Versions", ()) if version["Key"] == key]
        return [version["VersionId"] for version in reversed(found)]

    def _read(self, client: _Client, key: str, version: str) -> bytes:
        answer = client.get_object(Bucket=self._settings.bucket, Key=key, VersionId=version)
        with answer["Body"] as body:
            data: bytes = body.read(LARGEST_DOCUMENT + 1)
        return data

    def _publish(self, document: AnchorDocument) -> None:
        checkpoint = document.signed.checkpoint
        key = self._key(checkpoint.chain, checkpoint.size)
        with self._opened() as client:
            self._require_lock(client)
            # A delete marker lets a put through that wants nothing to be there; what is locked below it is asked for itself.
            versions = self._versions(client, key)
            if versions:
                place = f"s3://{self._settings.bucket}/{key} (version {versions[0]})"
                require_same(self._read(client, key, versions[0]), document, place)
                return
            client.put_object(
                Bucket=self._settings.bucket,
                Key=key,
                Body=document.text().encode(),
                ContentType="text/plain; charset=utf-8",
                ChecksumAlgorithm="SHA256",
                IfNoneMatch="*",
                **self._retention(),
            )

    def _retention(self) -> dict[str, Any]:
        return {
            "ObjectLockMode": self._settings.mode.upper(),
            "ObjectLockRetainUntilDate": self._now() + timedelta(days=self._settings.retain_days),
        }

    def _require_lock(self, client: _Client) -> None:
        if self._locked:
            return
        from botocore.exceptions import ClientError  # noqa: PLC0415 - optional, see `_opened`

        try:
            answer = client.get_object_lock_configuration(Bucket=self._settings.bucket)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ObjectLockConfigurationNotFoundError":
                raise
            answer = {}
        if answer.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") != "Enabled":
            raise AnchorError(
                f"the bucket {self._settings.bucket} has no object lock, so that checkpoints there could be deleted; make one "
                "with `aws s3api create-bucket --object-lock-enabled-for-bucket`, or enable it in the bucket's properties"
            )
        self._locked = True

    def _probe(self) -> str:
        with self._opened() as client:
            self._locked = False
            self._require_lock(client)
            # An object could not be removed again for years; an upload that is begun and given up leaves nothing.
            key = f"{self._settings.prefix}probe"
            begun = client.create_multipart_upload(
                Bucket=self._settings.bucket, Key=key, ChecksumAlgorithm="SHA256", **self._retention()
            )
            client.abort_multipart_upload(Bucket=self._settings.bucket, Key=key, UploadId=begun["UploadId"])
        chains = len(self._chains())
        return (
            f"{self._place} can be written to, is locked for {self._settings.retain_days} days ({self._settings.mode}), "
            f"and keeps checkpoints of {chains} chains"
        )

    def _key(self, chain: str, size: int) -> str:
        return f"{self._settings.prefix}{chain}/{name_for(size)}"

    @contextmanager
    def _opened(self) -> Iterator[_Client]:
        """The client, and whatever goes wrong with it in words.

        boto3 is asked for here, and not before: only those who have a bucket need its 15 MB.
        """
        try:
            from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - see above
            from botocore.parsers import ResponseParserError  # noqa: PLC0415 - the same
        except ImportError:
            raise AnchorError(
                "an anchor in a bucket needs boto3, which is not installed: pip install 'vaultsigner[s3]'"
            ) from None
        try:
            self._client = self._client or _new_client(self._settings)
            yield self._client
        except ClientError as error:
            raise AnchorError(f"{self._place}: {_refused(error.response)}") from error
        # Redirected without end, botocore calls itself without end.
        except (ResponseParserError, KeyError, RecursionError) as error:
            raise AnchorError(f"{self._place}: what answers there is not S3; see endpoint_url") from error
        except BotoCoreError as error:
            raise AnchorError(
                f"{self._place}: {_UNANSWERED.get(type(error).__name__, type(error).__name__)}"
            ) from error


def _new_client(settings: BucketAnchor) -> _Client:
    import boto3  # noqa: PLC0415 - optional, see `CheckpointBucket._opened`
    from botocore.config import Config  # noqa: PLC0415 - the same

    return boto3.session.Session().client(
        "s3",
        region_name=settings.region,
        endpoint_url=settings.endpoint_url,
        config=Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            proxies={},
            user_agent_extra="vaultsigner",
        ),
    )


def _refused(response: Any) -> str:
    """A refusal's code and what to do; its message may name accounts and keys."""
    code = str(response.get("Error", {}).get("Code", "unknown"))
    return f"S3 refuses ({code}){_ADVICE.get(code, '')}"


_RIGHTS = (
    "; the credentials need s3:PutObject, s3:PutObjectRetention, s3:GetObject, s3:GetObjectVersion, s3:ListBucket, "
    "s3:ListBucketVersions and s3:GetBucketObjectLockConfiguration there, and none to delete"
)
_WRONG_KEY = "; see which credentials this process finds, as `aws sts get-caller-identity` tells them"
_ADVICE = {
    "AccessDenied": _RIGHTS,
    "403": _RIGHTS,
    "NoSuchBucket": "; there is no such bucket: correct its name, or make it with object lock",
    "InvalidAccessKeyId": _WRONG_KEY,
    "SignatureDoesNotMatch": _WRONG_KEY,
    "ExpiredToken": _WRONG_KEY,
    "PermanentRedirect": "; the bucket is in another region: correct the anchor's region",
    "RequestTimeTooSkewed": "; this machine's clock is wrong",
    "PreconditionFailed": "; another process wrote there at the same moment",
}
_UNANSWERED = {
    "NoCredentialsError": "there are no AWS credentials; give this process a role, or AWS_ACCESS_KEY_ID and its secret",
    "PartialCredentialsError": "the AWS credentials are incomplete",
    "NoRegionError": "there is no region; write the anchor's region, e.g. eu-west-1",
    "EndpointConnectionError": "S3 cannot be reached there; see endpoint_url and the network",
    "ConnectTimeoutError": "S3 does not answer in time",
    "ReadTimeoutError": "S3 does not answer in time",
    "ConnectionClosedError": "S3 hung up",
    "SSLError": "the certificate there is not accepted",
    "ProfileNotFound": "AWS_PROFILE names a profile that does not exist",
}
