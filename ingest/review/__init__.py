"""What people say about the labels of a run: corrections, rules for sites, and audits."""
