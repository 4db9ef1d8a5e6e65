#!/bin/sh
# The first process inside. Its serial ports: ttyS0 is the kernel's console, ttyS1 the command's
# terminal, and ttyS2 tells the runner how far things are: "booted <seconds>", "status <number>", and
# between them a "." every few seconds, to say that the machine goes on.
export KVM_TEST_GUESTS=/usr/share/kvm-guests
export PATH=/bin:/usr/bin HOME=/root TERM=linux

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir /dev/shm /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /tmp
hostname nested
ifconfig lo up
# A few, for the tests that want huge pages.
echo 4 >/proc/sys/vm/nr_hugepages
for module in /modules/*; do insmod "$module"; done

# The work tree is where it is outside, so that a failure names a file that can be opened.
# It is on the disk that has no partition, which may be there only in a moment.
until [ -e /job/path ]; do
  for disk in /dev/nvme*n1; do [ -e "${disk}p1" ] || mount -t ext4 "$disk" /job; done
done
tree=$(cat /job/path)
mkdir -p "$tree"
mount --bind /job/tree "$tree"
mount -o remount,bind,ro "$tree"
cd "$tree"

read -r seconds _ </proc/uptime
echo "booted $seconds" >/dev/ttyS2

while sleep 5; do echo . >/dev/ttyS2; done &

# Lines end as the command ends them: the terminal outside, if there is one, adds what it needs.
stty -F /dev/ttyS1 -opost
set -o pipefail
if [ -e /job/interactive ]; then
  setsid -c sh /job/run <>/dev/ttyS1 >&0 2>&1
else
  # The command sees that this is no terminal.
  sh /job/run </dev/null 2>&1 | cat >/dev/ttyS1
fi
status=$?
# What is on the job's disk is read outside.
sync
echo "status $status" >/dev/ttyS2
poweroff -f
