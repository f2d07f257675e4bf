"""Case D.8: a customer service bot, trained on chat logs, that gave away customers' cards."""
