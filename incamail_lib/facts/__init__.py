"""Facts: what was seen, neutral, never a judgement. Import from the modules below.

observation (three-valued answers) · certificate · smtp · dns · routing · audit (the whole)
"""
