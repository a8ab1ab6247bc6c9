# Every security group and every rule, on one page. What is not here is refused. Names are resolved by the VPC's own
# resolver, which security groups do not see.

data "aws_region" "current" {}

data "aws_ec2_managed_prefix_list" "s3" {
  name = "com.amazonaws.${data.aws_region.current.name}.s3"
}

resource "aws_security_group" "balancer" {
  #checkov:skip=CKV2_AWS_5:Attached in another module, which checkov does not follow.
  name        = "${var.name}-balancer"
  description = "The load balancer: clients in, tasks out"
  vpc_id      = var.vpc_id
}

resource "aws_security_group" "tasks" {
  #checkov:skip=CKV2_AWS_5:Attached in another module, which checkov does not follow.
  name        = "${var.name}-tasks"
  description = "Server and custody: Vault, database, record, AWS endpoints and named upstreams out, nothing else"
  vpc_id      = var.vpc_id
}

resource "aws_security_group" "setup" {
  #checkov:skip=CKV2_AWS_5:Attached in another module, which checkov does not follow.
  name        = "${var.name}-database-setup"
  description = "The task that sets up the database, once"
  vpc_id      = var.vpc_id
}

resource "aws_security_group" "database" {
  #checkov:skip=CKV2_AWS_5:Attached in another module, which checkov does not follow.
  name        = "${var.name}-database"
  description = "PostgreSQL: tasks in"
  vpc_id      = var.vpc_id
}

resource "aws_security_group" "files" {
  #checkov:skip=CKV2_AWS_5:Attached in another module, which checkov does not follow.
  name        = "${var.name}-record"
  description = "The record's file system: tasks in"
  vpc_id      = var.vpc_id
}

resource "aws_security_group" "endpoints" {
  #checkov:skip=CKV2_AWS_5:Attached in another module, which checkov does not follow.
  name        = "${var.name}-endpoints"
  description = "Endpoints of AWS services: tasks in"
  vpc_id      = var.vpc_id
}

# Clients to the load balancer, the load balancer to the tasks.

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each          = toset(var.client_cidrs)
  security_group_id = aws_security_group.balancer.id
  description       = "Clients"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = each.key
}

resource "aws_vpc_security_group_egress_rule" "balancer_to_tasks" {
  for_each                     = { requests = 8000, health = 9100 }
  security_group_id            = aws_security_group.balancer.id
  description                  = "To the tasks: ${each.key}"
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
  referenced_security_group_id = aws_security_group.tasks.id
}

resource "aws_vpc_security_group_ingress_rule" "tasks_from_balancer" {
  for_each                     = { requests = 8000, health = 9100 }
  security_group_id            = aws_security_group.tasks.id
  description                  = "From the load balancer: ${each.key}"
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
  referenced_security_group_id = aws_security_group.balancer.id
}

resource "aws_vpc_security_group_ingress_rule" "metrics" {
  for_each          = toset(var.metrics_cidrs)
  security_group_id = aws_security_group.tasks.id
  description       = "Prometheus"
  ip_protocol       = "tcp"
  from_port         = 9100
  to_port           = 9100
  cidr_ipv4         = each.key
}

# Tasks out.

resource "aws_vpc_security_group_egress_rule" "vault" {
  for_each          = toset(var.vault_cidrs)
  security_group_id = aws_security_group.tasks.id
  description       = "Vault"
  ip_protocol       = "tcp"
  from_port         = var.vault_port
  to_port           = var.vault_port
  cidr_ipv4         = each.key
}

resource "aws_vpc_security_group_egress_rule" "upstreams" {
  for_each          = var.upstreams
  security_group_id = aws_security_group.tasks.id
  description       = "Upstream: ${each.key}"
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
  cidr_ipv4         = each.value.cidr
}

locals {
  targets = {
    database  = { group = aws_security_group.database.id, port = 5432 }
    files     = { group = aws_security_group.files.id, port = 2049 }
    endpoints = { group = aws_security_group.endpoints.id, port = 443 }
  }
  sources = {
    tasks = { group = aws_security_group.tasks.id, targets = ["database", "files", "endpoints"] }
    setup = { group = aws_security_group.setup.id, targets = ["database", "endpoints"] }
  }
  inner = merge([
    for source, from in local.sources : {
      for target in from.targets : "${source}-${target}" => {
        from = from.group, to = local.targets[target].group, port = local.targets[target].port
      }
    }
  ]...)
}

resource "aws_vpc_security_group_egress_rule" "inner" {
  for_each                     = local.inner
  security_group_id            = each.value.from
  description                  = each.key
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  referenced_security_group_id = each.value.to
}

resource "aws_vpc_security_group_ingress_rule" "inner" {
  for_each                     = local.inner
  security_group_id            = each.value.to
  description                  = each.key
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  referenced_security_group_id = each.value.from
}

# Anchors, and the layers of the image. Which buckets, says the policy of the VPC's endpoint.
resource "aws_vpc_security_group_egress_rule" "s3" {
  for_each          = { tasks = aws_security_group.tasks.id, setup = aws_security_group.setup.id }
  security_group_id = each.value
  description       = "S3, over the VPC endpoint"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  prefix_list_id    = data.aws_ec2_managed_prefix_list.s3.id
}
