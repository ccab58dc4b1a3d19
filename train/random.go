package train

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
)

// NewRandom makes a source of random numbers for one purpose. Sources for other purposes, or with other seeds, are independent of it, so that leaving one
// task out does not change the numbers of another. Nothing of a source need ever be saved: who knows seed and purpose can make it again.
func NewRandom(seed uint64, purpose string) *rand.Rand {
	sum := sha256.Sum256(append(binary.BigEndian.AppendUint64(nil, seed), purpose...))
	return rand.New(rand.NewPCG(binary.BigEndian.Uint64(sum[:]), binary.BigEndian.Uint64(sum[8:])))
}

// PreTrainingRandom are the sources of pre-training, one for each thing that is left to chance.
type PreTrainingRandom struct {
	Matching *rand.Rand // which sentences are another picture's
	Words    *rand.Rand // which words are masked, and how
	Regions  *rand.Rand // which regions are masked, and how
	Answers  *rand.Rand // which of several right answers is to be learned
}

// NewPreTrainingRandom makes sources that depend on the seed alone.
func NewPreTrainingRandom(seed uint64) *PreTrainingRandom {
	return &PreTrainingRandom{
		Matching: NewRandom(seed, "matching"),
		Words:    NewRandom(seed, "words"),
		Regions:  NewRandom(seed, "regions"),
		Answers:  NewRandom(seed, "answers"),
	}
}
