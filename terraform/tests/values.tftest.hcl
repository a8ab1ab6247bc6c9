# What the variables refuse. `terraform test` needs no account: the provider is a mock.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  image           = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/vaultsigner@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  domain          = "signer.desk.example"
  certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/00000000-0000-4000-8000-000000000000"
  client_cidrs    = ["10.20.0.0/16"]
  vault           = { address = "https://vault.desk.example:8200", cidrs = ["10.50.1.0/24"] }
}

run "what_is_left_out_is_safe" {
  command = plan

  assert {
    condition     = output.address == "https://signer.desk.example"
    error_message = "The address is that of the certificate."
  }
  assert {
    condition     = output.anchors.mode == "compliance" && output.anchors.retain_days == 3650
    error_message = "Anchors are locked for ten years, for everybody."
  }
  assert {
    condition     = var.tasks.min == 2 && !var.internet_facing && var.deletion_protection && var.tls_policy == "ELBSecurityPolicy-TLS13-1-3-2021-06"
    error_message = "Two tasks, no public address, TLS 1.3, protected."
  }
}

# Several at once, for each run takes the provider seconds; every one of them has to be refused.

run "what_would_be_open" {
  command = plan
  variables {
    image           = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/vaultsigner:latest"
    zones           = ["eu-west-1a"]
    tasks           = { min = 1, max = 4 }
    client_cidrs    = ["0.0.0.0/0"]
    metrics_cidrs   = ["0.0.0.0/0"]
    upstreams       = { everything = { cidr = "0.0.0.0/0" } }
    vault           = { address = "https://vault.desk.example:8200", cidrs = ["0.0.0.0/0"] }
    tls_policy      = "ELBSecurityPolicy-2016-08"
    certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-4000-8000-000000000000"
    anchors         = { mode = "NONE" }
    database        = { backup_days = 1 }
  }
  expect_failures = [
    var.image, var.zones, var.tasks, var.client_cidrs, var.metrics_cidrs, var.upstreams, var.vault, var.tls_policy,
    var.certificate_arn, var.anchors, var.database,
  ]
}

run "what_only_looks_narrower" {
  command = plan
  variables {
    zones        = ["eu-west-1a", "eu-west-1a"]
    tasks        = { min = 3, max = 2 }
    client_cidrs = ["0.0.0.0/1", "128.0.0.0/1"]
    upstreams    = { half = { cidr = "128.0.0.0/1" } }
    vault        = { address = "http://vault.desk.example:8200", cidrs = ["10.50.1.0/24"] }
    anchors      = { retain_days = 0 }
    database     = { engine_version = "12" }
    domain       = "https://signer.desk.example"
    health_path  = "/"
  }
  expect_failures = [
    var.zones, var.tasks, var.client_cidrs, var.upstreams, var.vault, var.anchors, var.database, var.domain, var.health_path,
  ]
}

run "what_would_not_work" {
  command = plan
  variables {
    name               = "Vault_Signer"
    zones              = ["us-east-1a", "us-east-1b"]
    vpc_cidr           = "10.71.0.0/28"
    vault              = { address = "https://vault.desk.example", cidrs = ["10.50.1.0/24"] }
    routes             = { vault = { cidr = "10.50.1.0/24", transit_gateway_id = "tgw-1", vpc_peering_connection_id = "pcx-1" } }
    task               = { cpu = 1024, memory = 512 }
    log_retention_days = 7
    alarm_emails       = ["desk"]
  }
  expect_failures = [
    var.name, var.zones, var.vpc_cidr, var.vault, var.routes, var.task, var.log_retention_days, var.alarm_emails,
  ]
}
