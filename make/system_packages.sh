#!/bin/sh
# What the tests need from the system: PostgreSQL's server, a Chromium, FreeRADIUS with its clients, Apache with
# mod_auth_openidc. Installed through apt-get where there is one (with sudo when not root), named otherwise.
set -eu

missing=""
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || initdb --version >/dev/null 2>&1 || missing="$missing postgresql"
command -v chromium >/dev/null || missing="$missing chromium"
PATH="$PATH:/usr/sbin"
command -v freeradius >/dev/null || missing="$missing freeradius"
[ -e /usr/lib/freeradius/rlm_rest.so ] || missing="$missing freeradius-rest"
[ -e /usr/lib/freeradius/rlm_sql_postgresql.so ] || missing="$missing freeradius-postgresql"
command -v radclient >/dev/null || missing="$missing freeradius-utils"
command -v eapol_test >/dev/null || missing="$missing eapoltest"
command -v apache2 >/dev/null || missing="$missing apache2"
[ -e /usr/lib/apache2/modules/mod_auth_openidc.so ] || missing="$missing libapache2-mod-auth-openidc"
[ -z "$missing" ] && exit 0

if ! command -v apt-get >/dev/null; then
    echo "Please install:$missing (PostgreSQL 15 or newer with initdb; Chromium as 'chromium' on the path; the others by Debian's names)." >&2
    exit 1
fi
sudo=""
[ "$(id -u)" = 0 ] || sudo="sudo"
echo "Installing$missing ..."
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
# shellcheck disable=SC2086
if ! { $sudo apt-get update -q && $sudo apt-get install -y -q --no-install-recommends $missing fonts-dejavu-core; } >"$log" 2>&1; then
    cat "$log" >&2
    echo "apt-get could not install:$missing" >&2
    exit 1
fi
rm -f "$log"
