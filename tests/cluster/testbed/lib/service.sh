#!/bin/bash
# service.sh start|stop|restart SERVICE, service.sh register: the daemons of a host. Start returns when the daemon
# listens (or has written its pid file), stop when it is gone. Every wait has an end.
set -u
. /run/testbed/env
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
SOCKET=/run/mysqld/mysqld.sock

await() { # await TENTHS COMMAND...: until COMMAND succeeds
    local n=$1
    shift
    for _ in $(seq "$n"); do
        "$@" > /dev/null 2>&1 && return 0
        sleep .1
    done
    echo "testbed: gave up waiting for: $*" >&2
    return 1
}

own_pid_file() { # a daemon that drops its privileges can only rewrite a pid file that is its own
    touch "/run/$1.pid"
    chown slurm: "/run/$1.pid"
}

start_munged() {
    mkdir -p /run/munge /var/lib/munge /var/log/munge
    chown -R munge:munge /run/munge /var/lib/munge /var/log/munge /etc/munge
    chmod 755 /run/munge
    chmod 700 /var/log/munge /etc/munge
    rm -f /run/munge/munged.pid /run/munge/munge.socket*
    setpriv --reuid=munge --regid=munge --clear-groups /usr/sbin/munged --num-threads=2
}

start_sshd() {
    rm -f /run/sshd.pid
    /usr/sbin/sshd || return 1
    await 50 test -s /run/sshd.pid # sshd writes it after it listens
}

start_mariadb() {
    mkdir -p /run/mysqld
    chown mysql /run/mysqld
    ln -sfn /run/mysqld /run/mariadbd # newer clients look there
    rm -f "$SOCKET"
    setsid /usr/sbin/mariadbd --user=mysql --skip-networking --innodb-buffer-pool-size=64M --innodb-log-file-size=8M \
        --innodb-flush-log-at-trx-commit=0 --innodb-lock-wait-timeout=900 --performance-schema=off \
        --pid-file=/run/mysqld/mysqld.pid --socket="$SOCKET" > /var/log/mariadb.log 2>&1 < /dev/null &
    await 300 timeout 3 mariadb -e 'select 1' || return 1
    timeout 20 mariadb -e "create database if not exists slurm_acct_db;
        create user if not exists 'slurm'@'localhost' identified by 'slurm';
        grant all on slurm_acct_db.* to 'slurm'@'localhost'"
}

start_slurmdbd() {
    own_pid_file slurmdbd
    setpriv --reuid=slurm --regid=slurm --init-groups touch /var/log/slurm/slurmdbd.log
    /usr/sbin/slurmdbd
    await 150 timeout 3 sacctmgr -n -r list cluster
}

start_slurmctld() {
    own_pid_file slurmctld
    /usr/sbin/slurmctld
    await 100 timeout 3 scontrol ping
}

start_slurmd() {
    /usr/sbin/slurmd
}

stop_service() {
    case $1 in
    sshd) # the listener alone: sessions live on
        [ -s /run/sshd.pid ] || return 0
        local pid
        pid=$(cat /run/sshd.pid)
        kill -CONT "$pid" 2> /dev/null
        kill -TERM "$pid" 2> /dev/null
        await 50 eval "! kill -0 $pid" || kill -9 "$pid"
        rm -f /run/sshd.pid
        ;;
    *)
        local name=$1
        [ "$name" = mariadb ] && name=mariadbd
        pkill -CONT -x "$name"
        pkill -TERM -x "$name"
        await 80 eval "! pgrep -x $name" || pkill -9 -x "$name"
        await 20 eval "! pgrep -x $name"
        ;;
    esac
    return 0
}

register() { # accounts and users, once
    local manage="timeout 20 sacctmgr -i -Q"
    timeout 20 sacctmgr -n -P list cluster format=cluster | grep -qx "$CLUSTER" && return 0
    $manage add cluster "$CLUSTER"
    $manage add account ml cluster="$CLUSTER"
    $manage add account infra cluster="$CLUSTER"
    $manage add user alice account=ml defaultaccount=ml
    $manage add user bob account=infra defaultaccount=infra
    $manage add user oper account=infra defaultaccount=infra adminlevel=Operator
}

case $1 in
start) "start_$2" ;;
stop) stop_service "$2" ;;
restart) stop_service "$2" && "start_$2" ;;
register) register ;;
esac
