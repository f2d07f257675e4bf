"""What a cloud bill says: charges in FOCUS columns, periods, waste, and where a month ends up."""
