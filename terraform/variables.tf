# What has no default has to be decided: where Vault is, who may call, under which name, which image.

variable "name" {
  description = "Prefix of all names; one for each installation in an account."
  type        = string
  default     = "vaultsigner"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "3 to 20 lower-case letters, digits and dashes: load balancers and buckets take no more."
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

variable "zones" {
  description = "Availability zones of that region, two or three. Default: the region's a and b."
  type        = list(string)
  default     = null

  validation {
    condition     = var.zones == null || try(length(distinct(var.zones)) == length(var.zones) && contains([2, 3], length(var.zones)), false)
    error_message = "Two or three different zones: with one, the service ends with it."
  }
  validation {
    condition     = var.zones == null || try(alltrue([for zone in var.zones : startswith(zone, var.region)]), false)
    error_message = "Each zone is one of the region's, e.g. eu-west-1a."
  }
}

variable "vpc_cidr" {
  description = "IPv4 network of the VPC, a private one, not used where it is routed to."
  type        = string
  default     = "10.71.0.0/20"

  validation {
    condition     = can(cidrnetmask(var.vpc_cidr)) && try(contains(range(16, 23), tonumber(split("/", var.vpc_cidr)[1])), false)
    error_message = "An IPv4 network of /16 to /22, e.g. 10.71.0.0/20."
  }
}

variable "image" {
  description = "The image with config.yml in it, by digest, in ECR: ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME@sha256:..."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com/[a-z0-9/_.-]+@sha256:[0-9a-f]{64}$", var.image))
    error_message = "ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME@sha256:DIGEST. A tag can be moved to another image; a digest cannot."
  }
}

variable "architecture" {
  description = "What the image was built for: X86_64 or ARM64."
  type        = string
  default     = "X86_64"

  validation {
    condition     = contains(["X86_64", "ARM64"], var.architecture)
    error_message = "X86_64 or ARM64."
  }
}

variable "task" {
  description = "Size of a task, in CPU units and MiB, as Fargate has them."
  type        = object({ cpu = optional(number, 1024), memory = optional(number, 2048) })
  default     = {}
  nullable    = false

  validation {
    condition     = contains([1024, 2048, 4096, 8192], var.task.cpu) && var.task.memory >= 2 * var.task.cpu && var.task.memory <= 8 * var.task.cpu
    error_message = "cpu 1024, 2048, 4096 or 8192 (server and custody are two processes), memory twice to eight times that."
  }
}

variable "tasks" {
  description = <<-TEXT
    How many tasks, at least and at most. Without `autoscaled` nothing changes their number but `aws ecs update-service`: for who
    scales by other means, and for stand-ins of AWS that have no autoscaling.
  TEXT
  type        = object({ min = optional(number, 2), max = optional(number, 6), autoscaled = optional(bool, true) })
  default     = {}
  nullable    = false

  validation {
    condition     = var.tasks.min >= 2 && var.tasks.min <= var.tasks.max && var.tasks.max <= 16
    error_message = "At least two, one in each of two zones; max no less than min, and 16 at most: the database's role has 40 connections, and an update doubles the tasks."
  }
}

variable "vault" {
  description = <<-TEXT
    Vault as the tasks reach it: its https address, and the networks and the port that it has. The role that custody logs in
    with is in config.yml; Vault needs the AWS method, which `vaultsigner vault setup` enables.
  TEXT
  type = object({
    address = string
    cidrs   = list(string)
    port    = optional(number, 8200)
  })

  validation {
    condition     = can(regex("^https://[a-z0-9.-]+(:[0-9]{1,5})?$", var.vault.address))
    error_message = "https://HOST or https://HOST:PORT: keys travel over this connection."
  }
  validation {
    condition     = length(var.vault.cidrs) > 0 && alltrue([for cidr in var.vault.cidrs : can(cidrnetmask(cidr)) && try(tonumber(split("/", cidr)[1]) >= 20, false)])
    error_message = "IPv4 networks of Vault's own, /20 or smaller, e.g. 10.50.1.0/24: tasks can talk to everything in them, on that port."
  }
  validation {
    condition     = var.vault.port > 0 && var.vault.port < 65536 && tostring(var.vault.port) == try(regex(":([0-9]+)$", var.vault.address)[0], "443")
    error_message = "The address's own port: the security group opens no other."
  }
}

variable "routes" {
  description = "Private ways to other networks, to Vault above all: name to { cidr, and transit_gateway_id or vpc_peering_connection_id }."
  type = map(object({
    cidr                      = string
    transit_gateway_id        = optional(string)
    vpc_peering_connection_id = optional(string)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for route in var.routes : can(cidrnetmask(route.cidr)) && try(tonumber(split("/", route.cidr)[1]) >= 8, false)])
    error_message = "Each cidr is an IPv4 network of /8 or smaller."
  }
  validation {
    condition     = alltrue([for route in var.routes : (route.transit_gateway_id == null) != (route.vpc_peering_connection_id == null)])
    error_message = "Each route has either transit_gateway_id or vpc_peering_connection_id."
  }
}

