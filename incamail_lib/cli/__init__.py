"""The command `incamail`. Exit codes: 0 ready or fine, 1 something required failed, 2 wrong use,
3 inconclusive, 4 a crash was recorded, 5 everything that failed is accepted for a time."""
