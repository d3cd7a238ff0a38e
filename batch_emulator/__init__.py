"""An Azure Batch account on a laptop: the data plane over http, nodes as local processes."""
