"""An Azure Batch account on a laptop; it knows nothing of the orchestrator."""
