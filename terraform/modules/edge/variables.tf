variable "name" {
  description = "Prefix of names."
  type        = string
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets of the load balancer, two zones at least."
  type        = list(string)
}

variable "security_group_id" {
  description = "Of the load balancer."
  type        = string
}

variable "internet_facing" {
  description = "Whether it has public addresses."
  type        = bool
}

variable "certificate_arn" {
  description = "Certificate in ACM."
  type        = string
}

variable "tls_policy" {
  description = "Predefined policy of the load balancer."
  type        = string
}

variable "health_path" {
  description = "On the ops port."
  type        = string
}

variable "requests_per_5_minutes" {
  description = "From one address, before it is refused."
  type        = number
}

variable "domain" {
  description = "Name in the certificate."
  type        = string
}

variable "zone_id" {
  description = "Route 53 zone to put the name into; null: nowhere."
  type        = string
}

variable "log_bucket" {
  description = "Name of the bucket for access logs."
  type        = string
}

variable "log_key_arn" {
  description = "KMS key for the firewall's log."
  type        = string
}

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
}

variable "deletion_protection" {
  description = "Whether the load balancer must be released first before it can be deleted."
  type        = bool
}
