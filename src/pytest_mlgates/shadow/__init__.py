"""A new model beside the one in charge: run both, compare, count by slice."""
