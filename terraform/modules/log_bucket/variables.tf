variable "name" {
  description = "Of the bucket."
  type        = string
}

variable "retention_days" {
  description = "How long logs are kept."
  type        = number
}

variable "written_by" {
  description = "The service that delivers them, below which paths, and under which conditions of an IAM policy."
  type = object({
    service   = string
    paths     = list(string)
    condition = optional(map(map(string)))
  })
}
