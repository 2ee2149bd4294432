terraform {
  required_version = ">= 1.9.0, < 2.0.0"

  required_providers {
    nebius = {
      source = "nebius/nebius"
      # The version whose documented arguments main.tf was checked against.
      version = "0.6.32"
    }
  }
}

# Credentials are the environment's: the provider's own variables, or the profile of the nebius command.
provider "nebius" {}
