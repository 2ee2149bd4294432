output "enclave_url" {
  description = "For ENCLAVE_URLS of the relay."
  value       = "https://${local.public_ip}:${local.worker_port}"
}

output "fetch_for_relay" {
  description = "Prints the certificate for ENCLAVE_CERTIFICATES and the token for ENCLAVE_TOKEN, over ssh."
  value       = "ssh sotto@${local.public_ip} sudo /opt/sotto/prepare.sh --for-relay"
}
