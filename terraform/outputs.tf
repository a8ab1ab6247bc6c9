output "address" {
  description = "What clients call."
  value       = "https://${var.domain}"
}

output "load_balancer" {
  description = "Where the name has to point, if it is in no zone of Route 53 here."
  value       = module.edge.dns_name
}

output "task_role_arn" {
  description = "By which Vault knows custody: the bound_iam_principal_arn of its role."
  value       = module.service.task_role_arn
}

output "anchors" {
  description = "What config.yml says of the bucket."
  value = {
    name        = "worm"
    bucket      = module.record.anchor_bucket
    prefix      = var.anchors.prefix
    region      = var.region
    retain_days = var.anchors.retain_days
    mode        = lower(var.anchors.mode)
  }
}

output "database_setup" {
  description = "The command that makes the service's role and schema in the database, once."
  value = join(" ", [
    "aws ecs run-task --region ${var.region} --cluster ${module.service.cluster_name} --launch-type FARGATE",
    "--task-definition ${module.service.setup_task_definition_arn}",
    "--network-configuration",
    "'awsvpcConfiguration={subnets=[${join(",", module.network.task_subnet_ids)}],securityGroups=[${module.firewall.setup_id}],assignPublicIp=DISABLED}'",
  ])
}

output "log_group" {
  description = "The operational log."
  value       = module.service.log_group_name
}

output "alarm_topic_arn" {
  description = "Where alarms are told, for pagers and the like."
  value       = module.monitoring.topic_arn
}
