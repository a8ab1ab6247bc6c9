# Once an account and region, before everything else: where images are pushed to.

variable "name" {
  description = "Name of the repository."
  type        = string
  default     = "vaultsigner"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.name))
    error_message = "Lower-case letters, digits and dashes."
  }
}

variable "region" {
  description = "AWS region."
  type        = string
  default     = "eu-west-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "A region, e.g. eu-west-1."
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = { Application = var.name, ManagedBy = "terraform" }
  }
}

module "key" {
  source      = "../modules/key"
  name        = "${var.name}-images"
  description = "${var.name}: images"
}

module "registry" {
  source  = "../modules/registry"
  name    = var.name
  key_arn = module.key.arn
}

output "repository" {
  description = "To push to."
  value       = module.registry.url
}
