"""What the phase notebooks call: the onboarding of one organisation, its forms, its servers."""
