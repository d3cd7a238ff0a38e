"""Why a run stands as it does, and what to do about it: judged and worded once, for all commands."""
