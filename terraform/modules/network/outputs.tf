output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "task_subnet_ids" {
  description = "Subnets of the tasks, one a zone."
  value       = [for zone in var.zones : aws_subnet.tasks[zone].id]
}

output "data_subnet_ids" {
  description = "Subnets of the database and the record, one a zone."
  value       = [for zone in var.zones : aws_subnet.data[zone].id]
}

output "edge_subnet_ids" {
  description = "Subnets of the load balancer, one a zone."
  value       = [for zone in var.zones : aws_subnet.edge[zone].id]
}

output "edge_cidrs" {
  description = "Networks that the load balancer's addresses are in."
  value       = [for zone in var.zones : aws_subnet.edge[zone].cidr_block]
}
