# vaultsigner on Fargate: clients -> WAF and load balancer -> tasks in two zones -> Vault, PostgreSQL, the record, anchors.
# docs/aws.md says what to type, and why it is as it is.

provider "aws" {
  region = var.region

  default_tags {
    tags = { Application = var.name, ManagedBy = "terraform" }
  }
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  account = data.aws_caller_identity.current.account_id
  zones   = coalesce(var.zones, ["${var.region}a", "${var.region}b"])

  # Known before anything is made, so that policies can name them and a plan shows the whole of each policy.
  anchor_bucket  = "${var.name}-anchors-${local.account}-${var.region}"
  request_bucket = "${var.name}-requests-${local.account}-${var.region}"
  task_role      = "${var.name}-task"
  database_user  = "vaultsigner"

  log_arns = "arn:${data.aws_partition.current.partition}:logs:${var.region}:${local.account}:log-group"
}

# Two keys: who may read logs need not be able to read anything else.

module "data_key" {
  source      = "./modules/key"
  name        = "${var.name}-data"
  description = "${var.name}: database, record, anchors, tasks' own storage"
  services = [
    {
      principal  = "fargate.amazonaws.com"
      actions    = ["kms:GenerateDataKeyWithoutPlaintext"]
      conditions = { StringEquals = { "kms:EncryptionContext:aws:ecs:clusterAccount" = [local.account], "kms:EncryptionContext:aws:ecs:clusterName" = [var.name] } }
    },
    {
      principal = "fargate.amazonaws.com"
      actions   = ["kms:CreateGrant"]
      conditions = {
        StringEquals                = { "kms:EncryptionContext:aws:ecs:clusterAccount" = [local.account], "kms:EncryptionContext:aws:ecs:clusterName" = [var.name] }
        "ForAllValues:StringEquals" = { "kms:GrantOperations" = ["Decrypt"] }
      }
    },
  ]
}

module "log_key" {
  source      = "./modules/key"
  name        = "${var.name}-logs"
  description = "${var.name}: logs and alarms"
  services = [
    {
      principal = "logs.${var.region}.amazonaws.com"
      actions   = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:DescribeKey"]
      conditions = {
        ArnLike = { "kms:EncryptionContext:aws:logs:arn" = [
          "${local.log_arns}:/${var.name}/*",
          "${local.log_arns}:/aws/rds/instance/${var.name}/*",
          "${local.log_arns}:/aws/ecs/containerinsights/${var.name}/*",
          "${local.log_arns}:aws-waf-logs-${var.name}",
        ] }
      }
    },
    {
      principal  = "cloudwatch.amazonaws.com"
      actions    = ["kms:Decrypt", "kms:GenerateDataKey"]
      conditions = { StringEquals = { "aws:SourceAccount" = [local.account] } }
    },
  ]
}

module "network" {
  source                     = "./modules/network"
  name                       = var.name
  cidr                       = var.vpc_cidr
  zones                      = local.zones
  internet_facing            = var.internet_facing
  upstreams                  = length(var.upstreams) > 0
  routes                     = var.routes
  anchor_bucket              = local.anchor_bucket
  repository_arn             = module.service.repository_arn
  endpoint_security_group_id = module.firewall.endpoints_id
  log_retention_days         = var.log_retention_days
  log_key_arn                = module.log_key.arn
}

module "firewall" {
  source        = "./modules/firewall"
  name          = var.name
  vpc_id        = module.network.vpc_id
  client_cidrs  = var.client_cidrs
  metrics_cidrs = var.metrics_cidrs
  vault_cidrs   = var.vault.cidrs
  vault_port    = var.vault.port
  upstreams     = var.upstreams
}

module "database" {
  source              = "./modules/database"
  name                = var.name
  instance_class      = var.database.instance_class
  engine_version      = var.database.engine_version
  storage_gib         = var.database.storage_gib
  backup_days         = var.database.backup_days
  subnet_ids          = module.network.data_subnet_ids
  security_group_id   = module.firewall.database_id
  key_arn             = module.data_key.arn
  log_key_arn         = module.log_key.arn
  log_retention_days  = var.log_retention_days
  deletion_protection = var.deletion_protection
}

