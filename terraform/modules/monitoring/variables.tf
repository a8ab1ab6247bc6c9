variable "name" {
  description = "Prefix of names."
  type        = string
}

variable "email_addresses" {
  description = "Who is told."
  type        = list(string)
}

variable "key_arn" {
  description = "KMS key for what is told."
  type        = string
}

variable "log_group_name" {
  description = "The operational log."
  type        = string
}

variable "load_balancer" {
  description = "As CloudWatch knows it."
  type        = string
}

variable "target_group" {
  description = "As CloudWatch knows it."
  type        = string
}

variable "cluster_name" {
  description = "The cluster."
  type        = string
}

variable "service_name" {
  description = "The service."
  type        = string
}

variable "database" {
  description = "Name of the instance."
  type        = string
}

variable "storage_gib" {
  description = "Storage of the database at the beginning."
  type        = number
}

variable "file_system_id" {
  description = "The record's file system."
  type        = string
}

variable "web_acl_name" {
  description = "The firewall."
  type        = string
}

variable "min_tasks" {
  description = "How many tasks there have to be."
  type        = number
}
