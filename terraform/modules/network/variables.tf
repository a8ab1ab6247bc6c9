variable "name" {
  description = "Prefix of names."
  type        = string
}

variable "cidr" {
  description = "IPv4 network of the VPC."
  type        = string
}

variable "zones" {
  description = "Availability zones."
  type        = list(string)
}

variable "internet_facing" {
  description = "Whether clients come over the internet."
  type        = bool
}

variable "upstreams" {
  description = "Whether tasks reach chain nodes or exchanges over the internet."
  type        = bool
}

variable "routes" {
  description = "Private ways to other networks: name to { cidr, and transit_gateway_id or vpc_peering_connection_id }."
  type = map(object({
    cidr                      = string
    transit_gateway_id        = optional(string)
    vpc_peering_connection_id = optional(string)
  }))
}

variable "anchor_bucket" {
  description = "Name of the bucket that anchors go to."
  type        = string
}

variable "repository_arn" {
  description = "The repository that images are pulled from."
  type        = string
}

variable "endpoint_security_group_id" {
  description = "Of the endpoints of AWS's services."
  type        = string
}

variable "log_retention_days" {
  description = "How long flow logs are kept."
  type        = number
}

variable "log_key_arn" {
  description = "KMS key for flow logs."
  type        = string
}
