package train

import (
	"fmt"
	"hash/crc32"
	"iter"

	"github.com/gomlx/gomlx/core/tensors"
)

// A beginning is what all ranks must have the same of.
type beginning struct {
	Step    int
	Weights uint32 // a hash of them, and of what the optimiser keeps
}

// sameBeginning is the error that a rank begins with other weights than rank 0, as from another file of the same name.
func (t *Trainer) sameBeginning() error {
	rank, found, want, err := t.other()
	if err == nil && rank > 0 {
		err = fmt.Errorf("rank %d begins with other weights (step %d) than rank 0 (step %d): "+
			"every rank must read the same --init or --bert, and the same checkpoint in --out",
			rank, found.Step, want.Step)
	}
	return err
}

// sameStill is the error that a rank has come to other weights than rank 0, which all should have to the bit.
func (t *Trainer) sameStill() error {
	rank, _, _, err := t.other()
	if err == nil && rank > 0 {
		err = fmt.Errorf("rank %d has come to other weights than rank 0: are there different processors? "+
			"Then give all ranks the same --backend, such as simd:isa=avx2", rank)
	}
	return err
}

// other is the first rank with other weights than rank 0, what it has and what rank 0 has; 0 if there is none.
func (t *Trainer) other() (rank int, found, want beginning, err error) {
	if t.options.Ranks.Size() == 1 {
		return 0, found, want, nil
	}
	hash, err := t.hashWeights()
	all, err := Confer(t.options.Ranks, beginning{t.state.Step, hash}, err)
	if err != nil {
		return 0, found, want, err
	}
	for rank, b := range all {
		if b != all[0] {
			return rank, b, all[0], nil
		}
	}
	return 0, found, want, nil
}

// hashWeights is a checksum of all weights and of what the optimiser keeps beside them.
func (t *Trainer) hashWeights() (uint32, error) {
	hash := crc32.New(crc32.MakeTable(crc32.Castagnoli)) // which processors have an instruction for
	for _, values := range []iter.Seq2[string, *tensors.Tensor]{t.model.Weights(), moments(t.model.Store())} {
		for name, value := range values {
			hash.Write([]byte(name))
			if err := value.ConstBytes(func(data []byte) { hash.Write(data) }); err != nil {
				return 0, err
			}
		}
	}
	return hash.Sum32(), nil
}
