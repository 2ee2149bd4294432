# One machine with a GPU: worker, vLLM and Caddy for TLS. Nothing secret passes through Terraform or its state: the token and
# the TLS key are made on the machine when it first starts, and fetched from it once (README.md).
locals {
  worker_port = 8443
  public_ip   = split("/", nebius_vpc_v1_allocation.public.status.details.allocated_cidr)[0]

  settings = {
    PUBLIC_IP        = local.public_ip
    WORKER_IMAGE     = var.worker_image
    MODEL            = var.model
    MODEL_REVISION   = var.model_revision
    CONTEXT_TOKENS   = var.context_tokens
    GPU_COUNT        = var.gpu_count
    REASONING_PARSER = var.reasoning_parser
  }

  files = {
    "/opt/sotto/docker-compose.yml" = { text = file("${path.module}/machine/docker-compose.yml"), mode = "0644" }
    "/opt/sotto/Caddyfile"          = { text = file("${path.module}/machine/Caddyfile"), mode = "0644" }
    "/opt/sotto/prepare.sh"         = { text = file("${path.module}/machine/prepare.sh"), mode = "0755" }
    "/opt/sotto/sotto_weights.py"   = { text = file("${path.module}/../../../modal/sotto_weights.py"), mode = "0644" }
    "/opt/sotto/settings.env"       = { text = join("", [for name, value in local.settings : "${name}=${value}\n"]), mode = "0644" }
  }

  cloud_config = {
    users = [{
      name                = "sotto"
      groups              = "sudo"
      shell               = "/bin/bash"
      sudo                = "ALL=(ALL) NOPASSWD:ALL"
      lock_passwd         = true
      ssh_authorized_keys = [var.ssh_public_key]
    }]
    ssh_pwauth      = false
    disable_root    = true
    package_update  = true
    package_upgrade = true
    packages        = ["docker.io", "docker-compose-v2", "openssl", "curl", "gnupg", "unattended-upgrades"]
    write_files = [for path, file in local.files : {
      path        = path
      encoding    = "b64"
      content     = base64encode(file.text)
      permissions = file.mode
      owner       = "root:root"
    }]
    runcmd = [["/opt/sotto/prepare.sh"]]
  }
}

resource "nebius_vpc_v1_allocation" "public" {
  parent_id = var.project_id
  name      = "${var.name}-address"

  ipv4_public = {
    subnet_id = var.subnet_id
    cidr      = "/32"
  }
}

resource "nebius_vpc_v1_security_group" "enclave" {
  parent_id  = var.project_id
  name       = var.name
  network_id = var.network_id
}

resource "nebius_vpc_v1_security_rule" "relay" {
  parent_id = nebius_vpc_v1_security_group.enclave.id
  name      = "relay"
  access    = "ALLOW"
  protocol  = "TCP"
  priority  = 100
  type      = "STATEFUL"

  ingress = {
    source_cidrs      = var.relay_cidrs
    destination_ports = [local.worker_port]
  }
}

resource "nebius_vpc_v1_security_rule" "admin" {
  count = length(var.admin_cidrs) > 0 ? 1 : 0

  parent_id = nebius_vpc_v1_security_group.enclave.id
  name      = "admin"
  access    = "ALLOW"
  protocol  = "TCP"
  priority  = 110
  type      = "STATEFUL"

  ingress = {
    source_cidrs      = var.admin_cidrs
    destination_ports = [22]
  }
}

resource "nebius_vpc_v1_security_rule" "no_other_ingress" {
  parent_id = nebius_vpc_v1_security_group.enclave.id
  name      = "no-other-ingress"
  access    = "DENY"
  protocol  = "ANY"
  priority  = 900
  type      = "STATEFUL"

  ingress = {
    source_cidrs = ["0.0.0.0/0"]
  }
}

# Images, weights and updates; nothing of it is needed to answer.
resource "nebius_vpc_v1_security_rule" "egress" {
  for_each = var.has_egress ? {
    web      = { protocol = "TCP", ports = [80, 443], priority = 120 }
    names    = { protocol = "UDP", ports = [53], priority = 121 }
    time     = { protocol = "UDP", ports = [123], priority = 122 }
    longname = { protocol = "TCP", ports = [53], priority = 123 }
  } : {}

  parent_id = nebius_vpc_v1_security_group.enclave.id
  name      = "egress-${each.key}"
  access    = "ALLOW"
  protocol  = each.value.protocol
  priority  = each.value.priority
  type      = "STATEFUL"

  egress = {
    destination_cidrs = ["0.0.0.0/0"]
    destination_ports = each.value.ports
  }
}

resource "nebius_vpc_v1_security_rule" "no_other_egress" {
  parent_id = nebius_vpc_v1_security_group.enclave.id
  name      = "no-other-egress"
  access    = "DENY"
  protocol  = "ANY"
  priority  = 910
  type      = "STATEFUL"

  egress = {
    destination_cidrs = ["0.0.0.0/0"]
  }
}

resource "nebius_compute_v1_instance" "enclave" {
  parent_id       = var.project_id
  name            = var.name
  recovery_policy = "RECOVER"

  resources = {
    platform = var.platform
    preset   = var.preset
  }

  boot_disk = {
    attach_mode = "READ_WRITE"
    managed_disk = {
      name = "${var.name}-boot"
      spec = {
        type           = "NETWORK_SSD"
        size_gibibytes = var.disk_gibibytes
        source_image_family = {
          image_family = var.image_family
        }
      }
    }
  }

  network_interfaces = [{
    name       = "eth0"
    subnet_id  = var.subnet_id
    ip_address = {}
    public_ip_address = {
      allocation_id = nebius_vpc_v1_allocation.public.id
    }
    security_groups = [{ id = nebius_vpc_v1_security_group.enclave.id }]
  }]

  cloud_init_user_data = "#cloud-config\n${yamlencode(local.cloud_config)}"
}
