//! Where artifacts live: the directory store.
