"""ShopFast (case D.4): recommendations from two towers and a small index, instead of every score."""
