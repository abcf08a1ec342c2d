"""Writers of sequences: each makes up what a few clients do in one field, from a seeded Random and nothing else."""
