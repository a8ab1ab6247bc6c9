# What runs. Server and custody share a task, because they speak over a Unix socket in it.

locals {
  log_name = "/${var.name}/service"

  log_configuration = {
    for stream in ["service", "setup"] : stream => {
      logDriver = "awslogs"
      options = {
        "awslogs-group"         = aws_cloudwatch_log_group.service.name
        "awslogs-region"        = local.region
        "awslogs-stream-prefix" = stream
        # A log that cannot be delivered must not hold up signatures; the record is elsewhere.
        "mode"            = "non-blocking"
        "max-buffer-size" = "10m"
      }
    }
  }

  hardening = {
    user                   = "10001:10001"
    essential              = true
    privileged             = false
    readonlyRootFilesystem = true
    linuxParameters = {
      initProcessEnabled = true
      capabilities       = { add = [], drop = ["ALL"] }
      # In memory, and the only place that can be written to beside the record.
      tmpfs = [{ containerPath = "/tmp", size = 256, mountOptions = ["nosuid", "nodev", "mode=1777"] }]
    }
    ulimits = [
      { name = "core", softLimit = 0, hardLimit = 0 },
      { name = "nofile", softLimit = 16384, hardLimit = 16384 },
    ]
  }
}

resource "aws_cloudwatch_log_group" "service" {
  name              = local.log_name
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_key_arn
}

resource "aws_ecs_task_definition" "service" {
  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.architecture
  }

  volume {
    name = "record"
    efs_volume_configuration {
      file_system_id     = var.record.file_system_id
      transit_encryption = "ENABLED"
      authorization_config {
        access_point_id = var.record.access_point_id
        iam             = "ENABLED"
      }
    }
  }

  container_definitions = jsonencode([merge(local.hardening, {
    name         = "vaultsigner"
    image        = var.image
    environment  = [for name in sort(keys(var.environment)) : { name = name, value = var.environment[name] }]
    portMappings = [for port in [8000, 9100] : { containerPort = port, hostPort = port, protocol = "tcp" }]
    mountPoints  = [{ sourceVolume = "record", containerPath = "/srv/vaultsigner/audit", readOnly = false }]
    healthCheck = {
      command     = ["CMD", "vaultsigner", "healthcheck"]
      interval    = 15
      timeout     = 5
      retries     = 3
      startPeriod = 60
    }
    # Requests under way are answered, the chain's last checkpoint is written.
    stopTimeout      = 60
    logConfiguration = local.log_configuration.service
  })])
}

# Run once, by hand, as docs/aws.md says: makes the role that the service logs in with, and the schema.
resource "aws_ecs_task_definition" "setup" {
  family                   = "${var.name}-database-setup"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.setup_execution.arn
  task_role_arn            = aws_iam_role.setup.arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.architecture
  }

  container_definitions = jsonencode([merge(local.hardening, {
    name             = "vaultsigner"
    image            = var.image
    command          = ["state", "create-role", var.database.user, "--admin-url-env", "ADMIN_URL", "--aws-iam"]
    environment      = [{ name = "ADMIN_URL", value = local.admin_url }]
    secrets          = [{ name = "PGPASSWORD", valueFrom = "${var.database.master_secret_arn}:password::" }]
    logConfiguration = local.log_configuration.setup
  })])
}

locals {
  admin_url = join("", [
    "postgresql://${var.database.master_username}@${var.database.address}:5432/vaultsigner",
    "?sslmode=verify-full&sslrootcert=/srv/vaultsigner/config/rds-ca.pem",
  ])
}
