"""What the account holds and does: pools, nodes, jobs, tasks and the processes they start."""
