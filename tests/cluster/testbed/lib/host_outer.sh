#!/bin/bash
# Builds one host's file system and becomes its pid 1. Runs in the host's fresh namespaces while it still sees the
# machine's root; called by host.py with everything it needs in the environment:
#   HOST ROLE RUN ROOTFS NVML GPUS DB CLUSTER HOME_SIZE SCRATCH_SIZE
set -eu
read -r outer_pid _ < /proc/self/stat
echo "$outer_pid" > "$RUN/pids/$HOST.new" && mv "$RUN/pids/$HOST.new" "$RUN/pids/$HOST"
hostname "$HOST"
H=$RUN/hosts/$HOST
R=$H/root
E=$RUN/etc
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=$ROOTFS,upperdir=$H/upper,workdir=$H/work" "$R"
mount -t proc proc "$R/proc"
mount -t sysfs -o ro sysfs "$R/sys"

mount -t tmpfs -o mode=755,size=8m tmpfs "$R/dev"
mkdir -p "$R/dev/pts" "$R/dev/shm"
for device in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0 fuse:10:229; do
    IFS=: read -r node major minor <<< "$device"
    mknod -m 666 "$R/dev/$node" c "$major" "$minor"
done
if [ "$ROLE" = node ] && [ "$GPUS" -gt 0 ]; then # a null device stands for each GPU: Slurm only wants a file
    for gpu in $(seq 0 $((GPUS - 1))) ctl; do mknod -m 666 "$R/dev/nvidia$gpu" c 1 3; done
fi
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$R/dev/pts"
ln -s pts/ptmx "$R/dev/ptmx"
ln -s /proc/self/fd "$R/dev/fd"
for n in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/${n%%:*}" "$R/dev/${n##*:}"; done
mount -t tmpfs -o mode=1777,size=256m tmpfs "$R/dev/shm"

mount -t tmpfs -o mode=755,size=16m tmpfs "$R/run"
mkdir -p -m 1777 "$R/run/lock"
mkdir -p "$R/run/sshd" "$R/run/user" "$R/run/testbed"
mount -t tmpfs -o mode=1777,size=64m tmpfs "$R/tmp"
mkdir -p "$R/scratch" "$R/home"
mount -t tmpfs -o "mode=1777,size=$SCRATCH_SIZE" scratch "$R/scratch"
mount --bind "$RUN/home" "$R/home"

# a boot id of its own, new at each start; uptime is the host's own through the time namespace
cat /proc/sys/kernel/random/uuid > "$R/run/testbed/boot_id"
mount --bind "$R/run/testbed/boot_id" "$R/proc/sys/kernel/random/boot_id"

cp "$E/hosts" "$R/etc/hosts"
echo "$HOST" > "$R/etc/hostname"
: > "$R/etc/resolv.conf" # nothing in here asks a name server
ln -sfn /proc/mounts "$R/etc/mtab"
mkdir -p "$R/etc/slurm" "$R/etc/ssh/testbed.d" "$R/etc/testbed-otp" "$R/etc/fakenvml"
mkdir -p "$R/var/log/slurm" "$R/var/spool/slurmd" "$R/var/spool/slurmctld" "$R/usr/local/lib/testbed"
cp "$E/slurm.conf" "$E/gres.conf" "$E/cgroup.conf" "$R/etc/slurm/"
cp "$E/sshd_config.$ROLE" "$R/etc/ssh/sshd_config"
[ -e "$R/etc/ssh/ssh_host_ed25519_key" ] || install -m 600 "$RUN/keys/host_$HOST" "$R/etc/ssh/ssh_host_ed25519_key"
cp "$E/known_hosts" "$R/etc/ssh/ssh_known_hosts"
if ! grep -q ^alice: "$R/etc/passwd"; then
    while read -r user id; do
        echo "$user:x:$id:$id:$user:/home/$user:/bin/bash" >> "$R/etc/passwd"
        echo "$user:x:$id:" >> "$R/etc/group"
        echo "$user:*:19000:0:99999:7:::" >> "$R/etc/shadow"
    done < "$E/users"
fi
if [ "$ROLE" = login ]; then
    cp "$E/slurmdbd.conf" "$R/etc/slurm/"
    chroot "$R" chown slurm:slurm /etc/slurm/slurmdbd.conf
    chmod 600 "$R/etc/slurm/slurmdbd.conf"
else
    install -m 644 "$NVML" "$R/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1"
    mount --bind "$RUN/gpus/$HOST" "$R/etc/fakenvml"
fi
chroot "$R" chown slurm:slurm /var/spool/slurmctld /var/log/slurm
install -m 755 "$LIB/host_init.sh" "$LIB/service.sh" "$LIB/hungfs.py" "$R/usr/local/lib/testbed/"

mkdir -p "$R/mnt/old"
cd "$R"
pivot_root . mnt/old
cd /
umount -l /mnt/old
rmdir /mnt/old
exec env -i ROLE="$ROLE" DB="$DB" CLUSTER="$CLUSTER" HOME=/root LANG=C.UTF-8 TERM=xterm-256color \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    /bin/bash /usr/local/lib/testbed/host_init.sh
