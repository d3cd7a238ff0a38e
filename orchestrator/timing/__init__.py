"""When occurrences fall: cron, intervals, zones, and their place on the UTC line."""
