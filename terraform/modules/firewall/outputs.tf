output "balancer_id" {
  description = "Security group of the load balancer."
  value       = aws_security_group.balancer.id
}

output "tasks_id" {
  description = "Security group of the tasks."
  value       = aws_security_group.tasks.id
}

output "setup_id" {
  description = "Security group of the task that sets up the database."
  value       = aws_security_group.setup.id
}

output "database_id" {
  description = "Security group of the database."
  value       = aws_security_group.database.id
}

output "files_id" {
  description = "Security group of the record's file system."
  value       = aws_security_group.files.id
}

output "endpoints_id" {
  description = "Security group of the endpoints."
  value       = aws_security_group.endpoints.id
}
