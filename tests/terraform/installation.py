"""terraform/ applied to an AWS stand-in, once for all tests that describe what came of it."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.buckets import PYTHON
from tests.terraform.terraform import Terraform

REGION = "eu-west-1"
DOMAIN = "signer.desk.example"
_SERVICES = (
    "acm", "applicationautoscaling", "cloudwatch", "cloudwatchlogs", "ec2", "ecr", "ecs", "efs", "elbv2", "iam", "kms", "rds",
    "route53", "s3", "secretsmanager", "sns", "sts", "wafv2",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Installation:
    """What was planned, as `terraform show -json` tells it, and what was made.

    Args:
        resources: of the plan, by their address.
        outputs: by name.
    """

    url: str
    resources: dict[str, dict[str, Any]]
    outputs: dict[str, Any]

    def client(self, service: str) -> Any:
        """boto3 publishes no types."""
        return client_of(service, self.url)

    def planned(self, kind: str) -> dict[str, dict[str, Any]]:
        """Resources of a type, by their address."""
        return {at: each for at, each in self.resources.items() if f".{kind}." in f".{at}"}

    def only(self, kind: str) -> dict[str, Any]:
        """The one resource of a type."""
        (found,) = self.planned(kind).values()
        return found


@cache
def client_of(service: str, url: str) -> Any:
    """A client of the stand-in's."""
    return boto3.session.Session().client(
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id="AKIASOMEBODY",
        aws_secret_access_key="of-no-use",
    )


@contextmanager
def running_aws() -> Iterator[str]:
    """Its address."""
    script = Path(__file__).with_name("aws_stand_in.py")
    with subprocess.Popen(
        [PYTHON, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


@contextmanager
def applied(directory: Path) -> Iterator[Installation]:
    """The example's values, and what the stand-in has of what it names."""
    with running_aws() as url:
        terraform = Terraform(directory / "terraform", _provider(url))
        (terraform.directory / "stand-in.tfvars.json").write_text(json.dumps(_found_there(url)))
        values = ["-var-file=example.tfvars", "-var-file=stand-in.tfvars.json"]
        terraform.run("plan", "-input=false", "-out=plan", *values)
        plan = json.loads(terraform.run("show", "-json", "plan"))
        terraform.run("apply", "-input=false", "plan")
        outputs = json.loads(terraform.run("output", "-json"))
        yield Installation(
            url,
            dict(_resources(plan["planned_values"]["root_module"])),
            {name: output["value"] for name, output in outputs.items()},
        )


def _provider(url: str) -> str:
    endpoints = "\n".join(f'    {service} = "{url}"' for service in _SERVICES)
    return f"""
provider "aws" {{
  access_key                  = "AKIASTANDIN"
  secret_key                  = "of-no-use"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  s3_use_path_style           = true
  endpoints {{
{endpoints}
  }}
}}
"""


def _found_there(url: str) -> dict[str, Any]:
    """A certificate, and ways to other networks."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, DOMAIN)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    imported = client_of("acm", url).import_certificate(
        Certificate=certificate.public_bytes(pem), PrivateKey=private
    )
    network = client_of("ec2", url)
    gateway = network.create_transit_gateway()["TransitGateway"]["TransitGatewayId"]
    other = network.create_vpc(CidrBlock="10.50.0.0/16")["Vpc"]["VpcId"]
    peering = network.create_vpc_peering_connection(VpcId=other, PeerVpcId=other)["VpcPeeringConnection"]
    return {
        "certificate_arn": imported["CertificateArn"],
        "routes": {
            "vault": {
                "cidr": "10.50.1.0/24",
                "vpc_peering_connection_id": peering["VpcPeeringConnectionId"],
            },
            "desk": {"cidr": "10.20.0.0/16", "transit_gateway_id": gateway},
        },
    }


def _resources(module: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for resource in module.get("resources", ()):
        if resource["mode"] == "managed":
            yield resource["address"], resource.get("values", {})
    for child in module.get("child_modules", ()):
        yield from _resources(child)
