"""The course: lessons as data, answers checked by the library itself, progress, exams.

exercises (the kinds, as values) · bench (the lab that answers) · certain (was it seen?) · arriving
(two messages, watched) · journey (one message, watched) · report_pages (of the product's own
report) · marking (answer -> right or wrong, and why) · lessons (the content) · showing (HTML) ·
progress (one file per learner) · exam (drawn by a seed, graded anew by whoever grades). No widgets.
"""
