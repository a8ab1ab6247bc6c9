# What can be refused before anything of ours reads it. Signatures, passwords and rights are vaultsigner's to judge.

resource "aws_wafv2_web_acl" "this" {
  name        = var.name
  description = "In front of vaultsigner"
  scope       = "REGIONAL"

  default_action {
    allow {}
  }

  # vaultsigner believes this header of its listed proxies, and the load balancer, which is one, passes on whatever a client
  # wrote there. Traefik replaces it.
  rule {
    name     = "no-forged-client-certificates"
    priority = 0
    action {
      block {}
    }
    statement {
      size_constraint_statement {
        comparison_operator = "GE"
        size                = 0
        field_to_match {
          single_header {
            name = "x-forwarded-tls-client-cert"
          }
        }
        text_transformation {
          priority = 0
          type     = "NONE"
        }
      }
    }
    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "forged-client-certificates"
      sampled_requests_enabled   = false
    }
  }

  rule {
    name     = "rate"
    priority = 10
    action {
      block {
        custom_response {
          response_code = 429
        }
      }
    }
    statement {
      rate_based_statement {
        limit                 = var.requests_per_5_minutes
        evaluation_window_sec = 300
        aggregate_key_type    = "IP"
      }
    }
    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "rate"
      sampled_requests_enabled   = false
    }
  }

  # Of a request's headers WAF sees the first 8 KB and the first 200, and lets the rest through unseen, a forged certificate too.
  rule {
    name     = "no-headers-beyond-sight"
    priority = 15
    action {
      block {}
    }
    statement {
      size_constraint_statement {
        comparison_operator = "GE"
        size                = 8192
        field_to_match {
          headers {
            match_pattern {
              all {}
            }
            match_scope       = "ALL"
            oversize_handling = "MATCH"
          }
        }
        text_transformation {
          priority = 0
          type     = "NONE"
        }
      }
    }
    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "headers-beyond-sight"
      sampled_requests_enabled   = false
    }
  }

  rule {
    name     = "reputation"
    priority = 20
    override_action {
      none {}
    }
    statement {
      managed_rule_group_statement {
        vendor_name = "AWS"
        name        = "AWSManagedRulesAmazonIpReputationList"
      }
    }
    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "reputation"
      sampled_requests_enabled   = false
    }
  }

  rule {
    name     = "known-bad-inputs"
    priority = 30
    override_action {
      none {}
    }
    statement {
      managed_rule_group_statement {
        vendor_name = "AWS"
        name        = "AWSManagedRulesKnownBadInputsRuleSet"
      }
    }
    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "known-bad-inputs"
      sampled_requests_enabled   = false
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = var.name
    sampled_requests_enabled   = false
  }
}

resource "aws_wafv2_web_acl_association" "this" {
  resource_arn = aws_lb.this.arn
  web_acl_arn  = aws_wafv2_web_acl.this.arn
}

# The name's beginning is WAF's condition.
resource "aws_cloudwatch_log_group" "firewall" {
  name              = "aws-waf-logs-${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_key_arn
}

resource "aws_wafv2_web_acl_logging_configuration" "this" {
  resource_arn            = aws_wafv2_web_acl.this.arn
  log_destination_configs = [aws_cloudwatch_log_group.firewall.arn]

  # Access tokens and signatures, wherever the families of requests carry them.
  dynamic "redacted_fields" {
    for_each = toset(["authorization", "cookie", "signature", "x-mbx-apikey", "x-mp-open-api-token"])
    content {
      single_header {
        name = redacted_fields.key
      }
    }
  }
  redacted_fields {
    query_string {}
  }
}
