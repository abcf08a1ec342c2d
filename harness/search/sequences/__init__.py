"""Writers of sequences: each generates random requests of a few clients for one area, determined by a seeded Random."""
