"""What Terraform files say, as far as it can be told without Terraform."""
