#!/bin/sh
# The protocol's page "Container Setup" and "Setting Up Replication", for one environment after the other.
#
#   up.sh PREFIX NETWORK DATA_ROOT IMAGE LIST
#
# LIST has one line for each environment: name, vault's port, operational's port or -, the password that the vault gets.
# Two things are kinder than the page: all links are waited for at the end, not one after the other, and passwords go to
# redis-cli on stdin. Prints how long after the start every command had been given, in milliseconds.
set -eu
prefix=$1
network=$2
data_root=$3
image=$4
list=$5
began=$(date +%s%N)

run() { # role port
  mkdir -p "$data_root/$env/$1"
  docker run -d \
    --name "$prefix-$env-$1" \
    --restart unless-stopped \
    --network "$network" \
    -p "$2:6379" \
    -v "$data_root/$env/$1:/var/lib/falkordb/data" \
    "$image" \
    redis-server --loadmodule /var/lib/falkordb/bin/falkordb.so >/dev/null
}

answers() { # port
  until [ "$(redis-cli -p "$1" PING 2>/dev/null)" = PONG ]; do sleep 0.05; done
}

docker network inspect "$network" >/dev/null 2>&1 || docker network create "$network" >/dev/null

while read -r env vault_port operational_port password; do
  run vault "$vault_port"
  [ "$operational_port" = - ] || run operational "$operational_port"
  answers "$vault_port"
  echo "CONFIG SET requirepass $password" | redis-cli -p "$vault_port" >/dev/null
  [ "$operational_port" = - ] && continue
  answers "$operational_port"
  echo "CONFIG SET masterauth $password" | redis-cli -p "$operational_port" >/dev/null
  redis-cli -p "$operational_port" REPLICAOF "$prefix-$env-vault" 6379 >/dev/null
done <"$list"

echo $((($(date +%s%N) - began) / 1000000))

while read -r env vault_port operational_port password; do
  [ "$operational_port" = - ] && continue
  until redis-cli -p "$operational_port" INFO replication | grep -q '^master_link_status:up'; do sleep 0.05; done
done <"$list"
