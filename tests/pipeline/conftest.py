from __future__ import annotations

import os
from contextlib import contextmanager
from importlib.util import find_spec

import pytest


@pytest.fixture(scope="session")
def start_cluster():
    """Starts a cluster of nodes of one core, whose processes inherit the environment."""
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed: uv run --group ray pytest")
    os.environ["RAY_AUTH_MODE"] = "disabled"  # no token in the home of whoever runs this
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["RAY_ENABLE_UV_RUN_RUNTIME_ENV"] = "0"  # as ingest.pipeline.ray, which comes later
    from ray.cluster_utils import Cluster

    @contextmanager
    def start(nodes):
        cluster = Cluster()
        store = 100 << 20
        cluster.add_node(num_cpus=1, include_dashboard=False, object_store_memory=store)
        for _ in range(nodes - 1):
            cluster.add_node(num_cpus=1, object_store_memory=store)
        try:
            yield cluster
        finally:
            cluster.shutdown()

    return start


@pytest.fixture(scope="module")
def cluster(start_cluster):
    with start_cluster(2) as cluster:
        yield cluster
