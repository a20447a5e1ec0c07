"""Knowledge seeding: from memories to training examples."""
