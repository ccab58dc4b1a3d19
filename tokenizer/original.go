package tokenizer

import (
	"fmt"
	"strings"
)

// OriginalMaxLength is the max_seq_length of the original repository (MAX_VQA_LENGTH and
// its like).
const OriginalMaxLength = 20

// encodeOriginal is convert_sents_to_features for one sentence: input_ids is IDs,
// input_mask is AttentionMask, segment_ids is TypeIDs.
func (t *Tokenizer) encodeOriginal(text string, isPair bool, call Call) (Encoding, error) {
	if isPair {
		return Encoding{}, fmt.Errorf("a pair of texts: the original repository encodes one at a time; use slow or fast mode")
	}
	length := call.MaxLength
	if length == 0 {
		length = OriginalMaxLength
	}
	call.MaxLength = 0
	if call != (Call{}) {
		return Encoding{}, fmt.Errorf("the original repository always adds special tokens, cuts and pads; leave out every option but the length, or use slow or fast mode")
	}
	if length < 2 || length > maxPadded {
		return Encoding{}, fmt.Errorf("max_seq_length is %d, want 2 to %d tokens; [CLS] and [SEP] are two", length, maxPadded)
	}
	ids := t.tokenizeOriginal(nil, text)
	ids = ids[:min(len(ids), length-2)]
	e := t.newEncoding(length, text, "")
	e.WordIDs, e.SequenceIDs, e.Offsets = nil, nil, nil
	e.IDs[0] = t.special.Cls
	copy(e.IDs[1:], ids)
	e.IDs[len(ids)+1] = t.special.Sep
	for i := range len(ids) + 2 {
		e.AttentionMask[i] = 1
	}
	e.SpecialTokensMask[0], e.SpecialTokensMask[len(ids)+1] = 1, 1
	// The original pads with 0, whatever [PAD] is.
	for i := len(ids) + 2; i < length; i++ {
		e.SpecialTokensMask[i] = 1
	}
	return e, nil
}

// tokenizeOriginal is BertTokenizer.tokenize of the original repository.
func (t *Tokenizer) tokenizeOriginal(ids []int32, text string) []int32 {
	for _, word := range t.slow.basic.words(strings.TrimFunc(text, isSpacePython)) {
		ids, _ = t.vocab.pieces(ids, nil, []byte(word))
	}
	return ids
}
