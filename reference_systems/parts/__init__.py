"""What several reference systems share: a durable queue, what takes its items, and updates."""
