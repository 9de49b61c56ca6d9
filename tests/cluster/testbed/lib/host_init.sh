#!/bin/bash
# pid 1 of a host: starts its services and reaps what is left behind.
service() { /usr/local/lib/testbed/service.sh "$@"; }
printf 'ROLE=%s\nDB=%s\nCLUSTER=%s\n' "$ROLE" "$DB" "$CLUSTER" > /run/testbed/env
service start munged
service start sshd
if [ "$ROLE" = login ]; then
    (
        if [ "$DB" = 1 ]; then
            service start mariadb && service start slurmdbd && service register
        fi
        service start slurmctld
        touch /run/testbed/ready
    ) &
else
    service start slurmd
    touch /run/testbed/ready
fi
trap : CHLD
trap 'exit 0' TERM
while :; do
    sleep 3600 &
    wait $!
done
