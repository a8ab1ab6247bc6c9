"""What terraform/ makes of the example's values, as the stand-in describes it afterwards. One apply serves all tests here."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.buckets import ENVIRONMENT
from tests.terraform.installation import REGION, Installation, applied
from tests.terraform.terraform import ROOT
from vaultsigner import config
from vaultsigner.audit.anchors.anchor import AnchorError
from vaultsigner.audit.anchors.bucket import CheckpointBucket
from vaultsigner.cli import main
from vaultsigner.config.anchor_settings import BucketAnchor
from vaultsigner.config.state_urls import parse_postgresql

NAME = "vaultsigner"
ACCOUNT = "123456789012"
EVERYWHERE = {"0.0.0.0/0", "::/0"}
REGISTRY_LOG_IN = "ecr:GetAuthorizationToken"
"""The one action that AWS lets nobody tie to a resource."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with applied(tmp_path_factory.mktemp("terraform")) as installation:
        yield installation


def listed(value: Any) -> list[Any]:
    """A policy's members may be one, or a list."""
    return value if isinstance(value, list) else [value]


def statements(policy: Any) -> list[dict[str, Any]]:
    document = policy if isinstance(policy, dict) else json.loads(policy)
    found: list[dict[str, Any]] = document["Statement"]
    return found


def role_policies(made: Installation) -> dict[str, list[dict[str, Any]]]:
    """Statements of every role, by its name."""
    iam = made.client("iam")
    return {
        role["RoleName"]: [
            statement
            for name in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]
            for statement in statements(
                iam.get_role_policy(RoleName=role["RoleName"], PolicyName=name)["PolicyDocument"]
            )
        ]
        for role in iam.list_roles()["Roles"]
        if role["RoleName"].startswith(NAME)
    }


def groups(made: Installation) -> dict[str, str]:
    """Ids of the security groups, by their names without the prefix."""
    found = made.client("ec2").describe_security_groups()["SecurityGroups"]
    return {
        group["GroupName"].removeprefix(f"{NAME}-"): group["GroupId"]
        for group in found
        if group["GroupName"].startswith(f"{NAME}-")
    }


def rules(made: Installation, group: str, *, egress: bool) -> set[tuple[int, str]]:
    """Port, and who is on the other side: another group's name, a network, or a prefix list."""
    names = {identity: name for name, identity in groups(made).items()}
    found = made.client("ec2").describe_security_group_rules(
        Filters=[{"Name": "group-id", "Values": [groups(made)[group]]}]
    )["SecurityGroupRules"]
    assert all(rule["FromPort"] == rule["ToPort"] and rule["IpProtocol"] == "tcp" for rule in found)
    return {
        (
            rule["FromPort"],
            rule.get("CidrIpv4")
            or rule.get("CidrIpv6")
            or rule.get("PrefixListId")
            or names[rule["ReferencedGroupInfo"]["GroupId"]],
        )
        for rule in found
        if rule["IsEgress"] == egress
    }


def zones_of(made: Installation, subnets: list[str]) -> set[str]:
    found = made.client("ec2").describe_subnets(SubnetIds=subnets)["Subnets"]
    return {subnet["AvailabilityZone"] for subnet in found}


def container(made: Installation, family: str = NAME) -> dict[str, Any]:
    definition = made.client("ecs").describe_task_definition(taskDefinition=family)["taskDefinition"]
    (only,) = definition["containerDefinitions"]
    found: dict[str, Any] = only
    return found


def test_the_database_is_in_two_zones_encrypted_and_nobody_elses(made: Installation) -> None:
    (database,) = made.client("rds").describe_db_instances()["DBInstances"]
    assert database["PubliclyAccessible"] is False
    assert database["MultiAZ"] is True
    assert database["StorageEncrypted"] is True
    assert database["KmsKeyId"].startswith(f"arn:aws:kms:{REGION}:{ACCOUNT}:key/")
    assert database["IAMDatabaseAuthenticationEnabled"] is True
    assert database["DeletionProtection"] is True
    assert database["BackupRetentionPeriod"] == 35
    assert [group["VpcSecurityGroupId"] for group in database["VpcSecurityGroups"]] == [
        groups(made)["database"]
    ]
    subnets = [subnet["SubnetIdentifier"] for subnet in database["DBSubnetGroup"]["Subnets"]]
    assert len(zones_of(made, subnets)) == 2


