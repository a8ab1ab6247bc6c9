output "dns_name" {
  description = "The load balancer's own name."
  value       = aws_lb.this.dns_name
}

output "target_group_arn" {
  description = "Where tasks are entered, once there is a listener: ECS refuses a target group that nobody uses."
  value       = aws_lb_target_group.tasks.arn
  depends_on  = [aws_lb_listener.https]
}

output "load_balancer_suffix" {
  description = "By which CloudWatch and autoscaling know it."
  value       = aws_lb.this.arn_suffix
}

output "target_group_suffix" {
  description = "The same of the target group."
  value       = aws_lb_target_group.tasks.arn_suffix
}

output "web_acl_name" {
  description = "The firewall, as CloudWatch knows it."
  value       = aws_wafv2_web_acl.this.name
}
