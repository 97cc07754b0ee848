# Where the live services keep their files and which ports they take. Sourced by the scripts of this folder.
#   LIVE_DIR    everything is made below it                          (default /tmp/changeguard-live)
#   LIVE_PORT   the first of 20 ports taken on 127.0.0.1             (default 17000)
#   TOKEN_SECONDS  how long a token of Keystone lives, read when Keystone starts   (default 3600)
#   RECONCILE   seconds between two looks of a VPN server's agent    (default 5)
# shellcheck shell=bash disable=SC2034
export LIVE_DIR=${LIVE_DIR:-/tmp/changeguard-live}
LIVE_PORT=${LIVE_PORT:-$(cat "$LIVE_DIR/run/first-port" 2>/dev/null || echo 17000)} RECONCILE=${RECONCILE:-5}
export PATH=$PATH:/usr/sbin:/sbin
LIVE_HOME=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
KEYSTONE_PORT=$LIVE_PORT BARBICAN_PORT=$((LIVE_PORT + 1)) SWIFT_PORT=$((LIVE_PORT + 2))
OBJECT_PORT=$((LIVE_PORT + 3)) CONTAINER_PORT=$((LIVE_PORT + 4)) ACCOUNT_PORT=$((LIVE_PORT + 5))
SMTP_PORT=$((LIVE_PORT + 6)) POSTGRES_PORT=$((LIVE_PORT + 7)) IMAPS_PORT=$((LIVE_PORT + 8)) IMAP_PORT=$((LIVE_PORT + 9))
FERNET_PORT=$((LIVE_PORT + 14)) # and the two behind it
ALERTS_PORT=$((LIVE_PORT + 19)) STANDBY_PORT=$((LIVE_PORT + 18)) SSH_PORT=$((LIVE_PORT + 10)) # + the tenant's number
BIN=$LIVE_DIR/venv/bin
TENANTS=$LIVE_HOME/tenants.txt

tenants() { awk '!/^#/ && NF {print $1, $2}' "$TENANTS" | sort -u; }                # "acme 1"
clients() { awk -v t="$1" '!/^#/ && $1 == t {print $3}' "$TENANTS"; }               # "ada" ...
die() { echo "${0##*/}: $*" >&2; exit 1; }