def test_the_databases_password_is_its_own_affair(made: Installation) -> None:
    (planned,) = made.planned("aws_db_instance").values()
    assert planned["manage_master_user_password"] is True
    assert planned["password"] is None
    parameters = {each["name"]: each["value"] for each in made.only("aws_db_parameter_group")["parameter"]}
    assert parameters["rds.force_ssl"] == "1"


def test_database_and_record_have_no_way_out(made: Installation) -> None:
    network = made.client("ec2")
    tables = network.describe_route_tables(Filters=[{"Name": "tag:Name", "Values": [f"{NAME}-data"]}])
    (table,) = tables["RouteTables"]
    assert [route["GatewayId"] for route in table["Routes"]] == ["local"]
    subnets = network.describe_subnets()["Subnets"]
    assert not any(
        subnet["MapPublicIpOnLaunch"] for subnet in subnets if subnet["CidrBlock"].startswith("10.71.")
    )


def test_no_role_may_do_everything_or_something_everywhere(made: Installation) -> None:
    policies = role_policies(made)
    assert len(policies) == 6
    for role, found in policies.items():
        assert found or role == f"{NAME}-database-setup"
        for statement in found:
            assert "NotAction" not in statement
            assert "NotResource" not in statement
            actions = listed(statement["Action"])
            assert not any("*" in action for action in actions), role
            if actions != [REGISTRY_LOG_IN]:
                assert "*" not in listed(statement["Resource"]), role


def test_roles_have_no_policies_from_elsewhere_and_are_for_this_account(made: Installation) -> None:
    iam = made.client("iam")
    for role in role_policies(made):
        assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []
        for statement in statements(iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]):
            assert set(statement["Principal"]) == {"Service"}
            assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}


def test_the_tasks_may_do_what_they_do_and_nothing_else(made: Installation) -> None:
    found = role_policies(made)[f"{NAME}-task"]
    assert {action for statement in found for action in listed(statement["Action"])} == {
        "elasticfilesystem:ClientMount",
        "elasticfilesystem:ClientWrite",
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "rds-db:connect",
        "s3:AbortMultipartUpload",
        "s3:GetBucketObjectLockConfiguration",
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:ListBucket",
        "s3:ListBucketVersions",
        "s3:PutObject",
        "s3:PutObjectRetention",
    }
    (connect,) = (statement for statement in found if "rds-db:connect" in statement["Action"])
    (database,) = made.client("rds").describe_db_instances()["DBInstances"]
    assert connect["Resource"] == [
        f"arn:aws:rds-db:{REGION}:{ACCOUNT}:dbuser:{database['DbiResourceId']}/vaultsigner"
    ]


def test_keys_are_rotated_and_their_policies_name_each_action(made: Installation) -> None:
    keys = made.client("kms")
    own = [
        alias for alias in keys.list_aliases()["Aliases"] if alias["AliasName"].startswith(f"alias/{NAME}")
    ]
    assert {alias["AliasName"] for alias in own} == {f"alias/{NAME}-data", f"alias/{NAME}-logs"}
    for alias in own:
        assert keys.get_key_rotation_status(KeyId=alias["TargetKeyId"])["KeyRotationEnabled"] is True
        for statement in statements(
            keys.get_key_policy(KeyId=alias["TargetKeyId"], PolicyName="default")["Policy"]
        ):
            assert not any("*" in action for action in listed(statement["Action"]))
            assert "Service" not in statement["Principal"] or statement["Condition"]


def test_tasks_reach_vault_what_is_theirs_and_named_upstreams(made: Installation) -> None:
    s3 = f"com.amazonaws.{REGION}.s3"
    lists = made.client("ec2").describe_managed_prefix_lists()["PrefixLists"]
    (prefixes,) = (each["PrefixListId"] for each in lists if each["PrefixListName"] == s3)
    assert rules(made, "tasks", egress=True) == {
        (8200, "10.50.1.0/24"),
        (443, "203.0.113.0/28"),
        (5432, "database"),
        (2049, "record"),
        (443, "endpoints"),
        (443, prefixes),
    }
    assert rules(made, "tasks", egress=False) == {(8000, "balancer"), (9100, "balancer")}


