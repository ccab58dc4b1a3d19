package tokenizer

import "strings"

// Cleanup says how far the spaces that splitting put in are taken out again.
type Cleanup int

const (
	// CleanAll is clean_up_tokenization_spaces=True, the reference's default.
	CleanAll Cleanup = iota
	// CleanDecoder is clean_up_tokenization_spaces=False. In fast mode the decoder of the
	// tokenizer's file still closes up punctuation, token by token; slow mode does nothing.
	CleanDecoder
	// CleanNothing joins tokens and no more, in fast mode too.
	CleanNothing
)

// DecodeOptions are the keyword arguments of decode.
type DecodeOptions struct {
	SkipSpecialTokens bool
	Cleanup           Cleanup
}

// decoder is the WordPiece decoder of a tokenizer's file.
type decoder struct {
	words   bool // join pieces to words; without a decoder, tokens are joined by spaces
	prefix  string
	cleanup bool
}

// Decode turns ids into text. An id that is no token's is dropped in fast mode and is the
// unknown token in the others, as the references have it.
func (t *Tokenizer) Decode(ids []int32, o DecodeOptions) string {
	if t.mode == Fast {
		return t.decodeFast(ids, o)
	}
	return t.decodeSlow(ids, o)
}

func (t *Tokenizer) decodeFast(ids []int32, o DecodeOptions) string {
	var b strings.Builder
	first := true
	for _, id := range ids {
		token, ok := t.IDToToken(id)
		if !ok || o.SkipSpecialTokens && t.added.special[token] {
			continue
		}
		rest, joined := strings.CutPrefix(token, t.decoder.prefix)
		switch {
		case first:
			first = false
		case t.decoder.words && joined:
			token = rest
		default:
			token = " " + token
		}
		if t.decoder.words && t.decoder.cleanup && o.Cleanup != CleanNothing {
			token = decoderCleaner.Replace(token)
		}
		b.WriteString(token)
	}
	if o.Cleanup == CleanAll {
		return clean(b.String())
	}
	return b.String()
}

func (t *Tokenizer) decodeSlow(ids []int32, o DecodeOptions) string {
	var texts, current []string
	join := func() {
		if len(current) == 0 {
			return
		}
		text := strings.ReplaceAll(strings.Join(current, " "), " "+t.vocab.prefix, "")
		if text = strings.TrimFunc(text, isSpacePython); text != "" {
			texts = append(texts, text)
		}
		current = current[:0]
	}
	for _, id := range ids {
		if o.SkipSpecialTokens && t.slow.hide[id] {
			continue
		}
		token, ok := t.IDToToken(id)
		if !ok {
			token = t.vocab.unkToken
		}
		if t.slow.legacy[token] {
			join()
			texts = append(texts, token)
			continue
		}
		current = append(current, token)
	}
	join()
	text := strings.Join(texts, " ")
	if o.Cleanup == CleanAll {
		return clean(text)
	}
	return text
}

// chain replaces one string after the other.
type chain []string

func (c chain) Replace(s string) string {
	for i := 0; i < len(c); i += 2 {
		s = strings.ReplaceAll(s, c[i], c[i+1])
	}
	return s
}

// pythonCleaner is clean_up_tokenization; decoderCleaner is cleanup of the Rust library.
var (
	pythonCleaner = chain{" .", ".", " ?", "?", " !", "!", " ,", ",", " ' ", "'", " n't", "n't",
		" 'm", "'m", " 's", "'s", " 've", "'ve", " 're", "'re"}
	decoderCleaner = chain{" .", ".", " ?", "?", " !", "!", " ,", ",", " ' ", "'", " n't", "n't",
		" 'm", "'m", " do not", " don't", " 's", "'s", " 've", "'ve", " 're", "'re"}
)

func clean(s string) string { return pythonCleaner.Replace(s) }
