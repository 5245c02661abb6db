"""The sharded run: a plan, workers that process shards, and the outputs assembled from them."""
