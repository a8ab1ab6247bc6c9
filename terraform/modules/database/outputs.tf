output "address" {
  description = "Host name of the database."
  value       = aws_db_instance.this.address
}

output "identifier" {
  description = "Name of the instance."
  value       = aws_db_instance.this.identifier
}

output "resource_id" {
  description = "By which IAM knows it; it stays when the instance is renamed."
  value       = aws_db_instance.this.resource_id
}

output "master_secret_arn" {
  description = "Where RDS keeps the master's password."
  value       = aws_db_instance.this.master_user_secret[0].secret_arn
}

output "master_username" {
  description = "The master's name."
  value       = aws_db_instance.this.username
}