def test_each_security_group_lets_in_who_has_to_be_there(made: Installation) -> None:
    assert rules(made, "balancer", egress=False) == {(443, "10.20.0.0/16")}
    assert rules(made, "balancer", egress=True) == {(8000, "tasks"), (9100, "tasks")}
    assert rules(made, "database", egress=False) == {(5432, "tasks"), (5432, "database-setup")}
    assert rules(made, "record", egress=False) == {(2049, "tasks")}
    assert rules(made, "endpoints", egress=False) == {(443, "tasks"), (443, "database-setup")}
    assert rules(made, "database-setup", egress=False) == set()
    for closed in ("database", "record", "endpoints"):
        assert rules(made, closed, egress=True) == set()


def test_no_security_group_of_the_network_knows_everybody(made: Installation) -> None:
    (network,) = {
        group["VpcId"]
        for group in made.client("ec2").describe_security_groups()["SecurityGroups"]
        if group["GroupName"] == f"{NAME}-tasks"
    }
    found = made.client("ec2").describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [network]}])
    for group in found["SecurityGroups"]:
        for rule in (*group["IpPermissions"], *group["IpPermissionsEgress"]):
            networks = {each["CidrIp"] for each in rule["IpRanges"]} | {
                each["CidrIpv6"] for each in rule.get("Ipv6Ranges", ())
            }
            assert not networks & EVERYWHERE, group["GroupName"]
        if group["GroupName"] == "default":
            assert group["IpPermissions"] == []
            assert group["IpPermissionsEgress"] == []


def test_anchors_cannot_be_deleted(made: Installation) -> None:
    bucket = made.outputs["anchors"]["bucket"]
    client = made.client("s3")
    lock = client.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
    assert lock["ObjectLockEnabled"] == "Enabled"
    retention = lock["Rule"]["DefaultRetention"]
    assert (retention["Mode"], retention["Days"]) == ("COMPLIANCE", 3650)
    assert client.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"


@contextmanager
def spoken_to_in_clear(made: Installation, bucket: str) -> Iterator[None]:
    """The stand-in has no TLS, and without it the bucket's policy lets nobody read or write objects."""
    client = made.client("s3")
    policy = client.get_bucket_policy(Bucket=bucket)["Policy"]
    client.delete_bucket_policy(Bucket=bucket)
    try:
        yield
    finally:
        client.put_bucket_policy(Bucket=bucket, Policy=policy)


async def probed(anchor: BucketAnchor) -> str:
    bucket = CheckpointBucket(anchor)
    try:
        return await bucket.probe()
    finally:
        await bucket.close()


def test_the_service_takes_the_bucket_for_an_anchor_over_tls_alone(
    made: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    anchor = BucketAnchor(required=True, endpoint_url=made.url, **made.outputs["anchors"])
    with pytest.raises(AnchorError, match="S3 refuses"):
        asyncio.run(probed(anchor))
    with spoken_to_in_clear(made, anchor.bucket):
        assert "is locked for 3650 days (compliance)" in asyncio.run(probed(anchor))


def test_no_bucket_is_public_or_takes_anything_in_clear(made: Installation) -> None:
    client = made.client("s3")
    buckets = [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]
    assert len(buckets) == 3
    for bucket in buckets:
        block = client.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        assert set(block.values()) == {True}
        (rule,) = client.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        algorithm = rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]
        assert algorithm == ("aws:kms" if bucket == made.outputs["anchors"]["bucket"] else "AES256")
        found = statements(client.get_bucket_policy(Bucket=bucket)["Policy"])
        in_clear = {"Bool": {"aws:SecureTransport": "false"}}
        assert any(each["Effect"] == "Deny" and each.get("Condition") == in_clear for each in found)
        assert not any(
            each["Effect"] == "Allow" and each["Principal"] in ("*", {"AWS": "*"}) for each in found
        )


