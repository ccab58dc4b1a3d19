package train

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
)

// Random is a source of random numbers whose state can be saved and taken up again, as text: a run that was stopped goes on with the numbers that it
// would have had. It is not safe for concurrent use.
type Random struct {
	*rand.Rand
	pcg *rand.PCG // all the state there is
}

// NewRandom makes a source for one purpose. Sources for other purposes, or with other seeds, are independent of it, so that leaving one
// task out does not change the numbers of another.
func NewRandom(seed uint64, purpose string) *Random {
	sum := sha256.Sum256(append(binary.BigEndian.AppendUint64(nil, seed), purpose...))
	pcg := rand.NewPCG(binary.BigEndian.Uint64(sum[:]), binary.BigEndian.Uint64(sum[8:]))
	return &Random{rand.New(pcg), pcg}
}

// MarshalText writes the state.
func (r *Random) MarshalText() ([]byte, error) {
	state, err := r.pcg.MarshalBinary()
	if err != nil {
		return nil, err
	}
	return base64.StdEncoding.AppendEncode(nil, state), nil
}

// UnmarshalText takes up a state that MarshalText wrote.
func (r *Random) UnmarshalText(text []byte) error {
	state, err := base64.StdEncoding.AppendDecode(nil, text)
	if err != nil {
		return fmt.Errorf("state of random numbers: %w", err)
	}
	pcg := &rand.PCG{}
	if err := pcg.UnmarshalBinary(state); err != nil {
		return fmt.Errorf("state of random numbers: %w", err)
	}
	r.Rand, r.pcg = rand.New(pcg), pcg
	return nil
}

// PreTrainingRandom are the sources of pre-training, one for each thing that is left to chance. Its JSON is their state.
type PreTrainingRandom struct {
	Matching *Random `json:"matching"` // which sentences are another picture's
	Words    *Random `json:"words"`    // which words are masked, and how
	Regions  *Random `json:"regions"`  // which regions are masked, and how
	Answers  *Random `json:"answers"`  // which of several right answers is to be learned
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

// UnmarshalJSON takes up the state of all sources; none may be missing, for it would begin anew unnoticed.
func (r *PreTrainingRandom) UnmarshalJSON(content []byte) error {
	type plain PreTrainingRandom
	var read plain
	if err := json.Unmarshal(content, &read); err != nil {
		return err
	}
	if read.Matching == nil || read.Words == nil || read.Regions == nil || read.Answers == nil {
		return errors.New("state of random numbers: want matching, words, regions and answers")
	}
	*r = PreTrainingRandom(read)
	return nil
}
