#!/bin/sh
# Owns a node's network and process namespaces, and lets the harness in by SSH with the key of the run.
set -eu
umask 077
mkdir -p /root/.ssh /run/sshd
printf '%s\n' "$AUTHORIZED_KEY" > /root/.ssh/authorized_keys
ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key <<ANSWER
y
ANSWER
chmod 755 /run/sshd
exec /usr/sbin/sshd -D -e -h /etc/ssh/ssh_host_ed25519_key -o PasswordAuthentication=no -o UsePAM=no \
  -o PermitRootLogin=prohibit-password -o MaxStartups=50