def test_the_record_is_encrypted_and_the_tasks_alone(made: Installation) -> None:
    files = made.client("efs")
    (system,) = files.describe_file_systems()["FileSystems"]
    assert system["Encrypted"] is True
    targets = files.describe_mount_targets(FileSystemId=system["FileSystemId"])["MountTargets"]
    assert len(zones_of(made, [target["SubnetId"] for target in targets])) == 2
    (point,) = files.describe_access_points()["AccessPoints"]
    assert (point["PosixUser"]["Uid"], point["PosixUser"]["Gid"]) == (10001, 10001)
    assert point["RootDirectory"]["CreationInfo"]["Permissions"] == "0700"


def test_clients_come_over_tls_1_3_alone(made: Installation) -> None:
    client = made.client("elbv2")
    (balancer,) = client.describe_load_balancers()["LoadBalancers"]
    (listener,) = client.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    assert (listener["Protocol"], listener["Port"]) == ("HTTPS", 443)
    assert listener["SslPolicy"] == "ELBSecurityPolicy-TLS13-1-3-2021-06"
    assert balancer["Scheme"] == "internal"
    assert len({zone["ZoneName"] for zone in balancer["AvailabilityZones"]}) == 2
    described = client.describe_load_balancer_attributes(LoadBalancerArn=balancer["LoadBalancerArn"])
    attributes = {each["Key"]: each["Value"] for each in described["Attributes"]}
    assert attributes["routing.http.desync_mitigation_mode"] == "strictest"
    assert attributes["routing.http.drop_invalid_header_fields.enabled"] == "true"
    assert attributes["deletion_protection.enabled"] == "true"
    assert attributes["access_logs.s3.enabled"] == "true"


def test_a_firewall_stands_before_the_balancer(made: Installation) -> None:
    (balancer,) = made.client("elbv2").describe_load_balancers()["LoadBalancers"]
    firewall = made.client("wafv2").get_web_acl_for_resource(ResourceArn=balancer["LoadBalancerArn"])
    assert firewall["WebACL"]["Name"] == NAME
    forged, rate = sorted(firewall["WebACL"]["Rules"], key=lambda rule: int(rule["Priority"]))[:2]
    assert forged["Statement"]["SizeConstraintStatement"]["FieldToMatch"] == {
        "SingleHeader": {"Name": "x-forwarded-tls-client-cert"}
    }
    assert "Block" in forged["Action"]
    assert "Block" in rate["Action"]
    assert rate["Statement"]["RateBasedStatement"]["AggregateKeyType"] == "IP"
    redacted = made.only("aws_wafv2_web_acl_logging_configuration")["redacted_fields"]
    names = {header["name"] for field in redacted for header in field["single_header"]}
    assert names == {"authorization", "cookie", "signature", "x-mbx-apikey", "x-mp-open-api-token"}


def test_two_tasks_run_in_two_zones_and_nobody_looks_in(made: Installation) -> None:
    (service,) = made.client("ecs").describe_services(cluster=NAME, services=[NAME])["services"]
    assert service["desiredCount"] == 2
    assert service["launchType"] == "FARGATE"
    assert made.only("aws_ecs_service")["enable_execute_command"] is False
    placed = service["networkConfiguration"]["awsvpcConfiguration"]
    assert placed["assignPublicIp"] == "DISABLED"
    assert placed["securityGroups"] == [groups(made)["tasks"]]
    assert len(zones_of(made, placed["subnets"])) == 2


@pytest.mark.parametrize("family", [NAME, f"{NAME}-database-setup"])
def test_a_container_can_do_little(made: Installation, family: str) -> None:
    found = container(made, family)
    assert found["readonlyRootFilesystem"] is True
    assert found["privileged"] is False
    assert found["user"] == "10001:10001"
    assert found["linuxParameters"]["capabilities"]["drop"] == ["ALL"]
    assert found["linuxParameters"]["initProcessEnabled"] is True
    assert "@sha256:" in found["image"]


def test_the_service_is_given_no_secret(made: Installation) -> None:
    definition = made.client("ecs").describe_task_definition(taskDefinition=NAME)["taskDefinition"]
    assert not container(made).get("secrets")
    (volume,) = definition["volumes"]
    assert volume["efsVolumeConfiguration"]["transitEncryption"] == "ENABLED"
    assert volume["efsVolumeConfiguration"]["authorizationConfig"]["iam"] == "ENABLED"
    (secret,) = container(made, f"{NAME}-database-setup")["secrets"]
    assert secret["name"] == "PGPASSWORD"


