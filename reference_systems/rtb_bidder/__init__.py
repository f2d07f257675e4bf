"""Case D.9: a real-time bidder whose P99 jumped from 8 to 200 ms with a tokenizer in Python."""
