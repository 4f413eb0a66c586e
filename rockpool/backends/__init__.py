"""Which computational back-ends are here, and what stands in for those that are not."""
