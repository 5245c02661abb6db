"""The sharded run: plan, workers, shards, and the outputs put together from them."""