module "record" {
  source            = "./modules/record"
  name              = var.name
  anchor_bucket     = local.anchor_bucket
  retain_days       = var.anchors.retain_days
  lock_mode         = var.anchors.mode
  key_arn           = module.data_key.arn
  subnet_ids        = module.network.data_subnet_ids
  security_group_id = module.firewall.files_id
  task_role_arn     = module.service.task_role_arn
  backups           = var.record_backups
}

module "edge" {
  source                 = "./modules/edge"
  name                   = var.name
  vpc_id                 = module.network.vpc_id
  subnet_ids             = module.network.edge_subnet_ids
  security_group_id      = module.firewall.balancer_id
  internet_facing        = var.internet_facing
  certificate_arn        = var.certificate_arn
  tls_policy             = var.tls_policy
  health_path            = var.health_path
  requests_per_5_minutes = var.requests_per_5_minutes
  domain                 = var.domain
  zone_id                = var.zone_id
  log_bucket             = local.request_bucket
  log_key_arn            = module.log_key.arn
  log_retention_days     = var.log_retention_days
  deletion_protection    = var.deletion_protection
}

module "service" {
  source             = "./modules/service"
  name               = var.name
  image              = var.image
  cpu                = var.task.cpu
  memory             = var.task.memory
  architecture       = var.architecture
  tasks              = var.tasks
  subnet_ids         = module.network.task_subnet_ids
  security_group_id  = module.firewall.tasks_id
  target_group_arn   = module.edge.target_group_arn
  request_metric     = "${module.edge.load_balancer_suffix}/${module.edge.target_group_suffix}"
  anchors            = { bucket = local.anchor_bucket, prefix = var.anchors.prefix }
  key_arn            = module.data_key.arn
  log_key_arn        = module.log_key.arn
  log_retention_days = var.log_retention_days
  role_name          = local.task_role
  record = {
    file_system_id   = module.record.file_system_id
    file_system_arn  = module.record.file_system_arn
    access_point_id  = module.record.access_point_id
    access_point_arn = module.record.access_point_arn
  }
  database = {
    address           = module.database.address
    resource_id       = module.database.resource_id
    user              = local.database_user
    master_secret_arn = module.database.master_secret_arn
    master_username   = module.database.master_username
  }

  # What config.yml in the image cannot know. Everything else is there, and changes with the image's digest.
  environment = {
    VAULT_ADDR = var.vault.address
    # All tasks share one directory: where it is emptied or an older one, a start is refused.
    VAULTSIGNER_AUDIT__REPLICA          = var.name
    VAULTSIGNER_SERVER__LISTEN          = "0.0.0.0:8000"
    VAULTSIGNER_SERVER__OPS_LISTEN      = "0.0.0.0:9100"
    VAULTSIGNER_SERVER__TRUSTED_PROXIES = jsonencode(module.network.edge_cidrs)
    VAULTSIGNER_STATE__AWS_IAM__REGION  = var.region
    VAULTSIGNER_STATE__URL = join("", [
      "postgresql://${local.database_user}@${module.database.address}:5432/vaultsigner",
      "?sslmode=verify-full&sslrootcert=/srv/vaultsigner/config/rds-ca.pem&target_session_attrs=read-write",
    ])
  }
}

module "monitoring" {
  source          = "./modules/monitoring"
  name            = var.name
  email_addresses = var.alarm_emails
  key_arn         = module.log_key.arn
  log_group_name  = module.service.log_group_name
  load_balancer   = module.edge.load_balancer_suffix
  target_group    = module.edge.target_group_suffix
  cluster_name    = module.service.cluster_name
  service_name    = module.service.service_name
  database        = module.database.identifier
  storage_gib     = var.database.storage_gib
  file_system_id  = module.record.file_system_id
  web_acl_name    = module.edge.web_acl_name
  min_tasks       = var.tasks.min
}
