output "file_system_id" {
  description = "The record's file system, once it can be mounted."
  value       = aws_efs_file_system.record.id
  depends_on  = [aws_efs_mount_target.record, aws_efs_file_system_policy.record]
}

output "file_system_arn" {
  description = "The same, as ARN."
  value       = aws_efs_file_system.record.arn
}

output "access_point_id" {
  description = "Over which tasks mount it."
  value       = aws_efs_access_point.record.id
}

output "access_point_arn" {
  description = "The same, as ARN."
  value       = aws_efs_access_point.record.arn
}

output "anchor_bucket" {
  description = "The bucket for anchors."
  value       = aws_s3_bucket.anchors.id
}
