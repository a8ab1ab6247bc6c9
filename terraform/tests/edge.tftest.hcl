# The load balancer and the firewall in front of it.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                   = "vaultsigner"
  vpc_id                 = "vpc-0123456789abcdef0"
  subnet_ids             = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  security_group_id      = "sg-0123456789abcdef0"
  internet_facing        = false
  certificate_arn        = "arn:aws:acm:eu-west-1:123456789012:certificate/00000000-0000-4000-8000-000000000000"
  tls_policy             = "ELBSecurityPolicy-TLS13-1-3-2021-06"
  health_path            = "/readyz"
  requests_per_5_minutes = 30000
  domain                 = "signer.desk.example"
  zone_id                = null
  log_bucket             = "vaultsigner-requests-123456789012-eu-west-1"
  log_key_arn            = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-4000-8000-000000000000"
  log_retention_days     = 365
  deletion_protection    = true
}

run "strict" {
  command = plan
  module {
    source = "./modules/edge"
  }

  assert {
    condition     = aws_lb.this.desync_mitigation_mode == "strictest" && aws_lb.this.drop_invalid_header_fields && !aws_lb.this.enable_waf_fail_open
    error_message = "What two parsers could read differently is refused, and nothing passes a firewall that is away."
  }
  assert {
    condition     = aws_lb.this.xff_header_processing_mode == "append" && aws_lb.this.internal
    error_message = "The client's address is the last hop."
  }
  assert {
    condition     = aws_lb_listener.https.protocol == "HTTPS" && aws_lb_listener.https.port == 443
    error_message = "TLS alone."
  }
  assert {
    condition     = aws_lb_target_group.tasks.health_check[0].port == "9100" && aws_lb_target_group.tasks.port == 8000
    error_message = "Health is asked for on the ops port, requests go to the other."
  }
  assert {
    condition     = length(aws_route53_record.this) == 0
    error_message = "No zone, no record."
  }
  assert {
    condition = contains(flatten([
      for rule in aws_wafv2_web_acl.this.rule : rule.statement[0].size_constraint_statement[*].field_to_match[0].single_header[*].name
    ]), "x-forwarded-tls-client-cert")
    error_message = "Nobody but a proxy may say which certificate a client has shown."
  }
  assert {
    condition = contains(flatten([
      for rule in aws_wafv2_web_acl.this.rule : rule.statement[0].size_constraint_statement[*].field_to_match[0].headers[*].oversize_handling
      if length(rule.action[*].block) == 1
    ]), "MATCH")
    error_message = "Nor behind more headers than the firewall sees."
  }
}

run "in_a_zone" {
  command = plan
  module {
    source = "./modules/edge"
  }
  variables {
    zone_id = "Z0123456789ABCDEFGHIJ"
  }

  assert {
    condition     = aws_route53_record.this[0].name == "signer.desk.example"
    error_message = "The name of the certificate."
  }
}
