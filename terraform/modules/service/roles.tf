# Four roles, each with what it does and no more. The execution roles are ECS's own, before a container runs; no program of ours
# ever has their credentials.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.name

  # <account>.dkr.ecr.<region>.amazonaws.com/<repository>@sha256:...
  image_host     = split(".", split("/", var.image)[0])
  repository     = join("/", slice(split("/", split("@", var.image)[0]), 1, length(split("/", var.image))))
  repository_arn = "arn:${local.partition}:ecr:${local.image_host[3]}:${local.image_host[0]}:repository/${local.repository}"

  logs_arn   = "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:${local.log_name}"
  bucket_arn = "arn:${local.partition}:s3:::${var.anchors.bucket}"

  trust = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:ecs:${local.region}:${local.account}:*" }
      }
    }]
  })

  start_statements = [
    {
      # The one action of ECR's that knows no resource. It gives a log-in, which the next statement gives a use.
      Sid      = "LogInToTheRegistry"
      Effect   = "Allow"
      Action   = ["ecr:GetAuthorizationToken"]
      Resource = "*"
    },
    {
      Sid      = "PullThisImage"
      Effect   = "Allow"
      Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      Resource = [local.repository_arn]
    },
    {
      Sid      = "WriteItsLog"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = ["${local.logs_arn}:log-stream:*"]
    },
  ]
}

# Starts the service.

resource "aws_iam_role" "execution" {
  name               = "${var.name}-execution"
  assume_role_policy = local.trust
}

resource "aws_iam_role_policy" "execution" {
  name   = "start-tasks"
  role   = aws_iam_role.execution.id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.start_statements })
}

# Is the service: by this role Vault knows custody. The rights below are all that the role has at AWS.

resource "aws_iam_role" "task" {
  name               = var.role_name
  assume_role_policy = local.trust
}

resource "aws_iam_role_policy" "anchors" {
  name = "write-anchors"
  role = aws_iam_role.task.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "SeeWhatIsAnchored"
        Effect   = "Allow"
        Action   = ["s3:ListBucket", "s3:ListBucketVersions"]
        Resource = [local.bucket_arn]
        Condition = {
          StringLike = { "s3:prefix" = ["${var.anchors.prefix}*"] }
        }
      },
      {
        Sid      = "SeeTheLock"
        Effect   = "Allow"
        Action   = ["s3:GetBucketObjectLockConfiguration"]
        Resource = [local.bucket_arn]
      },
      {
        Sid    = "WriteAndReadAnchors"
        Effect = "Allow"
        Action = [
          "s3:AbortMultipartUpload",
          "s3:GetObject",
          "s3:GetObjectVersion",
          "s3:PutObject",
          "s3:PutObjectRetention",
        ]
        Resource = ["${local.bucket_arn}/${var.anchors.prefix}*"]
      },
    ]
  })
}

resource "aws_iam_role_policy" "anchor_key" {
  name = "encrypt-anchors"
  role = aws_iam_role.task.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource  = [var.key_arn]
      Condition = { StringEquals = { "kms:ViaService" = "s3.${local.region}.amazonaws.com" } }
    }]
  })
}

resource "aws_iam_role_policy" "record" {
  name = "mount-the-record"
  role = aws_iam_role.task.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
      Resource  = [var.record.file_system_arn]
      Condition = { StringEquals = { "elasticfilesystem:AccessPointArn" = var.record.access_point_arn } }
    }]
  })
}

resource "aws_iam_role_policy" "database" {
  name = "log-in-to-the-database"
  role = aws_iam_role.task.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow"
      Action = ["rds-db:connect"]
      Resource = [
        "arn:${local.partition}:rds-db:${local.region}:${local.account}:dbuser:${var.database.resource_id}/${var.database.user}",
      ]
    }]
  })
}

# Starts the task that sets up the database, and gives it the master's password.

resource "aws_iam_role" "setup_execution" {
  name               = "${var.name}-database-setup-execution"
  assume_role_policy = local.trust
}

resource "aws_iam_role_policy" "setup_execution" {
  name   = "start-tasks"
  role   = aws_iam_role.setup_execution.id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.start_statements })
}

resource "aws_iam_role_policy" "setup_password" {
  name = "read-the-master-password"
  role = aws_iam_role.setup_execution.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = [var.database.master_secret_arn]
      },
      {
        Effect    = "Allow"
        Action    = ["kms:Decrypt"]
        Resource  = [var.key_arn]
        Condition = { StringEquals = { "kms:ViaService" = "secretsmanager.${local.region}.amazonaws.com" } }
      },
    ]
  })
}

# Is that task: it speaks to the database, and to nothing of AWS's.

resource "aws_iam_role" "setup" {
  name               = "${var.name}-database-setup"
  assume_role_policy = local.trust
}
