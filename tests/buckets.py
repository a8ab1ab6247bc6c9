"""S3 as moto has it, in a process of its own, and what a test does there with its own hands."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import boto3

ROOT = Path(__file__).parents[1]
PYTHON = ROOT / ".venv-moto" / "bin" / "python"
REGION = "eu-west-1"
ENVIRONMENT: Mapping[str, str] = MappingProxyType(
    {
        "AWS_ACCESS_KEY_ID": "AKIASTANDIN",
        "AWS_SECRET_ACCESS_KEY": "of-no-use",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }
)
"""What AWS's own tools find here: no file and no machine's role."""


@contextmanager
def running_s3() -> Iterator[str]:
    """Its address."""
    command = [PYTHON, ROOT / "tests" / "clients" / "s3_stand_in.py"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def client_of(url: str) -> Any:
    """Whoever else has rights there."""
    return boto3.session.Session().client(
        "s3",
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id="AKIASOMEBODY",
        aws_secret_access_key="of-no-use",
    )


def make_bucket(client: Any, name: str, *, lock: bool = True) -> str:
    """A bucket, locked or not."""
    client.create_bucket(
        Bucket=name,
        ObjectLockEnabledForBucket=lock,
        CreateBucketConfiguration={"LocationConstraint": REGION},
    )
    return name
