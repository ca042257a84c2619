//! Where results are shown: job outputs, summaries, annotations, files.
