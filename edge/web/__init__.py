"""What the screens of booth and hub share: sign-in, sessions, guard, pages, design."""
