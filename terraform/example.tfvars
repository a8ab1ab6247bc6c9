# terraform plan -var-file=example.tfvars; take a copy and write your own. No secret belongs in here.

name   = "vaultsigner"
region = "eu-west-1"
zones  = ["eu-west-1a", "eu-west-1b"]

# Built from ours with config/, policies/ and RDS's authority in it, as docs/aws.md says.
image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/vaultsigner@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

domain          = "signer.desk.example"
certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/00000000-0000-4000-8000-000000000000"
client_cidrs    = ["10.20.0.0/16"]

vault = {
  address = "https://vault.desk.example:8200"
  cidrs   = ["10.50.1.0/24"]
  port    = 8200
}

routes = {
  vault = { cidr = "10.50.1.0/24", vpc_peering_connection_id = "pcx-0123456789abcdef0" }
  desk  = { cidr = "10.20.0.0/16", transit_gateway_id = "tgw-0123456789abcdef0" }
}

upstreams = {
  node = { cidr = "203.0.113.0/28", port = 443 }
}

alarm_emails = ["desk@desk.example"]
