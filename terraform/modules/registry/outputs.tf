output "url" {
  description = "To push to."
  value       = aws_ecr_repository.this.repository_url
}
