"""Call what is gated, and stop what hangs."""
