variable "name" {
  description = "Prefix of names."
  type        = string
}

variable "image" {
  description = "The image, by digest, in a repository of ECR."
  type        = string
}

variable "cpu" {
  description = "CPU units of a task."
  type        = number
}

variable "memory" {
  description = "Memory of a task, in MiB."
  type        = number
}

variable "architecture" {
  description = "X86_64 or ARM64, as the image was built."
  type        = string
}

variable "tasks" {
  description = "How many tasks, at least and at most, and whether autoscaling decides between the two."
  type        = object({ min = number, max = number, autoscaled = bool })
}

variable "environment" {
  description = "Settings over those of the image's config.yml; never a secret."
  type        = map(string)
}

variable "subnet_ids" {
  description = "Subnets of the tasks."
  type        = list(string)
}

variable "security_group_id" {
  description = "Of the tasks."
  type        = string
}

variable "target_group_arn" {
  description = "Where tasks are entered."
  type        = string
}

variable "request_metric" {
  description = "Load balancer and target group, as autoscaling knows them."
  type        = string
}

variable "record" {
  description = "Where the record lies."
  type = object({
    file_system_id   = string
    file_system_arn  = string
    access_point_id  = string
    access_point_arn = string
  })
}

variable "anchors" {
  description = "Where anchors go."
  type        = object({ bucket = string, prefix = string })
}

variable "key_arn" {
  description = "KMS key of the anchors and of the tasks' own storage."
  type        = string
}

variable "log_key_arn" {
  description = "KMS key of the logs."
  type        = string
}

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
}

variable "database" {
  description = "The database, and who logs in there."
  type = object({
    address           = string
    resource_id       = string
    user              = string
    master_secret_arn = string
    master_username   = string
  })
}

variable "role_name" {
  description = "Name of the tasks' role, which Vault knows."
  type        = string
}
