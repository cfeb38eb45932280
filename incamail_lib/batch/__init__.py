"""Many dossiers: measure all, then execute and render the notebook of each."""
