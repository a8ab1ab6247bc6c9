output "id" {
  description = "The bucket, once its service may write to it."
  value       = aws_s3_bucket.this.id
  depends_on  = [aws_s3_bucket_policy.this]
}
