// Package tokenizer turns questions into the word-piece ids LXMERT reads, and back: BERT's
// WordPiece over a vocabulary file, as the Hugging Face classes LxmertTokenizerFast and
// LxmertTokenizer and the original airsplay/lxmert repository each do it.
//
// The three disagree in corners: Unicode versions, added tokens, truncation that cannot
// be done. [Fast], the default, is the Rust library behind LxmertTokenizerFast; [Slow] is
// the Python class, on Python 3.11 (Unicode 14); [Original] is what LXMERT was trained
// with. Every case of the reference data, and every code point, is tested against its own.
//
// A text is UTF-8. A byte that is not part of valid UTF-8 counts as one character U+FFFD,
// which all three modes take out; offsets still refer to the bytes that were given.
//
// A [Tokenizer] does not change once made, and may be used from many goroutines.
package tokenizer