def test_every_log_ends_and_is_encrypted(made: Installation) -> None:
    found = made.client("logs").describe_log_groups()["logGroups"]
    assert {group["logGroupName"] for group in found} == {
        "/vaultsigner/flows",
        "/vaultsigner/service",
        "/aws/rds/instance/vaultsigner/postgresql",
        "/aws/rds/instance/vaultsigner/upgrade",
        "/aws/ecs/containerinsights/vaultsigner/performance",
        "aws-waf-logs-vaultsigner",
    }
    for group in found:
        assert group["retentionInDays"] == 365
        assert group["kmsKeyId"].startswith(f"arn:aws:kms:{REGION}:{ACCOUNT}:key/")


def test_tasks_come_and_go_and_two_stay(made: Installation) -> None:
    scaling = made.client("application-autoscaling")
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 6)
    policies = scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
    assert {policy["PolicyType"] for policy in policies} == {"TargetTrackingScaling"}
    assert len(policies) == 2


def test_each_alarm_reaches_somebody(made: Installation) -> None:
    alarms = [
        alarm
        for alarm in made.client("cloudwatch").describe_alarms()["MetricAlarms"]
        if alarm["AlarmName"].startswith(f"{NAME}-")
    ]
    assert len(alarms) == 14
    assert {action for alarm in alarms for action in alarm["AlarmActions"]} == {
        made.outputs["alarm_topic_arn"]
    }
    topics = made.client("sns")
    attributes = topics.get_topic_attributes(TopicArn=made.outputs["alarm_topic_arn"])["Attributes"]
    assert attributes["KmsMasterKeyId"]
    (subscription,) = topics.list_subscriptions()["Subscriptions"]
    assert subscription["Endpoint"] == "desk@desk.example"


def test_the_address_is_told(made: Installation) -> None:
    assert made.outputs["address"] == "https://signer.desk.example"
    assert made.outputs["load_balancer"].endswith(".amazonaws.com")
    assert made.outputs["task_role_arn"] == f"arn:aws:iam::{ACCOUNT}:role/vaultsigner-task"


def test_the_configuration_of_the_docs_fits_what_the_service_is_given(
    made: Installation, tmp_path: Path
) -> None:
    text = (ROOT / "docs" / "aws.md").read_text().split("```yaml\n")[1].split("```")[0]
    file = tmp_path / "config.yml"
    file.write_text(text)
    given = {each["name"]: each["value"] for each in container(made)["environment"]}
    settings = config.load(file, given)
    (anchor,) = settings.audit.anchors
    assert isinstance(anchor, BucketAnchor)
    assert made.outputs["anchors"] == {
        name: getattr(anchor, name) for name in ("name", "bucket", "prefix", "region", "retain_days", "mode")
    }
    assert settings.state_options.aws_region == REGION
    (database,) = made.client("rds").describe_db_instances()["DBInstances"]
    assert f"@{database['Endpoint']['Address']}:5432/" in settings.state_url
    edge = {
        subnet["CidrBlock"]
        for subnet in made.client("ec2").describe_subnets()["Subnets"]
        if any("-edge-" in tag["Value"] for tag in subnet.get("Tags", ()) if tag["Key"] == "Name")
    }
    assert {str(network) for network in settings.server.trusted_proxies} == edge
    assert settings.server.ops_listen.port == 9100
    assert settings.audit.replica == NAME, "one name for the one directory of all tasks"


def test_the_setup_of_the_database_is_a_command_that_there_is(made: Installation) -> None:
    found = container(made, f"{NAME}-database-setup")
    (url,) = (each["value"] for each in found["environment"] if each["name"] == "ADMIN_URL")
    read = CliRunner().invoke(
        main, [*found["command"], "--password-stdin"], input="x", env={"ADMIN_URL": url}
    )
    # It understands everything, and stops before it calls the database, because of what was added here.
    assert read.exit_code == 2
    assert "a role with a token needs no password" in read.output
    assert parse_postgresql(url).sslmode == "verify-full"
    assert not parse_postgresql(url).password
