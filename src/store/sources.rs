//! What can be said of a database and of a profile before any question: which fit, and what one would show.
