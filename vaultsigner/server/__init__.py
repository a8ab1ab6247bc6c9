"""HTTP only: routes, statuses, documents. Never sees a key and never imports the inside of custody."""
