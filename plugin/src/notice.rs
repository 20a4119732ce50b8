//! Something that the app has to say to its player before anything else: one line, set once.

use std::sync::OnceLock;

static NOTICE: OnceLock<String> = OnceLock::new();

/// Shows `notice` in every editor of this process. Only the first one counts.
pub fn set(notice: String) {
    let _ = NOTICE.set(notice);
}

/// What there is to say.
pub fn get() -> Option<&'static str> {
    NOTICE.get().map(String::as_str)
}
