# The record: chains on a file system that outlives the tasks, checkpoints of them in a bucket that nobody can delete from.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  bucket_arn = "arn:${data.aws_partition.current.partition}:s3:::${var.anchor_bucket}"
}

# Anchors.

resource "aws_s3_bucket" "anchors" {
  #checkov:skip=CKV_AWS_144:A copy of the anchors elsewhere is the reviewer's to make, in an account of their own; see docs/aws.md.
  #checkov:skip=CKV2_AWS_61:Nothing here may expire before its lock does; after that it is the owner's decision.
  #checkov:skip=CKV2_AWS_62:Nothing waits for an event of this bucket.
  bucket              = var.anchor_bucket
  object_lock_enabled = true
}

resource "aws_s3_bucket_versioning" "anchors" {
  bucket = aws_s3_bucket.anchors.id
  versioning_configuration {
    status = "Enabled"
  }
}

# Each anchor names its own time; this holds for whatever else is put there.
resource "aws_s3_bucket_object_lock_configuration" "anchors" {
  bucket = aws_s3_bucket.anchors.id
  rule {
    default_retention {
      mode = var.lock_mode
      days = var.retain_days
    }
  }
  depends_on = [aws_s3_bucket_versioning.anchors]
}

resource "aws_s3_bucket_server_side_encryption_configuration" "anchors" {
  bucket = aws_s3_bucket.anchors.id
  rule {
    bucket_key_enabled = true
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = var.key_arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "anchors" {
  bucket                  = aws_s3_bucket.anchors.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "anchors" {
  bucket = aws_s3_bucket.anchors.id
  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_logging" "anchors" {
  bucket        = aws_s3_bucket.anchors.id
  target_bucket = module.log.id
  target_prefix = "anchors/"
}

resource "aws_s3_bucket_policy" "anchors" {
  bucket = aws_s3_bucket.anchors.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "NothingInClear"
        Effect    = "Deny"
        Principal = { AWS = "*" }
        Action    = "s3:*"
        Resource  = [local.bucket_arn, "${local.bucket_arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        # The lock holds the objects; this holds the lock, and what would get around a lock in governance mode.
        Sid       = "TheServiceDeletesNothing"
        Effect    = "Deny"
        Principal = { AWS = var.task_role_arn }
        Action = [
          "s3:BypassGovernanceRetention",
          "s3:DeleteObject",
          "s3:DeleteObjectVersion",
          "s3:PutBucketObjectLockConfiguration",
          "s3:PutBucketVersioning",
          "s3:PutLifecycleConfiguration",
        ]
        Resource = [local.bucket_arn, "${local.bucket_arn}/*"]
      },
    ]
  })
  depends_on = [aws_s3_bucket_public_access_block.anchors]
}

# Who read and wrote anchors.

module "log" {
  source = "../log_bucket"

  name           = "${var.anchor_bucket}-log"
  retention_days = 365
  written_by = {
    service = "logging.s3.amazonaws.com"
    paths   = ["anchors"]
    condition = {
      ArnLike      = { "aws:SourceArn" = local.bucket_arn }
      StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id }
    }
  }
}

# Chains. A task that ends leaves its chain behind, and the next one goes on with it; locks in the file system see to it that
# no two do.

resource "aws_efs_file_system" "record" {
  creation_token   = "${var.name}-record"
  encrypted        = true
  kms_key_id       = var.key_arn
  performance_mode = "generalPurpose"
  throughput_mode  = "elastic"
  tags             = { Name = "${var.name}-record" }

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_efs_backup_policy" "record" {
  count          = var.backups ? 1 : 0
  file_system_id = aws_efs_file_system.record.id
  backup_policy {
    status = "ENABLED"
  }
}

resource "aws_efs_mount_target" "record" {
  count           = length(var.subnet_ids)
  file_system_id  = aws_efs_file_system.record.id
  subnet_id       = var.subnet_ids[count.index]
  security_groups = [var.security_group_id]
}

# The image's user, and its directory as the root of all that it sees.
resource "aws_efs_access_point" "record" {
  file_system_id = aws_efs_file_system.record.id
  posix_user {
    uid = 10001
    gid = 10001
  }
  root_directory {
    path = "/audit"
    creation_info {
      owner_uid   = 10001
      owner_gid   = 10001
      permissions = "0700"
    }
  }
  tags = { Name = "${var.name}-record" }
}

resource "aws_efs_file_system_policy" "record" {
  file_system_id = aws_efs_file_system.record.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "NothingInClear"
        Effect    = "Deny"
        Principal = { AWS = "*" }
        Action    = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientRootAccess", "elasticfilesystem:ClientWrite"]
        Resource  = aws_efs_file_system.record.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        Sid       = "TheTasksOverTheirAccessPoint"
        Effect    = "Allow"
        Principal = { AWS = var.task_role_arn }
        Action    = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
        Resource  = aws_efs_file_system.record.arn
        Condition = {
          Bool         = { "elasticfilesystem:AccessedViaMountTarget" = "true" }
          StringEquals = { "elasticfilesystem:AccessPointArn" = aws_efs_access_point.record.arn }
        }
      },
    ]
  })
}
