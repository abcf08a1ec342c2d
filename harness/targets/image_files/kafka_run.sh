#!/bin/sh
# Apache Kafka from its published jars, configured by KAFKA_* and CLUSTER_ID as the published images are.
set -u
: "${CLUSTER_ID:=kafka-verification-1dA}"
export CLUSTER_ID

said=$(java -Xmx256m -XX:TieredStopAtLevel=1 -cp '/opt/kafka/libs/*' kafka.docker.KafkaDockerWrapper setup \
  --default-configs-dir /etc/kafka/docker --mounted-configs-dir /mnt/shared/config \
  --final-configs-dir /opt/kafka/config 2>&1)
status=$?
echo "$said"
# A container that starts again finds its storage formatted; that is no failure.
if [ "$status" -ne 0 ] && ! echo "$said" | grep -qi 'already formatted'; then
  exit "$status"
fi
# shellcheck disable=SC2086  # options are words
exec java ${KAFKA_HEAP_OPTS:--Xmx512m} ${KAFKA_JVM_PERFORMANCE_OPTS:--XX:+UseSerialGC} ${KAFKA_OPTS:-} \
  -Dlog4j2.configurationFile=/opt/kafka/config/log4j2.yaml -cp '/opt/kafka/libs/*' \
  kafka.Kafka /opt/kafka/config/server.properties
