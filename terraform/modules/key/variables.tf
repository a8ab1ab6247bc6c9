variable "name" {
  description = "The key's alias, without `alias/`."
  type        = string
}

variable "description" {
  description = "What is encrypted with it."
  type        = string
}

variable "services" {
  description = "AWS services that use the key themselves, each with its actions and the conditions that tie it to this account."
  type = list(object({
    principal  = string
    actions    = list(string)
    conditions = map(map(list(string)))
  }))
  default = []

  validation {
    condition     = alltrue([for service in var.services : length(service.conditions) > 0])
    error_message = "A service without a condition could be made to use the key for another account."
  }
  validation {
    condition     = alltrue(flatten([for service in var.services : [for action in service.actions : !strcontains(action, "*")]]))
    error_message = "Name each action; none with a star."
  }
}
