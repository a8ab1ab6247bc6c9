output "repository_arn" {
  description = "Where the image lies."
  value       = local.repository_arn
}

output "cluster_name" {
  description = "The cluster."
  value       = aws_ecs_cluster.this.name
}

output "service_name" {
  description = "The service."
  value       = aws_ecs_service.this.name
}

output "task_role_arn" {
  description = "By which Vault knows custody."
  value       = aws_iam_role.task.arn
}

output "setup_task_definition_arn" {
  description = "Sets up the database."
  value       = aws_ecs_task_definition.setup.arn
}

output "log_group_name" {
  description = "The operational log."
  value       = aws_cloudwatch_log_group.service.name
}
