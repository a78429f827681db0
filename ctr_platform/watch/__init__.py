"""The watchers' watcher: heartbeats of those who watch the stream, and who notices when one stops."""
