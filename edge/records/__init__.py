"""What is stored and sent, as bytes: strict on the way in, versioned on the way out."""
