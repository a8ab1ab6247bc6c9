# Where it runs, how many of it, and how a new version comes.

# ECS makes it by itself, without our key, unless it is there first.
resource "aws_cloudwatch_log_group" "insights" {
  name              = "/aws/ecs/containerinsights/${var.name}/performance"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_key_arn
}

resource "aws_ecs_cluster" "this" {
  name = var.name

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
  configuration {
    managed_storage_configuration {
      fargate_ephemeral_storage_kms_key_id = var.key_arn
    }
  }

  depends_on = [aws_cloudwatch_log_group.insights]
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  cluster_name       = aws_ecs_cluster.this.name
  capacity_providers = ["FARGATE"]
}

resource "aws_ecs_service" "this" {
  name                               = var.name
  cluster                            = aws_ecs_cluster.this.arn
  task_definition                    = aws_ecs_task_definition.service.arn
  launch_type                        = "FARGATE"
  platform_version                   = "LATEST"
  desired_count                      = var.tasks.min
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  availability_zone_rebalancing      = "ENABLED"
  health_check_grace_period_seconds  = 120
  propagate_tags                     = "SERVICE"
  # Nobody gets a shell beside the keys; there is none in the image either.
  enable_execute_command = false

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [var.security_group_id]
    assign_public_ip = false
  }
  load_balancer {
    target_group_arn = var.target_group_arn
    container_name   = "vaultsigner"
    container_port   = 8000
  }
  # A version that does not become ready is taken back.
  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  lifecycle {
    ignore_changes = [desired_count] # autoscaling's
  }
  depends_on = [
    aws_iam_role_policy.anchors, aws_iam_role_policy.anchor_key, aws_iam_role_policy.database,
    aws_iam_role_policy.execution, aws_iam_role_policy.record,
  ]
}

# Without autoscaling the number of tasks is what somebody last asked of ECS, at first the least.

locals {
  scaled = var.tasks.autoscaled ? 1 : 0
}

resource "aws_appautoscaling_target" "tasks" {
  count              = local.scaled
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.this.name}"
  min_capacity       = var.tasks.min
  max_capacity       = var.tasks.max
}

resource "aws_appautoscaling_policy" "cpu" {
  count              = local.scaled
  name               = "${var.name}-cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.tasks[0].service_namespace
  scalable_dimension = aws_appautoscaling_target.tasks[0].scalable_dimension
  resource_id        = aws_appautoscaling_target.tasks[0].resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = 60
    scale_out_cooldown = 60
    scale_in_cooldown  = 600
    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}

resource "aws_appautoscaling_policy" "requests" {
  count              = local.scaled
  name               = "${var.name}-requests"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.tasks[0].service_namespace
  scalable_dimension = aws_appautoscaling_target.tasks[0].scalable_dimension
  resource_id        = aws_appautoscaling_target.tasks[0].resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = 6000 # a minute and task
    scale_out_cooldown = 60
    scale_in_cooldown  = 600
    predefined_metric_specification {
      predefined_metric_type = "ALBRequestCountPerTarget"
      resource_label         = var.request_metric
    }
  }
}
