#!/bin/bash
# Flink in the foreground: `flink-run jobmanager` or `flink-run taskmanager`. More arguments, such as
# `-D taskmanager.numberOfTaskSlots=8`, go to Flink.
set -euo pipefail

role=${1:-}
case $role in
    jobmanager) own=() ;;
    # The same name after a restart: the JobManager then drops the dead one at once.
    taskmanager) own=(-D "taskmanager.resource-id=$HOSTNAME") ;;
    *)
        echo "flink-run: say jobmanager or taskmanager, not '$role'" >&2
        exit 2
        ;;
esac
if [ -n "${FLINK_CHECKPOINT_DIR:-}" ]; then
    own+=(-D "execution.checkpointing.dir=$FLINK_CHECKPOINT_DIR" -D "execution.checkpointing.savepoint-dir=$FLINK_CHECKPOINT_DIR")
fi
exec "$FLINK_HOME/bin/$role.sh" start-foreground "${own[@]}" "${@:2}"
