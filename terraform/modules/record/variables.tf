variable "name" {
  description = "Prefix of names."
  type        = string
}

variable "anchor_bucket" {
  description = "Name of the bucket for anchors."
  type        = string
}

variable "retain_days" {
  description = "For how many days nobody can delete an anchor."
  type        = number
}

variable "lock_mode" {
  description = "COMPLIANCE: nobody, the account's root user included. GOVERNANCE: nobody without a right of its own."
  type        = string
}

variable "key_arn" {
  description = "KMS key for the bucket and the file system."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets of the file system's mount targets."
  type        = list(string)
}

variable "security_group_id" {
  description = "Of the mount targets."
  type        = string
}

variable "task_role_arn" {
  description = "The only role that may mount the file system."
  type        = string
}

variable "backups" {
  description = "Whether AWS Backup copies the file system daily."
  type        = bool
}
