"""What people read, as values: one model, told in four languages as HTML, Word and PDF."""
