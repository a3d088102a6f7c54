#!/bin/sh
# What the protocol's pages say, as a person would script it (there: check_redis_replication.sh): one environment after
# the other, docker inspect for the containers, redis-cli for the servers.
#
#   check.sh PREFIX NETWORK LIST
#
# LIST has one line for each environment: name, vault's port, operational's port or -, the vault's password. Passwords
# go to redis-cli by REDISCLI_AUTH, because arguments are visible to everybody on the host.
set -u
prefix=$1
network=$2
problems=0

problem() {
  echo "$env: $1"
  problems=$((problems + 1))
}

while read -r env vault_port operational_port password; do
  vault=$prefix-$env-vault
  operational=$prefix-$env-operational

  vault_ip=$(docker inspect "$vault" --format '{{range $key, $value := .NetworkSettings.Networks}}{{if eq $key "'"$network"'"}}{{$value.IPAddress}}{{end}}{{end}}')
  [ -n "$vault_ip" ] || problem "the vault has no address on $network"

  role=$(REDISCLI_AUTH=$password redis-cli -p "$vault_port" INFO replication | grep '^role:')
  case $role in role:master*) ;; *) problem "the vault is not a master" ;; esac
  keys=$(REDISCLI_AUTH=$password redis-cli -p "$vault_port" DBSIZE)

  if [ "$operational_port" = - ]; then
    state=$(docker inspect "$vault" --format '{{.State.Status}}')
    [ "$state" = running ] || problem "the vault is $state"
    echo "$env: $state, $keys keys"
    continue
  fi

  state=$(docker inspect "$vault" "$operational" --format '{{.State.Status}}' | sort -u)
  [ "$state" = running ] || problem "not both containers run"
  link=$(redis-cli -p "$operational_port" INFO replication | grep '^master_link_status:')
  case $link in master_link_status:up*) ;; *) problem "the link is down" ;; esac
  echo "$env: $state, link up, $keys keys"
done <"$3"

[ "$problems" -eq 0 ]
