# Who is told when. Prometheus tells more, and sooner: deploy/monitoring has its rules.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  topic_arn = join(":", [
    "arn:${data.aws_partition.current.partition}:sns:${data.aws_region.current.name}",
    "${data.aws_caller_identity.current.account_id}:${var.name}-alarms",
  ])

  balancer = { LoadBalancer = var.load_balancer }
  targets  = { LoadBalancer = var.load_balancer, TargetGroup = var.target_group }
  tasks    = { ClusterName = var.cluster_name, ServiceName = var.service_name }
  database = { DBInstanceIdentifier = var.database }

  # No data counts as `missing`: breaching where silence means that nothing is there, notBreaching where it means that all is well.
  alarms = {
    "too-few-tasks" = {
      words      = "Fewer tasks are ready than there have to be"
      namespace  = "AWS/ApplicationELB", metric = "HealthyHostCount", dimensions = local.targets
      statistic  = "Minimum", period = 60, periods = 3
      comparison = "LessThanThreshold", threshold = var.min_tasks, missing = "breaching"
    }
    "tasks-not-ready" = {
      words      = "A task is not ready: see /readyz on its ops port"
      namespace  = "AWS/ApplicationELB", metric = "UnHealthyHostCount", dimensions = local.targets
      statistic  = "Maximum", period = 60, periods = 3
      comparison = "GreaterThanThreshold", threshold = 0, missing = "notBreaching"
    }
    "server-errors" = {
      words      = "Answers with status 500 to 599: Vault, state or record are away"
      namespace  = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", dimensions = local.targets
      statistic  = "Sum", period = 60, periods = 2
      comparison = "GreaterThanThreshold", threshold = 5, missing = "notBreaching"
    }
    "balancer-errors" = {
      words      = "The load balancer has nobody who answers"
      namespace  = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count", dimensions = local.balancer
      statistic  = "Sum", period = 60, periods = 2
      comparison = "GreaterThanThreshold", threshold = 5, missing = "notBreaching"
    }
    "slow-answers" = {
      words      = "One answer in twenty takes more than a second"
      namespace  = "AWS/ApplicationELB", metric = "TargetResponseTime", dimensions = local.targets
      statistic  = "p95", period = 60, periods = 5
      comparison = "GreaterThanThreshold", threshold = 1, missing = "notBreaching"
    }
    "tasks-cpu" = {
      words      = "Tasks are short of CPU, and no more of them come"
      namespace  = "AWS/ECS", metric = "CPUUtilization", dimensions = local.tasks
      statistic  = "Average", period = 60, periods = 10
      comparison = "GreaterThanThreshold", threshold = 85, missing = "breaching"
    }
    "tasks-memory" = {
      words      = "Tasks are short of memory"
      namespace  = "AWS/ECS", metric = "MemoryUtilization", dimensions = local.tasks
      statistic  = "Maximum", period = 60, periods = 5
      comparison = "GreaterThanThreshold", threshold = 85, missing = "breaching"
    }
    "database-cpu" = {
      words      = "The database is short of CPU"
      namespace  = "AWS/RDS", metric = "CPUUtilization", dimensions = local.database
      statistic  = "Average", period = 60, periods = 10
      comparison = "GreaterThanThreshold", threshold = 80, missing = "breaching"
    }
    "database-storage" = {
      words      = "The database has less than a fifth of its storage left: it does not grow"
      namespace  = "AWS/RDS", metric = "FreeStorageSpace", dimensions = local.database
      statistic  = "Minimum", period = 300, periods = 2
      comparison = "LessThanThreshold", threshold = var.storage_gib * 1073741824 / 5, missing = "breaching"
    }
    "database-connections" = {
      words      = "Many connections to the database: is somebody else there?"
      namespace  = "AWS/RDS", metric = "DatabaseConnections", dimensions = local.database
      statistic  = "Maximum", period = 60, periods = 5
      comparison = "GreaterThanThreshold", threshold = 45, missing = "notBreaching"
    }
    "record-io" = {
      words      = "The record's file system is near its limit: every signature waits for it"
      namespace  = "AWS/EFS", metric = "PercentIOLimit", dimensions = { FileSystemId = var.file_system_id }
      statistic  = "Maximum", period = 60, periods = 5
      comparison = "GreaterThanThreshold", threshold = 80, missing = "notBreaching"
    }
    "blocked-requests" = {
      words      = "The firewall refuses many requests"
      namespace  = "AWS/WAFV2", metric = "BlockedRequests", dimensions = { WebACL = var.web_acl_name, Region = data.aws_region.current.name, Rule = "ALL" }
      statistic  = "Sum", period = 300, periods = 1
      comparison = "GreaterThanThreshold", threshold = 1000, missing = "notBreaching"
    }
    "custody-ended" = {
      words      = "Custody died and was started again"
      namespace  = var.name, metric = "CustodyEnded", dimensions = {}
      statistic  = "Sum", period = 300, periods = 1
      comparison = "GreaterThanThreshold", threshold = 0, missing = "notBreaching"
    }
    "logged-errors" = {
      words      = "The operational log has errors"
      namespace  = var.name, metric = "LoggedErrors", dimensions = {}
      statistic  = "Sum", period = 300, periods = 1
      comparison = "GreaterThanThreshold", threshold = 0, missing = "notBreaching"
    }
  }
}

resource "aws_sns_topic" "alarms" {
  name              = "${var.name}-alarms"
  kms_master_key_id = var.key_arn
}

resource "aws_sns_topic_policy" "alarms" {
  arn = aws_sns_topic.alarms.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AlarmsOfThisAccount"
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = local.topic_arn
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
    }]
  })
}

resource "aws_sns_topic_subscription" "people" {
  for_each  = toset(var.email_addresses)
  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.key
}

# Events of the launcher's and of the two processes' own log; see vaultsigner/operational_log.py.
resource "aws_cloudwatch_log_metric_filter" "events" {
  for_each = {
    CustodyEnded = "{ $.event = \"custody_ended\" }"
    LoggedErrors = "{ ($.level = \"error\") || ($.level = \"critical\") }"
  }
  name           = "${var.name}-${each.key}"
  log_group_name = var.log_group_name
  pattern        = each.value

  metric_transformation {
    name          = each.key
    namespace     = var.name
    value         = "1"
    default_value = "0"
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each            = local.alarms
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.words
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = startswith(each.value.statistic, "p") ? null : each.value.statistic
  extended_statistic  = startswith(each.value.statistic, "p") ? each.value.statistic : null
  period              = each.value.period
  evaluation_periods  = each.value.periods
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  treat_missing_data  = each.value.missing
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}
