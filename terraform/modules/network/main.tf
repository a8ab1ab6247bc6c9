# Three tiers of subnets in each zone. Tasks have no way to the internet unless upstreams are named; the database and the
# record never have one; AWS's own services are reached over endpoints inside the VPC.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.name

  zones    = { for index, zone in var.zones : zone => index }
  internet = var.internet_facing || var.upstreams

  transit_gateways = toset([for route in var.routes : route.transit_gateway_id if route.transit_gateway_id != null])
}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = { Name = var.name }
}

# What names no security group gets this one: nothing in, nothing out.
resource "aws_default_security_group" "closed" {
  vpc_id = aws_vpc.this.id
}

resource "aws_subnet" "tasks" {
  for_each          = local.zones
  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = cidrsubnet(var.cidr, 4, each.value)
  tags              = { Name = "${var.name}-tasks-${each.key}" }
}

resource "aws_subnet" "data" {
  for_each          = local.zones
  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = cidrsubnet(var.cidr, 4, 4 + each.value)
  tags              = { Name = "${var.name}-data-${each.key}" }
}

# The load balancer and, where there are upstreams, the NAT gateways. Its addresses are the service's trusted proxies.
resource "aws_subnet" "edge" {
  for_each                = local.zones
  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = cidrsubnet(var.cidr, 4, 8 + each.value)
  map_public_ip_on_launch = false
  tags                    = { Name = "${var.name}-edge-${each.key}" }
}

resource "aws_route_table" "tasks" {
  for_each = local.zones
  vpc_id   = aws_vpc.this.id
  tags     = { Name = "${var.name}-tasks-${each.key}" }
}

resource "aws_route_table_association" "tasks" {
  for_each       = local.zones
  subnet_id      = aws_subnet.tasks[each.key].id
  route_table_id = aws_route_table.tasks[each.key].id
}

resource "aws_route_table" "data" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = "${var.name}-data" }
}

resource "aws_route_table_association" "data" {
  for_each       = local.zones
  subnet_id      = aws_subnet.data[each.key].id
  route_table_id = aws_route_table.data.id
}

resource "aws_route_table" "edge" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = "${var.name}-edge" }
}

resource "aws_route_table_association" "edge" {
  for_each       = local.zones
  subnet_id      = aws_subnet.edge[each.key].id
  route_table_id = aws_route_table.edge.id
}

# The internet, where there is a reason for it.

resource "aws_internet_gateway" "this" {
  count  = local.internet ? 1 : 0
  vpc_id = aws_vpc.this.id
  tags   = { Name = var.name }
}

resource "aws_route" "edge_to_internet" {
  count                  = local.internet ? 1 : 0
  route_table_id         = aws_route_table.edge.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this[0].id
}

resource "aws_eip" "nat" {
  #checkov:skip=CKV2_AWS_19:These belong to the NAT gateways below; there are no EC2 instances.
  for_each = var.upstreams ? local.zones : {}
  domain   = "vpc"
  tags     = { Name = "${var.name}-nat-${each.key}" }
}

resource "aws_nat_gateway" "this" {
  for_each      = var.upstreams ? local.zones : {}
  allocation_id = aws_eip.nat[each.key].id
  subnet_id     = aws_subnet.edge[each.key].id
  tags          = { Name = "${var.name}-${each.key}" }
  depends_on    = [aws_internet_gateway.this]
}

resource "aws_route" "tasks_to_upstreams" {
  for_each               = var.upstreams ? local.zones : {}
  route_table_id         = aws_route_table.tasks[each.key].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[each.key].id
}

# Private ways: to Vault, and to clients that are not on the internet.

resource "aws_ec2_transit_gateway_vpc_attachment" "this" {
  for_each           = local.transit_gateways
  transit_gateway_id = each.key
  vpc_id             = aws_vpc.this.id
  subnet_ids         = [for subnet in aws_subnet.tasks : subnet.id]
  tags               = { Name = var.name }
}

locals {
  tables = merge(
    { for zone, _ in local.zones : "tasks-${zone}" => aws_route_table.tasks[zone].id },
    { edge = aws_route_table.edge.id },
  )
  private_routes = {
    for pair in setproduct(keys(local.tables), keys(var.routes)) : "${pair[0]}-${pair[1]}" => {
      table = local.tables[pair[0]]
      route = var.routes[pair[1]]
    }
  }
}

