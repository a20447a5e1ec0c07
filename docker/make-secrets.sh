#!/usr/bin/env bash
# Makes what `docker compose up` needs and no repository may hold: one random secret a file in
# docker/secrets/, and .env. What exists is kept, so running it again changes nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# The folder keeps other accounts out; the files can be read inside the containers, whose accounts
# have other numbers.
mkdir -p -m 700 secrets
umask 022

keep() { # keep NAME VALUE: write the secret unless it exists
  if [ ! -s "secrets/$1.txt" ]; then
    printf '%s' "$2" > "secrets/$1.txt"
    echo "made docker/secrets/$1.txt"
  fi
}
random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

keep postgres_password "$(random)"
keep valkey_password "$(random)"
keep dormouse_engine_api_key "dm-$(random)"
keep dormouse_api_key "dm-$(random)"
keep dormouse_admin_key "dm-$(random)"
keep dormouse_database_url \
  "postgresql+psycopg://dormouse:$(cat secrets/postgres_password.txt)@postgres/dormouse"
keep dormouse_redis_url "redis://:$(cat secrets/valkey_password.txt)@valkey:6379/0"

if [ ! -e ../.env ]; then
  cp ../.env.example ../.env
  echo "made .env: COMPOSE_PROFILES says whether the engine runs on a GPU"
fi
