#!/bin/sh
# Reports on one day: the one that the nominal time names, whenever this really runs.
set -eu

day=${RECUR_NOMINAL_TIME%%T*}
here=$(dirname "$0")

echo "report of $day, run $RECUR_RUN_ID, attempt $RECUR_ATTEMPT"
echo "orders: $(grep -c "^$day" "$here/orders.csv" || true)"
