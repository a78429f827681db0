"""The Flink cluster as the control plane sees it: its REST API, its snapshots, and submission."""
