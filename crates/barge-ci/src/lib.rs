//! What happened and what it is called: events, the skip decision, tags, labels, annotations.
