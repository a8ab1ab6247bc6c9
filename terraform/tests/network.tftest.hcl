# Ways out of the network: none, unless there is a reason.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "no_way_to_the_internet" {
  command = plan
  module {
    source = "./modules/network"
  }
  variables {
    name                       = "vaultsigner"
    cidr                       = "10.71.0.0/20"
    zones                      = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
    internet_facing            = false
    upstreams                  = false
    routes                     = { vault = { cidr = "10.50.1.0/24", vpc_peering_connection_id = "pcx-0123456789abcdef0" } }
    anchor_bucket              = "vaultsigner-anchors"
    repository_arn             = "arn:aws:ecr:eu-west-1:123456789012:repository/vaultsigner"
    endpoint_security_group_id = "sg-0123456789abcdef0"
    log_retention_days         = 365
    log_key_arn                = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-4000-8000-000000000000"
  }

  assert {
    condition     = length(aws_internet_gateway.this) + length(aws_nat_gateway.this) + length(aws_route.edge_to_internet) + length(aws_route.tasks_to_upstreams) == 0
    error_message = "Without upstreams and clients there, nothing leads to the internet."
  }
  assert {
    condition     = toset([for route in aws_route.private : route.destination_cidr_block]) == toset(["10.50.1.0/24"]) && length(aws_route.private) == 4
    error_message = "Tasks in three zones and the balancer reach Vault's network over the peering."
  }
  assert {
    condition = toset(flatten([for statement in jsondecode(aws_vpc_endpoint.s3.policy).Statement : statement.Resource])) == toset([
      "arn:aws:s3:::vaultsigner-anchors",
      "arn:aws:s3:::vaultsigner-anchors/*",
      "arn:aws:s3:::prod-eu-west-1-starport-layer-bucket/*",
    ])
    error_message = "Two buckets can be reached, and no other."
  }
  assert {
    condition = toset(flatten([
      for endpoint in aws_vpc_endpoint.interface : [for statement in jsondecode(endpoint.policy).Statement : statement.Resource if statement.Action != ["ecr:GetAuthorizationToken"]]
      ])) == toset([
      "arn:aws:ecr:eu-west-1:123456789012:repository/vaultsigner",
      "arn:aws:logs:eu-west-1:123456789012:log-group:/vaultsigner/*",
      "arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds!db-*",
    ])
    error_message = "One repository, the service's own logs, passwords that RDS keeps."
  }
  assert {
    condition = alltrue(flatten([
      for endpoint in aws_vpc_endpoint.interface : [
        for statement in jsondecode(endpoint.policy).Statement : statement.Condition.StringEquals["aws:PrincipalAccount"] == "123456789012"
      ]
    ]))
    error_message = "For this account alone."
  }
}
