# Access logs name each request's path and query. A signature in a query was good for a minute at most, and they are delivered
# every five.

data "aws_caller_identity" "current" {}

module "log" {
  source = "../log_bucket"

  name           = var.log_bucket
  retention_days = var.log_retention_days
  written_by = {
    service = "logdelivery.elasticloadbalancing.amazonaws.com"
    paths = [
      for log in ["requests", "connections"] : "${log}/AWSLogs/${data.aws_caller_identity.current.account_id}"
    ]
  }
}
