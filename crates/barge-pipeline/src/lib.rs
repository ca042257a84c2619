//! The way of an image from event to verdict, one typed step after the other.