variable "upstreams" {
  description = <<-TEXT
    Chain nodes and exchanges that are sent to: name to { cidr, port }. Without any, tasks have no way to the internet at all.
    Who has no fixed addresses is reached over a relay that has; see docs/aws.md.
  TEXT
  type        = map(object({ cidr = string, port = optional(number, 443) }))
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for upstream in var.upstreams : can(cidrnetmask(upstream.cidr)) && try(tonumber(split("/", upstream.cidr)[1]) >= 16, false)])
    error_message = "IPv4 networks of /16 or smaller: what is wider is the internet, and a stolen key would find its way there."
  }
  validation {
    condition     = alltrue([for upstream in var.upstreams : upstream.port > 0 && upstream.port < 65536])
    error_message = "Ports are 1 to 65535."
  }
}

variable "client_cidrs" {
  description = "Who may call the service, as IPv4 networks."
  type        = list(string)

  validation {
    condition     = length(var.client_cidrs) > 0 && alltrue([for cidr in var.client_cidrs : can(cidrnetmask(cidr)) && try(tonumber(split("/", cidr)[1]) >= 8, false)])
    error_message = "IPv4 networks of /8 or smaller: the callers of a signing service are known."
  }
}

variable "metrics_cidrs" {
  description = "From where Prometheus reads the ops port; empty: from nowhere."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for cidr in var.metrics_cidrs : can(cidrnetmask(cidr)) && try(tonumber(split("/", cidr)[1]) >= 16, false)])
    error_message = "IPv4 networks of /16 or smaller."
  }
}

variable "internet_facing" {
  description = "Whether the load balancer has public addresses. Without, clients come over `routes`."
  type        = bool
  default     = false
  nullable    = false
}

variable "domain" {
  description = "Name that clients call, as in the certificate."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.domain))
    error_message = "A name such as signer.desk.example."
  }
}

variable "certificate_arn" {
  description = "Its certificate in ACM, in the same region."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/.+$", var.certificate_arn)) && try(split(":", var.certificate_arn)[3] == var.region, false)
    error_message = "arn:aws:acm:REGION:ACCOUNT:certificate/ID, of the region that everything else is in."
  }
}

variable "zone_id" {
  description = "Route 53 zone that the name is put into; null: you do that elsewhere."
  type        = string
  default     = null
}

variable "tls_policy" {
  description = "Policy of the load balancer. TLS 1.3 alone, unless a client of yours has none."
  type        = string
  default     = "ELBSecurityPolicy-TLS13-1-3-2021-06"

  validation {
    condition = contains([
      "ELBSecurityPolicy-TLS13-1-3-2021-06",
      "ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04",
      "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
    ], var.tls_policy)
    error_message = "ELBSecurityPolicy-TLS13-1-3-2021-06, ...-TLS13-1-3-FIPS-2023-04, or ...-TLS13-1-2-Res-2021-06 with TLS 1.2."
  }
}

variable "health_path" {
  description = "What makes a task count: /readyz, Vault, state and record included, or /healthz, the process alone."
  type        = string
  default     = "/readyz"

  validation {
    condition     = contains(["/readyz", "/healthz"], var.health_path)
    error_message = "/readyz or /healthz."
  }
}

variable "requests_per_5_minutes" {
  description = "From one address, before the firewall refuses it."
  type        = number
  default     = 30000

  validation {
    condition     = var.requests_per_5_minutes >= 10 && var.requests_per_5_minutes <= 2000000000
    error_message = "10 to 2000000000, as WAF takes it."
  }
}

variable "database" {
  description = "Size of the database, and for how many days its backups are kept."
  type = object({
    instance_class = optional(string, "db.m7g.large")
    engine_version = optional(string, "17")
    storage_gib    = optional(number, 100)
    backup_days    = optional(number, 35)
  })
  default  = {}
  nullable = false

  validation {
    condition     = startswith(var.database.instance_class, "db.") && can(regex("^1[5-9]$", var.database.engine_version))
    error_message = "A class such as db.m7g.large, and a major version of PostgreSQL, 15 or newer."
  }
  validation {
    condition     = var.database.storage_gib >= 20 && var.database.storage_gib <= 6000 && var.database.backup_days >= 7 && var.database.backup_days <= 35
    error_message = "20 to 6000 GiB; backups are kept for 7 to 35 days."
  }
}

variable "anchors" {
  description = "Checkpoints of the record: for how many days nobody can delete them, and whether `nobody` includes the account's root user."
  type = object({
    retain_days = optional(number, 3650)
    mode        = optional(string, "COMPLIANCE")
    prefix      = optional(string, "vaultsigner/")
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.anchors.retain_days >= 1 && var.anchors.retain_days <= 36500 && contains(["COMPLIANCE", "GOVERNANCE"], var.anchors.mode)
    error_message = "1 to 36500 days; COMPLIANCE or GOVERNANCE."
  }
  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*/$", var.anchors.prefix))
    error_message = "A prefix that ends in a slash."
  }
}

variable "record_backups" {
  description = "Whether AWS Backup copies the record's file system daily; the account has to have AWS Backup's service role."
  type        = bool
  default     = false
  nullable    = false
}

variable "log_retention_days" {
  description = "How long logs are kept; not the record, which is kept for ever."
  type        = number
  default     = 365

  validation {
    condition     = contains([90, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "90, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653, as CloudWatch takes it."
  }
}

variable "alarm_emails" {
  description = "Who is told; each has to confirm once."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for address in var.alarm_emails : can(regex("^[^@ ]+@[^@ ]+\\.[^@ ]+$", address))])
    error_message = "Mail addresses."
  }
}

variable "deletion_protection" {
  description = "Whether database and load balancer must be released first before they can be deleted."
  type        = bool
  default     = true
  nullable    = false
}
