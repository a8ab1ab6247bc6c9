# How many tasks there are, and who says so.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name               = "vaultsigner"
  image              = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/vaultsigner@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  cpu                = 1024
  memory             = 2048
  architecture       = "X86_64"
  tasks              = { min = 2, max = 6, autoscaled = true }
  environment        = { VAULT_ADDR = "https://vault.desk.example:8200" }
  subnet_ids         = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  security_group_id  = "sg-0123456789abcdef0"
  target_group_arn   = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/vaultsigner/0123456789abcdef"
  request_metric     = "app/vaultsigner/0123456789abcdef/targetgroup/vaultsigner/0123456789abcdef"
  record             = { file_system_id = "fs-0123456789abcdef0", file_system_arn = "arn:aws:elasticfilesystem:eu-west-1:123456789012:file-system/fs-0123456789abcdef0", access_point_id = "fsap-0123456789abcdef0", access_point_arn = "arn:aws:elasticfilesystem:eu-west-1:123456789012:access-point/fsap-0123456789abcdef0" }
  anchors            = { bucket = "vaultsigner-anchors", prefix = "vaultsigner/" }
  key_arn            = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-4000-8000-000000000000"
  log_key_arn        = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-4000-8000-000000000001"
  log_retention_days = 365
  database           = { address = "db.example", resource_id = "db-ABC", user = "vaultsigner", master_secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds!db-abc", master_username = "vaultsigner_admin" }
  role_name          = "vaultsigner-task"
}

run "autoscaling_decides" {
  command = plan
  module {
    source = "./modules/service"
  }

  assert {
    condition     = aws_appautoscaling_target.tasks[0].min_capacity == 2 && aws_appautoscaling_target.tasks[0].max_capacity == 6
    error_message = "Between least and most."
  }
  assert {
    condition     = length(aws_appautoscaling_policy.cpu) == 1 && length(aws_appautoscaling_policy.requests) == 1
    error_message = "By CPU and by requests."
  }
}

run "somebody_else_decides" {
  command = plan
  module {
    source = "./modules/service"
  }
  variables {
    tasks = { min = 3, max = 6, autoscaled = false }
  }

  assert {
    condition     = length(aws_appautoscaling_target.tasks) + length(aws_appautoscaling_policy.cpu) + length(aws_appautoscaling_policy.requests) == 0
    error_message = "Nothing of ours changes the number then."
  }
  assert {
    condition     = aws_ecs_service.this.desired_count == 3
    error_message = "It begins with the least."
  }
}
