variable "name" {
  description = "Prefix of names."
  type        = string
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "client_cidrs" {
  description = "Who may call the service."
  type        = list(string)
}

variable "metrics_cidrs" {
  description = "Who may read the ops port, beside the load balancer's health checks."
  type        = list(string)
}

variable "vault_cidrs" {
  description = "Where Vault is."
  type        = list(string)
}

variable "vault_port" {
  description = "Vault's port."
  type        = number
}

variable "upstreams" {
  description = "Chain nodes and exchanges: name to { cidr, port }."
  type        = map(object({ cidr = string, port = number }))
}
