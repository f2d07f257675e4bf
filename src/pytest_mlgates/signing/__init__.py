"""A report that can be believed without its author: signed, and checked offline (extra ``sign``)."""
