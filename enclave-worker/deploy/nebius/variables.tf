variable "project_id" {
  description = "Project that the machine belongs to, project-…"
  type        = string
}

variable "network_id" {
  description = "Network of the subnet, vpcnetwork-…"
  type        = string
}

variable "subnet_id" {
  description = "Subnet of the machine, vpcsubnet-…"
  type        = string
}

variable "name" {
  description = "Name of the machine and of what belongs to it."
  type        = string
  default     = "sotto-enclave"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,40}$", var.name))
    error_message = "A name begins with a letter and has letters, digits and dashes, 41 at most."
  }
}

variable "platform" {
  description = "Kind of machine."
  type        = string
  default     = "gpu-h100-sxm"
}

variable "preset" {
  description = "Size of machine, as the platform offers it."
  type        = string
  default     = "1gpu-16vcpu-200gb"
}

variable "image_family" {
  description = "Boot image with NVIDIA's driver. vLLM's image is built for CUDA 13."
  type        = string
  default     = "ubuntu24.04-cuda13.0"
}

variable "disk_gibibytes" {
  description = "Boot disk: images (25 GiB) and weights."
  type        = number
  default     = 200

  validation {
    condition     = var.disk_gibibytes >= 80 && var.disk_gibibytes <= 8192
    error_message = "Give 80 to 8192 GiB."
  }
}

variable "relay_cidrs" {
  description = "Where the relay calls from. Nobody else reaches the worker."
  type        = list(string)

  validation {
    condition = length(var.relay_cidrs) > 0 && length(var.relay_cidrs) <= 8 && alltrue([
      for cidr in var.relay_cidrs : can(cidrhost(cidr, 0)) && can(regex("/(2[4-9]|3[0-2])$", cidr))
    ])
    error_message = "Give one to eight networks of the relay, /24 or narrower: the worker is not for everybody."
  }
}

variable "admin_cidrs" {
  description = "Where ssh comes from. Empty closes it, once the certificate and the token have been fetched."
  type        = list(string)
  default     = []

  validation {
    condition = length(var.admin_cidrs) <= 8 && alltrue([
      for cidr in var.admin_cidrs : can(cidrhost(cidr, 0)) && can(regex("/(2[4-9]|3[0-2])$", cidr))
    ])
    error_message = "Give at most eight networks, /24 or narrower."
  }
}

variable "ssh_public_key" {
  description = "Public key of whoever sets the machine up."
  type        = string

  validation {
    condition     = can(regex("^(ssh-ed25519|ecdsa-sha2-nistp256|sk-ssh-ed25519@openssh.com) [A-Za-z0-9+/=]+", var.ssh_public_key))
    error_message = "Give an Ed25519 or ECDSA public key, one line."
  }
}

variable "has_egress" {
  description = "Whether the machine may call out. Needed until images and weights are there; false closes it afterwards."
  type        = bool
  default     = true
}

variable "worker_image" {
  description = "The image of enclave-worker/Dockerfile in a registry, by digest: its bytes are what you built."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9./:_-]*@sha256:[0-9a-f]{64}$", var.worker_image))
    error_message = "Name the image by digest: registry/name@sha256:…"
  }
}

variable "model" {
  description = "Repository of the Hugging Face Hub with .safetensors files."
  type        = string
  default     = "Qwen/Qwen3.5-9B"

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*$", var.model))
    error_message = "Give owner/name."
  }
}

variable "model_revision" {
  description = "Commit of the repository: a branch can be changed under you."
  type        = string
  default     = "c202236235762e1c871ad0ccb60c8ee5ba337b9a"

  validation {
    condition     = can(regex("^[0-9a-f]{40}$", var.model_revision))
    error_message = "Give a commit, 40 hex digits."
  }
}

variable "context_tokens" {
  description = "Longest conversation that the model takes."
  type        = number
  default     = 32768
}

variable "gpu_count" {
  description = "GPUs of the preset; the model is split over them."
  type        = number
  default     = 1
}

variable "reasoning_parser" {
  description = "vLLM's parser for the model's reasoning."
  type        = string
  default     = "qwen3"
}
