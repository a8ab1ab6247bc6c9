# TLS alone, no port 80: a redirect would come after the secret had crossed the network in clear.

resource "aws_lb" "this" {
  #checkov:skip=CKV2_AWS_76:It wants AWS's list of hosting providers refused, too, and bots run there; the rule against Log4j is on.
  name               = var.name
  internal           = !var.internet_facing
  load_balancer_type = "application"
  subnets            = var.subnet_ids
  security_groups    = [var.security_group_id]

  # Requests that two parsers could read differently end here.
  desync_mitigation_mode     = "strictest"
  drop_invalid_header_fields = true
  # The address is added as the last hop of X-Forwarded-For, which is the only one that counts.
  xff_header_processing_mode = "append"
  preserve_host_header       = true
  enable_http2               = true
  idle_timeout               = 60
  enable_deletion_protection = var.deletion_protection
  enable_waf_fail_open       = false

  access_logs {
    bucket  = module.log.id
    prefix  = "requests"
    enabled = true
  }
  connection_logs {
    bucket  = module.log.id
    prefix  = "connections"
    enabled = true
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = var.tls_policy
  certificate_arn   = var.certificate_arn

  routing_http_response_server_enabled                         = false
  routing_http_response_strict_transport_security_header_value = "max-age=31536000"
  routing_http_response_x_content_type_options_header_value    = "nosniff"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.tasks.arn
  }
}

resource "aws_lb_target_group" "tasks" {
  #checkov:skip=CKV_AWS_378:vaultsigner has no TLS of its own. Between balancer and task lies the VPC alone, and their security groups let nobody else in; see docs/aws.md.
  name                              = var.name
  port                              = 8000
  protocol                          = "HTTP"
  protocol_version                  = "HTTP1"
  target_type                       = "ip"
  vpc_id                            = var.vpc_id
  deregistration_delay              = 30
  load_balancing_algorithm_type     = "weighted_random"
  load_balancing_anomaly_mitigation = "on"

  # The ops port, which no listener forwards to.
  health_check {
    port                = "9100"
    protocol            = "HTTP"
    path                = var.health_path
    matcher             = "200"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 6
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "this" {
  count   = var.zone_id == null ? 0 : 1
  zone_id = var.zone_id
  name    = var.domain
  type    = "A"

  alias {
    name                   = aws_lb.this.dns_name
    zone_id                = aws_lb.this.zone_id
    evaluate_target_health = true
  }
}
