# Runs in a network of its own, where the ports 80 and 443 are free, and with a file of
# hosts of its own: starts the authority and jotgate, and prints what a client gets.
#
#   unshare --user --map-root-user --net --mount bash acme.sh JOTGATE
set -eu
jotgate=$1
root=ca/pki/authorities/local/root.crt
ip link set lo up
echo '127.0.0.1 localhost ca.example.test api.example.test other.example.test' > hosts
mount --bind hosts /etc/hosts
trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT

HOME=$PWD caddy run --config acme.Caddyfile --adapter caddyfile > caddy.log 2>&1 &
until curl -s --cacert "$root" https://ca.example.test:9443/acme/local/directory > directory.json; do sleep 0.1; done

SECRET_KEY=$(head -c 32 /dev/urandom | base64) "$jotgate" serve --addr 127.0.0.1:443 --tls-redirect 127.0.0.1:80 \
  --tls-acme api.example.test --tls-acme-ca "$root" \
  --tls-acme-url https://ca.example.test:9443/acme/local/directory > jotgate.log 2>&1 &
until curl -s http://api.example.test/ > /dev/null; do sleep 0.1; done
until curl -s --cacert "$root" https://api.example.test/livez > livez; do sleep 0.1; done

echo "livez: $(cat livez)"
echo "redirect: $(curl -sS -o /dev/null -w '%{http_code} %{redirect_url}' 'http://api.example.test/account/?x=1')"
echo "other name: $(curl -s -o /dev/null -w '%{http_code}' --cacert "$root" https://other.example.test/livez || true)"
echo "kept: $(cd acme && ls | sort | xargs)"
