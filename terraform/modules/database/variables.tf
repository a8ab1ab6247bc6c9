variable "name" {
  description = "Prefix of names."
  type        = string
}

variable "instance_class" {
  description = "Size of the instance."
  type        = string
}

variable "engine_version" {
  description = "Major version of PostgreSQL."
  type        = string
}

variable "storage_gib" {
  description = "Storage at the beginning, in GiB; it grows to ten times that."
  type        = number
}

variable "backup_days" {
  description = "For how many days backups are kept."
  type        = number
}

variable "subnet_ids" {
  description = "Subnets, two zones at least."
  type        = list(string)
}

variable "security_group_id" {
  description = "Of the database."
  type        = string
}

variable "key_arn" {
  description = "KMS key for storage, backups, insights and the master password."
  type        = string
}

variable "log_key_arn" {
  description = "KMS key for its log."
  type        = string
}

variable "log_retention_days" {
  description = "How long its log is kept."
  type        = number
}

variable "deletion_protection" {
  description = "Whether it must be released first before it can be deleted."
  type        = bool
}
