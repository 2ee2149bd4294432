#!/usr/bin/env bash
# Runs as root when the machine first starts, and again by hand: makes the token and the TLS key if they are not there, and
# starts the containers. `--for-relay` prints what the relay needs: the certificate and the token, never the key.
set -euo pipefail
umask 077

folder=${SOTTO_FOLDER:-/opt/sotto}
secrets=${SOTTO_SECRETS:-/etc/sotto}
set -a
# shellcheck source=/dev/null
. "$folder/settings.env"
set +a

make_secrets() {
  mkdir -p "$secrets/tls"
  # Caddy's user reads the key, nobody else but root does.
  chmod 0755 "$secrets"
  chmod 0750 "$secrets/tls"
  if [ ! -s "$secrets/token.env" ]; then
    printf 'ENCLAVE_TOKEN=%s\n' "$(openssl rand -hex 32)" >"$secrets/token.env.new"
    mv "$secrets/token.env.new" "$secrets/token.env"
  fi
  if [ ! -s "$secrets/tls/certificate.pem" ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -days 825 \
      -subj "/CN=sotto-enclave" -addext "subjectAltName=IP:$PUBLIC_IP" \
      -addext 'basicConstraints=critical,CA:FALSE' -addext 'extendedKeyUsage=serverAuth' \
      -keyout "$secrets/tls/key.pem.new" -out "$secrets/tls/certificate.pem.new" 2>/dev/null
    mv "$secrets/tls/key.pem.new" "$secrets/tls/key.pem"
    mv "$secrets/tls/certificate.pem.new" "$secrets/tls/certificate.pem"
  fi
  # For private and gated repositories, write HF_TOKEN=… into it and run this again.
  [ -e "$secrets/huggingface.env" ] || : >"$secrets/huggingface.env"
  if [ "$(id -u)" = 0 ]; then
    chown -R 0:65532 "$secrets/tls"
    chmod 0640 "$secrets/tls/key.pem" "$secrets/tls/certificate.pem"
  fi
}

let_containers_use_the_gpu() {
  if ! command -v nvidia-ctk >/dev/null; then
    curl -fsSL https://nvidia.github.io/libnvidia-container/gpgkey |
      gpg --dearmor -o /usr/share/keyrings/nvidia-container-toolkit.gpg
    echo 'deb [signed-by=/usr/share/keyrings/nvidia-container-toolkit.gpg] https://nvidia.github.io/libnvidia-container/stable/deb/$(ARCH) /' \
      >/etc/apt/sources.list.d/nvidia-container-toolkit.list
    apt-get update -q
    apt-get install -qy nvidia-container-toolkit
  fi
  nvidia-ctk runtime configure --runtime=docker
  systemctl restart docker
}

case "${1:-}" in
--for-relay)
  cat "$secrets/tls/certificate.pem" "$secrets/token.env"
  ;;
--secrets-only)
  make_secrets
  ;;
'')
  make_secrets
  let_containers_use_the_gpu
  cd "$folder"
  docker compose --env-file settings.env --env-file "$secrets/token.env" --env-file "$secrets/huggingface.env" up -d --build
  ;;
*)
  echo "There is only --for-relay and --secrets-only." >&2
  exit 1
  ;;
esac
