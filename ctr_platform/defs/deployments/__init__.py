"""Deployments: operations on the running job, each with a dry run."""