resource "aws_route" "private" {
  for_each                  = local.private_routes
  route_table_id            = each.value.table
  destination_cidr_block    = each.value.route.cidr
  transit_gateway_id        = each.value.route.transit_gateway_id
  vpc_peering_connection_id = each.value.route.vpc_peering_connection_id
  depends_on                = [aws_ec2_transit_gateway_vpc_attachment.this]
}

# AWS's own services: images, logs, and the secret that sets up the database. No KMS and no STS: tasks call neither.

resource "aws_vpc_endpoint" "interface" {
  for_each            = toset(["ecr.api", "ecr.dkr", "logs", "secretsmanager"])
  vpc_id              = aws_vpc.this.id
  service_name        = "com.amazonaws.${local.region}.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = [for subnet in aws_subnet.tasks : subnet.id]
  security_group_ids  = [var.endpoint_security_group_id]
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [for actions, resource in local.endpoint_rights[each.key] : {
      Effect    = "Allow"
      Principal = "*"
      Action    = split(" ", actions)
      Resource  = resource
      Condition = { StringEquals = { "aws:PrincipalAccount" = local.account } }
    }]
  })
  tags = { Name = "${var.name}-${each.key}" }
}

# What may be done over each endpoint, and with what, whatever rights somebody brings along.
locals {
  pull = {
    "ecr:GetAuthorizationToken"                                                    = "*" # AWS ties it to no resource
    "ecr:BatchCheckLayerAvailability ecr:BatchGetImage ecr:GetDownloadUrlForLayer" = var.repository_arn
  }
  endpoint_rights = {
    "ecr.api"        = local.pull
    "ecr.dkr"        = local.pull
    "logs"           = { "logs:CreateLogStream logs:PutLogEvents" = "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:/${var.name}/*" }
    "secretsmanager" = { "secretsmanager:GetSecretValue" = "arn:${local.partition}:secretsmanager:${local.region}:${local.account}:secret:rds!db-*" }
  }
}

# Anchors and the layers of images; no other bucket, so that nothing is carried out over this way.
resource "aws_vpc_endpoint" "s3" {
  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.${local.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [for table in aws_route_table.tasks : table.id]
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Anchors"
        Effect    = "Allow"
        Principal = "*"
        Action = [
          "s3:AbortMultipartUpload",
          "s3:GetBucketObjectLockConfiguration",
          "s3:GetObject",
          "s3:GetObjectVersion",
          "s3:ListBucket",
          "s3:ListBucketVersions",
          "s3:PutObject",
          "s3:PutObjectRetention",
        ]
        Resource = [
          "arn:${local.partition}:s3:::${var.anchor_bucket}",
          "arn:${local.partition}:s3:::${var.anchor_bucket}/*",
        ]
        Condition = { StringEquals = { "aws:PrincipalAccount" = local.account } }
      },
      {
        # ECR hands out addresses that are signed by ECR itself, in a bucket that is Amazon's.
        Sid       = "LayersOfImages"
        Effect    = "Allow"
        Principal = "*"
        Action    = ["s3:GetObject"]
        Resource  = ["arn:${local.partition}:s3:::prod-${local.region}-starport-layer-bucket/*"]
      },
    ]
  })
  tags = { Name = "${var.name}-s3" }
}

# Who talked to whom.

resource "aws_cloudwatch_log_group" "flows" {
  name              = "/${var.name}/flows"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_key_arn
}

resource "aws_flow_log" "this" {
  vpc_id                   = aws_vpc.this.id
  traffic_type             = "ALL"
  log_destination          = aws_cloudwatch_log_group.flows.arn
  iam_role_arn             = aws_iam_role.flows.arn
  max_aggregation_interval = 60
}

resource "aws_iam_role" "flows" {
  name = "${var.name}-flow-logs"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "vpc-flow-logs.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_iam_role_policy" "flows" {
  name = "write-flow-logs"
  role = aws_iam_role.flows.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
      Resource = "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:/${var.name}/flows:*"
    }]
  })
}
